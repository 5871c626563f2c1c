// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@testable import Engine

/// §6 of the specification: realize, which the original declares and does not implement.
@Suite struct RealizeTests {
  private func realized(_ name: String, _ text: String = "") -> Resource { thing(name, text: text) { $0.realize = true } }

  @Test("§6 realize: as asked at least once before another graph removes it")
  func beforeRemoval() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.holdsReady = true }
    bench.apply([realized("a")])
    bench.apply([thing("b")])
    try bench.idle()
    #expect(bench.engine.status().map(\.id.name) == ["a"])
    bench.factory.ready("a")
    try bench.settle()
    #expect(bench.take("check", "destroy") == ["check a", "destroy a", "check b"])
  }

  @Test("§6 realize: a member of a group counts as well as its leader")
  func member() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.holdsReady = true }
    bench.apply([thing("a", kind: "group"), thing("m", kind: "group") { $0.realize = true }])
    bench.apply([thing("b")])
    try bench.idle()
    bench.factory.ready("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b"])
  }

  @Test("§6 realize: also what comes before it gets its turn")
  func withParents() throws {
    let bench = try Bench()
    bench.factory.script("p") { $0.ends = [.held] }
    bench.apply([thing("p"), realized("a")], [.order("p", "a")])
    try bench.await("check p")
    bench.apply([thing("b")])
    bench.factory.finish("p")
    try bench.settle()
    #expect(bench.take("check") == ["check p", "check a", "check b"])
  }

  @Test("§6 realize: a graph on its way in with something to realize is not passed over")
  func queued() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a")])
    try bench.await("check a")
    bench.apply([realized("b")])
    bench.apply([thing("c")])
    bench.apply([realized("b", "new")])
    bench.apply([thing("d")])
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b", "check b", "check d"])
    #expect(bench.factory.made - bench.factory.destroyed == 1)
  }

  @Test("§6 realize: a graph that has it as it is may be passed over")
  func sameAgain() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a")])
    try bench.await("check a")
    bench.apply([realized("b"), thing("c")])
    bench.apply([realized("b"), thing("d")])
    bench.factory.finish("a")
    try bench.settle()
    #expect(Set(bench.take("check")) == ["check a", "check b", "check d"])
  }

  @Test("§6 realize: what failed, or comes after what failed, holds nothing back")
  func failed() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .failed }
    bench.apply([realized("a"), realized("b")], [.order("a", "b")])
    try bench.await("end a failed")
    bench.apply([thing("c")])
    try bench.settle()
    #expect(bench.engine.status().map(\.id.name) == ["c"])
  }

  @Test("§6 realize: a queued graph that is refused is passed over")
  func refused() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.factory.script("bad") { $0.isInvalid = { _ in true } }
    bench.apply([realized("a")])
    try bench.await("check a")
    bench.apply([realized("b")])
    bench.apply([thing("bad")])
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.engine.status().map(\.id.name) == ["b"])
    #expect(bench.failures == ["test.invalid"])
  }
}
