// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@testable import Engine

/// Groups that fail: members share the fate of their leader.
@Suite struct GroupFailureTests {
  private let graph = ["a", "b", "c"].map { thing($0, kind: "group") } + [thing("after")]
  private let edges = [Arrow.order("c", "after")]

  @Test("A group whose leader fails: its members fail with it, what comes after them waits; they recover together")
  func leaderFails() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    bench.apply(graph, edges)
    try bench.settle()
    #expect(["a", "b", "c", "after"].map(bench.phase) == [.failed, .failed, .failed, .blocked])
    #expect(bench.status("b")?.leader?.name == "a")
    #expect(bench.status("b")?.failure?.code == "test.failed")
    #expect(bench.status("after")?.waitsFor.map(\.name) == ["a"])
    #expect(bench.take("check") == ["check a"])
    bench.factory.event("a")
    try bench.settle()
    #expect(["a", "b", "c", "after"].map(bench.phase) == [.ok, .ok, .ok, .ok])
    #expect(bench.take("check") == ["check a", "check after"])
  }

  @Test("A group whose watch is lost fails as a whole")
  func watchBreaks() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.watchFailures = 100 }
    bench.apply(graph, edges)
    try bench.settle()
    #expect(["a", "b", "c", "after"].map(bench.phase) == [.failed, .failed, .failed, .blocked])
  }

  @Test("A member that its leader refuses after all runs alone, and that is a warning")
  func refusedMember() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.leadFailures = 1 }
    bench.apply(graph, edges)
    try bench.settle()
    let warnings = bench.events.flatMap { if case .warnings(let all) = $0 { all.map(\.code) } else { [String]() } }
    #expect(warnings == ["test.lead"])
    #expect(bench.take("check").count == 3)
    #expect(["a", "b", "c", "after"].map(bench.phase) == [.ok, .ok, .ok, .ok])
    bench.engine.end()
    #expect(bench.factory.made == bench.factory.destroyed)
  }

  @Test("A member that cannot be made does not keep the others from working")
  func unmakeable() throws {
    let bench = try Bench()
    bench.factory.script("c") { $0.makeFailures = 1 }
    bench.apply(graph, edges)
    try bench.settle()
    #expect(["a", "b", "c", "after"].map(bench.phase) == [.ok, .ok, .failed, .blocked])
  }

  @Test("A member that received what cannot be fails the whole group; a good value mends it")
  func memberReceives() throws {
    let bench = try Bench()
    bench.apply([thing("s", any: .int(1))] + graph, edges + [.send("s", "any", "b", "text")])
    try bench.settle()
    #expect(["a", "b", "c", "after"].map(bench.phase) == [.failed, .failed, .failed, .blocked])
    #expect(bench.failures == ["receive.type"])
    bench.factory.script("s") { $0.sends = { values in Array(values.prefix(3)) + [.string("good")] } }
    bench.factory.event("s")
    try bench.settle()
    #expect(["a", "b", "c", "after"].map(bench.phase) == [.ok, .ok, .ok, .ok])
  }

  @Test("Leader of a group of one kind is the first by name (see differences)")
  func leader() throws {
    let bench = try Bench()
    try bench.start(Array(graph.reversed()))
    #expect(bench.status("a")?.members.map(\.name) == ["b", "c"])
  }
}
