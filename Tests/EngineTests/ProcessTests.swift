// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing
import Values

@testable import Engine

/// §4 of the specification: what happens when a vertex is processed.
@Suite struct ProcessTests {
  @Test("§4.1 Interrupted: nothing is done, and what was dirty stays so")
  func interrupted() throws {
    let bench = try Bench()
    try bench.start([thing("a")])
    bench.engine.pause {}
    bench.factory.event("a")
    try bench.idle()
    #expect(bench.take("check") == [])
    #expect(bench.status("a")?.waiting == .paused)
    bench.engine.resume()
    try bench.settle()
    #expect(bench.take("check") == ["check a"])
  }

  @Test("§4.2 Timestamp rule: a vertex runs when each before it succeeded more recently; equal, also 0 and 0, is not enough")
  func timestampRule() {
    var s = Scheduler.of(3, [.order(0, 2), .order(1, 2)], ready: false)
    s.ready(2, now: 0)
    #expect(s.checks() == [])
    #expect(s.blockers(of: 2) == [0, 1])
    s.ready(0, now: 0)
    #expect(s.checks() == [0])
    s.finish(0)
    #expect(s.checks() == [])
    s.ready(1, now: 0)
    #expect(s.checks() == [1])
    s.finish(1)
    #expect(s.checks() == [2])
    s.finish(2)
    #expect(s.vertices[2].timestamp > max(s.vertices[0].timestamp, s.vertices[1].timestamp))
  }

  @Test("§4.2 Back-poke: all that are in the way are poked in parallel; it is neither an error nor counted")
  func backPoke() {
    var s = Scheduler.of(3, [.order(0, 2), .order(1, 2)]) { _ in .init(retry: RetryPolicy(limit: 1)) }
    s.converge()
    s.event(0, now: 0)
    s.event(1, now: 0)
    s.event(2, now: 0)
    #expect(s.checks() == [0, 1])
    s.finish(0)
    s.finish(1)
    #expect(s.checks() == [2])
    #expect(s.retriesUsed(of: 2) == 0)
  }

  @Test("§4.2 Back-poke: one that is clean succeeds at once, without a check")
  func backPokeOfClean() {
    var s = Scheduler.of(3, [.order(0, 1), .order(1, 2)])
    s.converge()
    let before = s.vertices.map(\.timestamp)
    s.event(2, now: 0)
    #expect(s.checks() == [2])
    #expect(s.vertices[0].timestamp > before[0] && s.vertices[1].timestamp > before[1])
  }

  @Test("§4.3 Semaphores are taken in the order of their ids, before anything else is done")
  func semaphores() {
    var s = Scheduler.of(2) { .init(semaphores: $0 == 0 ? ["b", "a"] : ["a"]) }
    #expect(s.semaphoreIDs[0] == ["a", "b"])
    #expect(s.checks() == [0])
    #expect(s.awaitedSemaphore(of: 1) == "a")
  }

  @Test("§4.4 Send and receive before the check, members of a group first; any change validates again")
  func receivesFirst() throws {
    let bench = try Bench()
    var validated: [String] = []
    for name in ["a", "m"] {
      bench.factory.script(name) {
        $0.isInvalid = { values in
          validated.append("\(name) \(values[0])")
          return false
        }
      }
    }
    bench.apply(
      [thing("s", text: "sent"), thing("a", kind: "group"), thing("m", kind: "group")],
      [.send("s", "text", "a", "text"), .send("s", "text", "m", "text")])
    try bench.settle()
    #expect(bench.status("m")?.leader?.name == "a")
    #expect(bench.take("check", "update") == ["check s", "update m text", "update a text", "check a"])
    #expect(validated.suffix(2) == ["m \"sent\"", "a \"sent\""])
  }

