// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing
import Values

@testable import Engine

/// §5 of the specification: one graph takes the place of another.
@Suite struct GraphSwitchTests {
  @Test("§5 Order: validate, options, automatic edges, groups, reversals, order; only then the old graph is touched")
  func order() throws {
    let bench = try Bench { $0.noop = true }
    try bench.start([thing("old")])
    bench.factory.script("c") { $0.identities = { _ in [("name", "c")] } }
    bench.factory.script("d") { $0.wishes = { _ in [("name", "c")] } }
    let reversal = thing("gone", kind: "reversible")
    bench.factory.reversals[reversal.id] = reversal
    bench.apply([thing("a", kind: "group"), thing("b", kind: "group"), thing("c", kind: "edged"), thing("d", kind: "edged")])
    try bench.settle()
    let calls = bench.take()
    let steps = ["make d", "wishes c", "mayLead b a", "make gone", "lead a b", "unwatch old", "watch a"]
    #expect(steps.compactMap(calls.firstIndex(of:)).count == steps.count, "\(calls)")
    #expect(steps.compactMap(calls.firstIndex(of:)) == steps.compactMap(calls.firstIndex(of:)).sorted(), "\(calls)")
    #expect(calls.contains("check gone noop"), "options hold for reversals too")
  }

  @Test("§5 A graph that is refused leaves the old one as it was, and what was made for it goes")
  func refused() throws {
    let bench = try Bench()
    try bench.start([thing("a")])
    bench.factory.script("bad") { $0.isInvalid = { _ in true } }
    bench.apply([thing("b"), thing("bad")])
    try bench.settle()
    #expect(bench.failures == ["test.invalid"])
    #expect(bench.take() == ["make b", "destroy b"])
    bench.apply([thing("b"), thing("c")], [.order("b", "c"), .order("c", "b")])
    try bench.settle()
    #expect(bench.failures == ["test.invalid", "graph.cycle"])
    #expect(bench.graphs.isEmpty)
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take() == ["check a", "end a ok"])
  }

  @Test("§5 Automatic edges that close a cycle: the graph is refused")
  func automaticCycle() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.identities = { _ in [("name", "a")] } }
    bench.factory.script("b") { $0.wishes = { _ in [("name", "a")] } }
    bench.apply([thing("a", kind: "edged"), thing("b", kind: "edged")], [.order("b", "a")])
    #expect(bench.failures == ["graph.cycle"])
    #expect(bench.factory.made == 2 && bench.factory.destroyed == 2)
  }

  @Test("§5 A graph that is refused does not take the place of a good one on its way in")
  func refusedBehindGood() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.factory.script("bad") { $0.isInvalid = { _ in true } }
    bench.apply([thing("a")])
    try bench.await("check a")
    bench.apply([thing("b")])
    bench.apply([thing("bad")])
    #expect(bench.failures == ["test.invalid"])
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.engine.status().map(\.id.name) == ["b"])
    #expect(bench.factory.made == 2 && bench.factory.destroyed == 1)
  }

  @Test("§5 Pause: a running check of what leaves is waited for, not cancelled; its events start nothing new")
  func waitsForChecks() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a")])
    try bench.await("check a")
    bench.apply([thing("b")])
    bench.factory.event("a")
    try bench.idle()
    #expect(bench.status("a")?.phase == .running)
    bench.factory.finish("a", .changed)
    try bench.settle()
    #expect(
      bench.take() == [
        "make a", "watch a", "check a", "make b", "end a changed", "unwatch a", "destroy a", "watch b", "check b", "end b ok",
      ])
  }

  @Test("§5 Pause: what stays runs on, checks and all (see differences)")
  func keepsRunning() throws {
    let bench = try Bench()
    bench.factory.script("slow") { $0.ends = [.held] }
    bench.apply([thing("slow"), thing("old")])
    try bench.await("check slow")
    #expect(try bench.turn { bench.phase("old") == .ok })
    bench.forget()
    bench.apply([thing("slow"), thing("new")])
    #expect(try bench.turn { bench.phase("new") == .ok })
    #expect(bench.take("check", "cancel", "watch", "unwatch") == ["unwatch old", "watch new", "check new"])
    bench.factory.finish("slow")
    try bench.settle()
  }

  @Test("§5 The latest graph wins: those between never come in, and leave nothing behind")
  func latestWins() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a")])
    try bench.await("check a")
    for name in ["b", "c", "d"] { bench.apply([thing(name)]) }
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.take("watch") == ["watch a", "watch d"])
    #expect(bench.factory.made - bench.factory.destroyed == 1)
  }

  @Test("§5 The latest graph wins, also when it is the one that runs")
  func backAgain() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a")])
    try bench.await("check a")
    bench.apply([thing("b")])
    bench.factory.event("a")
    bench.apply([thing("a")])
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.take("watch", "unwatch", "check") == ["watch a", "check a", "check a"])
  }

  @Test("§5 The latest graph wins: of those that were leaving only what it keeps goes on, the rest is not put right once more")
  func stillLeaving() throws {
    let bench = try Bench()
    try bench.start(["busy", "leaves", "stays"].map { thing($0) })
    bench.factory.script("busy") { $0.ends = [.held] }
    bench.factory.event("busy")
    try bench.await("check busy")
    bench.apply([thing("new")])
    for name in ["leaves", "stays"] { bench.factory.event(name) }
    try bench.idle()
    bench.forget()
    bench.apply([thing("newer"), thing("stays")])
    try bench.idle()
    #expect(bench.take("check") == ["check stays"])
    bench.factory.finish("busy")
    try bench.settle()
    #expect(bench.take("check") == ["check newer"])
    #expect(bench.engine.status().map(\.id.name) == ["newer", "stays"])
  }

  @Test("§5 The latest graph wins: one with what must be realized waits for no turn of those that have left already")
  func leftWithoutTurn() throws {
    let bench = try Bench()
    bench.factory.script("fails") { $0.always = .failed }
    let first = [thing("busy"), thing("fails"), thing("late") { $0.realize = true }]
    try bench.start(first, [.order("fails", "late")])
    bench.factory.script("busy") { $0.ends = [.held] }
    bench.factory.event("busy")
    try bench.await("check busy")
    bench.apply([thing("new")])
    try bench.idle()
    bench.apply([thing("newer"), thing("busy")])
    bench.factory.finish("busy")
    try bench.settle()
    #expect(bench.engine.status().map(\.id.name) == ["busy", "newer"])
  }

  @Test("§5 A graph applied from within the news of another comes after it")
  func nested() throws {
    let bench = try Bench()
    bench.onEvent = { [unowned bench] event in
      guard case .graphStarted(let summary) = event, summary.removed == 0 else { return }
      bench.apply([thing("a", text: "new"), thing("b")])
    }
    bench.apply([thing("a"), thing("c")])
    try bench.settle()
    #expect(bench.engine.status().map(\.id.name) == ["a", "b"])
    #expect(bench.factory.made - bench.factory.destroyed == 2)
  }

  @Test("§5 Pre-fill: what was received does not make a receiver look different")
  func preFill() throws {
    let bench = try Bench()
    let graph = [thing("s", text: "sent"), thing("r", text: "static")]
    try bench.start(graph, [.send("s", "text", "r", "text")])
    bench.apply(graph, [.send("s", "text", "r", "text")])
    try bench.settle()
    #expect(bench.take() == [])
    #expect(bench.graphs.last?.kept == 2)
  }

  @Test("§5 Match: what is equal stays: object, watch and state")
  func match() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b"), thing("c")], [.order("a", "b")])
    bench.apply([thing("c"), thing("b", text: "new"), thing("a"), thing("d")], [.order("b", "a")])
    try bench.settle()
    #expect(bench.take("make", "unwatch", "destroy") == ["make b", "make d", "unwatch b", "destroy b"])
    #expect(bench.graphs.last.map { [$0.kept, $0.added, $0.removed] } == [2, 2, 1])
  }

  @Test("§5 Match: meta parameters count")
  func metaCounts() throws {
    let bench = try Bench()
    try bench.start([thing("a")])
    bench.apply([thing("a") { $0.burst = 3 }])
    try bench.settle()
    #expect(bench.take("make", "destroy", "check") == ["make a", "destroy a", "check a"])
  }

  @Test("§5 Match: a kind that compares decides itself")
  func comparing() throws {
    let bench = try Bench()
    try bench.start([thing("a", kind: "comparing", text: "word")])
    bench.apply([thing("a", kind: "comparing", text: "WORD")])
    try bench.settle()
    #expect(bench.take() == ["make a", "destroy a"], "what was made to compare")
    bench.apply([thing("a", kind: "comparing", text: "other")])
    try bench.settle()
    #expect(bench.take("make", "destroy", "watch") == ["make a", "destroy a", "make a", "destroy a", "watch a"])
  }

  @Test("§5 Match: a group is kept when its leader and all members are the same")
  func groups() throws {
    let bench = try Bench()
    let graph = ["a", "b", "c"].map { thing($0, kind: "group") }
    try bench.start(graph)
    bench.apply(graph)
    try bench.settle()
    #expect(bench.take("make", "destroy", "check") == [])
    bench.apply([graph[0], graph[1], thing("c", kind: "group", text: "new")])
    try bench.settle()
    #expect(bench.take("check") == ["check a"])
    #expect(bench.factory.made - bench.factory.destroyed == 3)
  }

  @Test("§5 Removal: all that leave are gone before the first that comes is watched")
  func removalFirst() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")])
    bench.apply([thing("c"), thing("d")])
    try bench.settle()
    #expect(
      bench.take("unwatch", "destroy", "watch") == [
        "unwatch a", "destroy a", "unwatch b", "destroy b", "watch c", "watch d",
      ])
  }

  @Test("§5 Addition: validated; what cannot be made is there and has failed")
  func addition() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.makeFailures = 1 }
    bench.apply([thing("a"), thing("b"), thing("c")], [.order("a", "b")])
    try bench.settle()
    #expect(["a", "b", "c"].map(bench.phase) == [.failed, .blocked, .ok])
    #expect(bench.failures == ["test.make"])
  }

  @Test("§5 Edges: a notification on its way stays on an edge that is there again, and goes with one that is not")
  func edges() throws {
    for stays in [true, false] {
      let bench = try Bench()
      try bench.start([thing("a"), thing("b")], [.notify("a", "b")])
      bench.factory.script("a") { $0.ends = [.changed] }
      bench.factory.script("b") { $0.ends = [.held] }
      bench.factory.event("a")
      try bench.await("check b refresh")
      bench.factory.finish("b", .failed)
      bench.apply([thing("a"), thing("b"), thing("c")], stays ? [.notify("a", "b")] : [.order("a", "b")])
      bench.forget()
      bench.factory.event("b")
      try bench.settle()
      #expect(bench.take("check").filter { $0.contains(" b") } == [stays ? "check b refresh" : "check b"])
    }
  }

  @Test("§5 Edges: a changed resource takes over the notifications of the one it replaces (see differences)")
  func inheritedNotification() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")], [.notify("a", "b")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.script("b") { $0.ends = [.failed] }
    bench.factory.event("a")
    try bench.settle()
    bench.forget()
    bench.apply([thing("a"), thing("b", text: "new")], [.notify("a", "b")])
    try bench.settle()
    #expect(bench.take("check") == ["check b refresh"])
  }

  @Test("§5 Edges: a newcomer has no notifications that were meant for others")
  func foreignNotification() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")], [.notify("a", "b")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.script("b") { $0.ends = [.failed] }
    bench.factory.event("a")
    try bench.settle()
    bench.forget()
    bench.apply([thing("a"), thing("c")], [.notify("a", "c")])
    try bench.settle()
    #expect(bench.take("check") == ["check c"])
  }

  @Test("§5 metas: the counters of what is gone are gone")
  func counters() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    let graph = [thing("a") { ($0.retry, $0.delay) = (1, 1) }]
    try bench.start(graph)
    try bench.start([thing("b")])
    bench.factory.script("a") { $0.ends = [.failed] }
    try bench.start(graph)
    #expect(bench.phase("a") == .ok)
  }

  @Test("§5 Shutdown: everything is unwatched and ended")
  func shutdown() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")])
    bench.engine.end()
    #expect(bench.take() == ["unwatch a", "destroy a", "unwatch b", "destroy b"])
    #expect(bench.factory.violations == [])
  }

  @Test("§5 Shutdown: also what was on its way in")
  func shutdownOnTheWay() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a")])
    try bench.await("check a")
    bench.apply([thing("b")])
    var isDrained = false
    bench.engine.pause { isDrained = true }
    bench.factory.finish("a")
    #expect(try bench.turn { isDrained })
    bench.engine.end()
    #expect(bench.factory.made == bench.factory.destroyed)
    #expect(bench.factory.violations == [])
  }

  @Test("§5 The graph may change while paused; it runs after resume")
  func whilePaused() throws {
    let bench = try Bench()
    try bench.start([thing("a")])
    bench.engine.pause {}
    bench.apply([thing("b")])
    try bench.idle()
    #expect(bench.take("watch", "check") == ["watch b"])
    bench.engine.resume()
    try bench.settle()
    #expect(bench.take("check") == ["check b"])
  }
}

// Rows not here, see docs/differences.md: pruning of exports; fast pause; resources are made before others leave; the process does
// not exit when a resource cannot be made.
