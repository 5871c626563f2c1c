// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing

@testable import Engine

/// Kinds that have to find things out before automatic edges can be asked for: graphs wait for them half compiled.
@Suite struct PreparationTests {
  /// With an engine that runs `old`, and preparations that are held.
  private func bench(_ old: [Resource] = [thing("old")]) throws -> Bench {
    let bench = try Bench()
    try bench.start(old)
    bench.factory.holdsPreparations = true
    return bench
  }

  private func names(_ bench: Bench) -> [String] { bench.engine.status().map(\.id.name).sorted() }

  private func prepared(_ name: String, _ change: (inout MetaParameters) -> Void = { _ in }) -> Resource {
    thing(name, kind: "prepared", change)
  }

  @Test("Prepared: what runs goes on meanwhile; edges are asked for afterwards; what was found out is a warning")
  func waits() throws {
    let bench = try bench()
    bench.apply([prepared("a")])
    bench.factory.event("old")
    #expect(try bench.turn { bench.factory.calls.contains("end old ok") })
    #expect(bench.convergence.last != "converged")
    #expect(bench.take("make", "prepare", "identities", "check") == ["make a", "prepare prepared", "check old"])
    bench.factory.endPreparations([Diagnostic("test.warning", severity: .warning, "not all could be found out")])
    try bench.settle()
    #expect(bench.take("identities", "check", "destroy") == ["identities a", "destroy old", "check a"])
    let warnings = bench.events.flatMap { if case .warnings(let all) = $0 { all.map(\.code) } else { [String]() } }
    #expect(warnings == ["test.warning"])
  }

  @Test("Prepared: a graph with nothing new needs no preparation; what is kept is prepared when others come")
  func kept() throws {
    let bench = try bench([prepared("a")])
    bench.apply([prepared("a")])
    try bench.settle()
    #expect(bench.take("prepare") == [])
    bench.apply([prepared("a"), thing("b")])
    bench.factory.endPreparations()
    try bench.settle()
    #expect(bench.take("prepare") == ["prepare prepared for edges"])
  }

  @Test("Prepared: the latest graph wins; one that is late is not missed")
  func latestWins() throws {
    let bench = try bench()
    bench.apply([prepared("a")])
    bench.apply([prepared("b")])
    bench.apply([thing("c")])
    try bench.settle()
    #expect(names(bench) == ["c"])
    bench.factory.endPreparations()
    try bench.settle()
    #expect(names(bench) == ["c"])
    #expect(bench.factory.made - bench.factory.destroyed == 1)
  }

  @Test("Prepared: a graph that is refused does not take the place of one that is being prepared")
  func refused() throws {
    let bench = try bench()
    bench.factory.script("bad") { $0.isInvalid = { _ in true } }
    bench.apply([prepared("a")])
    bench.apply([thing("bad")])
    bench.factory.endPreparations()
    try bench.settle()
    #expect(bench.failures == ["test.invalid"])
    #expect(names(bench) == ["a"])
  }

  @Test("Prepared: nor does one whose automatic edges turn out to close a cycle")
  func refusedLate() throws {
    let bench = try bench()
    bench.factory.script("x") { $0.identities = { _ in [("name", "x")] } }
    bench.factory.script("y") { $0.wishes = { _ in [("name", "x")] } }
    bench.apply([prepared("a")])
    bench.apply([prepared("x"), prepared("y")], [.order("y", "x")])
    bench.factory.endPreparations()
    #expect(bench.failures == ["graph.cycle"])
    bench.factory.endPreparations()
    try bench.settle()
    #expect(names(bench) == ["a"])
    #expect(bench.factory.made - bench.factory.destroyed == 1)
  }

  @Test("Prepared: one with something to realize is not passed over, and those behind it come in their order")
  func realize() throws {
    let bench = try bench()
    bench.factory.script("bad") { $0.isInvalid = { _ in true } }
    bench.apply([prepared("a") { $0.realize = true }])
    bench.apply([thing("b")])
    bench.apply([thing("c")])
    bench.apply([thing("bad")])
    #expect(names(bench) == ["old"])
    bench.factory.endPreparations()
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check c"])
    #expect(bench.failures == ["test.invalid"])
  }

  @Test("Prepared: a graph on its way in with something to realize comes before one that is prepared meanwhile")
  func behindRealize() throws {
    let bench = try bench()
    bench.factory.script("old") { $0.ends = [.held] }
    bench.factory.event("old")
    try bench.await("check old")
    let urgent = { (name: String) in thing(name) { $0.realize = true } }
    bench.apply([urgent("a")])
    bench.apply([urgent("b")])
    bench.apply([prepared("c")])
    bench.factory.finish("old")
    #expect(
      try bench.turn {
        bench.factory.endPreparations()
        return names(bench) == ["c"]
      })
    try bench.settle()
    #expect(bench.take("check") == ["check old", "check a", "check b", "check c"])
  }

  @Test("Prepared: when another graph comes in meanwhile it is compared anew")
  func stale() throws {
    let bench = try bench()
    bench.factory.script("old") { $0.ends = [.held] }
    bench.factory.event("old")
    try bench.await("check old")
    bench.apply([thing("a")])
    bench.apply([thing("a"), prepared("b")])
    bench.factory.finish("old")
    #expect(try bench.turn { names(bench) == ["a"] })
    #expect(
      try bench.turn {
        bench.factory.endPreparations()
        return names(bench) == ["a", "b"]
      })
    try bench.settle()
    #expect(bench.take("watch").filter { $0 == "watch a" }.count == 1)
    #expect(bench.factory.made - bench.factory.destroyed == 2)
  }

  @Test("Prepared: not without automatic edges and groups; for groups alone, not for edges")
  func options() throws {
    for (mayHaveEdges, mayGroup, expected) in [
      (false, false, []), (false, true, ["prepare prepared"]), (true, false, ["prepare prepared for edges"]),
    ] {
      let bench = try Bench {
        $0.automaticEdges = mayHaveEdges
        $0.automaticGroups = mayGroup
      }
      try bench.start([thing("old")])
      bench.apply([prepared("a"), thing("b")])
      try bench.settle()
      #expect(bench.take("prepare") == expected)
    }
  }

  @Test("Prepared: at the end nothing is left of it")
  func end() throws {
    let bench = try bench()
    bench.apply([prepared("a")])
    bench.engine.end()
    bench.factory.endPreparations()
    #expect(bench.factory.made == bench.factory.destroyed)
    #expect(bench.factory.violations == [])
  }
}