  @Test("§4.5 Refresh: when any edge that notifies has one pending")
  func refresh() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b"), thing("c")], [.order("a", "c"), .notify("b", "c")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a"])
    bench.factory.script("b") { $0.ends = [.changed] }
    bench.factory.event("b")
    try bench.settle()
    #expect(bench.take("check") == ["check b", "check c refresh"])
  }

  @Test("§4.7 Decide: clean and no refresh: no check")
  func clean() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")], [.order("a", "b")])
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a"])
  }

  @Test("§4.7 Decide: clean, and a refresh that means nothing to its kind: no check")
  func notRefreshable() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("p", kind: "plain")], [.notify("a", "p")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a"])
    #expect(bench.engine.scheduler.edges.allSatisfy { $0.refresh == .none }, "it is dealt with nevertheless")
  }

  @Test("§4.7 Decide: noop and a refresh: it differs (found by a check that does not apply, see differences)")
  func noopRefresh() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b") { $0.noop = true }], [.notify("a", "b")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.script("b") { $0.ends = [.differs] }
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b noop refresh"])
    #expect(bench.phase("b") == .differs)
    bench.factory.event("b")
    try bench.settle()
    #expect(bench.take("check") == ["check b noop"], "reported once")
  }

  @Test("§4.7 Decide: hidden: it succeeds without a check")
  func hidden() throws {
    let bench = try Bench()
    bench.apply([thing("a"), thing("h") { $0.hidden = true }, thing("b")], [.order("a", "h"), .order("h", "b")])
    try bench.settle()
    #expect(bench.take("make", "watch", "check") == ["make a", "make b", "watch a", "check a", "watch b", "check b"])
  }

  @Test("§4.7 Decide: else it is checked, and mended unless noop")
  func checked() throws {
    let bench = try Bench()
    bench.apply([thing("a"), thing("b") { $0.noop = true }])
    try bench.settle()
    #expect(bench.take("check").sorted() == ["check a", "check b noop"])
  }

  @Test("§4.8 Changed flags are cleared by a check that did not fail, and by nothing else")
  func changedFlags() throws {
    let bench = try Bench()
    bench.factory.script("b") { $0.ends = [.failed, .ok] }
    bench.apply(
      [thing("a", text: "sent"), thing("b") { ($0.retry, $0.delay) = (1, 1) }], [.send("a", "text", "b", "text")])
    try bench.settle()
    #expect(bench.take("update") == ["update b text", "update b text"])
    bench.factory.event("a")
    bench.factory.event("b")
    try bench.settle()
    #expect(bench.take("update", "check") == ["check a", "check b"])
  }

  @Test("§4.10 A change begins the time of quiet anew")
  func activity() throws {
    let bench = try Bench()
    try bench.start([thing("a")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.convergence == ["unconverged", "converged"])
  }

  @Test("§4.11 After a success: clean, and refresh cleared on all edges that lead here")
  func clearsAll() {
    var s = Scheduler.of(3, [.notify(0, 2), .notify(1, 2)])
    s.converge()
    s.event(0, now: 0)
    s.event(1, now: 0)
    _ = s.checks()
    s.finish(0, changed: true)
    s.finish(1, changed: true)
    #expect(s.takeActions() == [.check(2, refresh: true)])
    s.finish(2)
    #expect(s.isClean(2))
    #expect(s.edges.allSatisfy { $0.refresh == .none })
    s.event(2, now: 0)
    #expect(s.takeActions() == [.check(2, refresh: false)])
  }

  @Test("§4.11 After a failure: dirty, and refresh pending as before")
  func keepsAll() {
    var s = Scheduler.of(2, [.notify(0, 1)])
    s.converge()
    s.event(0, now: 0)
    _ = s.checks()
    s.finish(0, changed: true)
    _ = s.takeActions()
    s.checkEnded(1, .failure, now: 0)
    #expect(!s.isClean(1))
    #expect(s.edges.allSatisfy { $0.refresh == .pending })
  }

  @Test("§4.12 Noop succeeds, but what it found is no activity: nobody is notified")
  func noopIsNoActivity() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .differs }
    bench.apply([thing("a") { $0.noop = true }, thing("b")], [.notify("a", "b")])
    try bench.settle()
    #expect(bench.take("check") == ["check a noop", "check b"])
    #expect(bench.convergence == ["converged"])
  }

  @Test("§4.13 On success first the notification, then the time, then the poke: the check that follows has the refresh")
  func orderOfSuccess() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.apply([thing("a"), thing("b")], [.notify("a", "b")])
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b refresh"])
  }

  @Test("§4.13 Only those whose timestamps allow it are poked; others wait for the slower before them")
  func slowerParent() {
    var s = Scheduler.of(4, [.order(0, 2), .order(1, 2), .order(0, 3)])
    #expect(s.checks() == [0, 1])
    s.finish(0)
    #expect(s.checks() == [3])
    s.finish(1)
    #expect(s.checks() == [2])
  }

  @Test("§4.14 Semaphores are given back at the end, also of a failed and of a cancelled check")
  func released() {
    var s = Scheduler.of(3) { _ in .init(semaphores: ["one"]) }
    #expect(s.checks() == [0])
    s.checkEnded(0, .failure, now: 0)
    #expect(s.checks() == [1])
    s.checkEnded(1, .cancelled, now: 0)
    #expect(s.checks() == [2])
  }

  @Test("§4 Vertices of equal depth run in parallel")
  func parallel() throws {
    let bench = try Bench()
    for name in ["b", "c", "d"] { bench.factory.script(name) { $0.always = .held } }
    bench.apply(["a", "b", "c", "d"].map { thing($0) }, [.order("a", "b"), .order("a", "c"), .order("a", "d")])
    #expect(try bench.turn { bench.factory.running.count == 3 })
    for name in ["c", "d", "b"] { bench.factory.finish(name) }
    try bench.settle()
  }

  @Test("§4 A success without a change updates the timestamp too")
  func unchangedSuccess() {
    var s = Scheduler.of(2, [.order(0, 1)])
    s.converge()
    let before = s.vertices[0].timestamp
    s.event(0, now: 0)
    #expect(s.checks() == [0])
    s.finish(0)
    #expect(s.vertices[0].timestamp > before)
    #expect(s.checks() == [], "a clean dependent has nothing to do")
    #expect(s.isConverged)
  }

  @Test("§4 Initial run: whatever the order in which watches are ready, each is checked once, after those before it")
  func initialRun() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      var s = Scheduler.of(3, [.order(0, 1), .order(1, 2)], ready: false)
      var checked: [Int] = []
      for vertex in order {
        s.ready(vertex, now: 0)
        while case let running = s.checks(), !running.isEmpty {
          checked += running
          for vertex in running { s.finish(vertex) }
        }
      }
      #expect(checked == [0, 1, 2], "ready in the order \(order)")
    }
  }

  @Test("§4 Noop is checked again at each event, and changes nothing at any")
  func noopAgain() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .differs }
    try bench.start([thing("a") { $0.noop = true }])
    for _ in 0..<2 {
      bench.factory.event("a")
      try bench.settle()
      #expect(bench.take("check") == ["check a noop"])
    }
  }
}

// Rows not here, see docs/differences.md: 6 and 9: exports; 13: fast pause, pokes of clean and of noop vertices.
