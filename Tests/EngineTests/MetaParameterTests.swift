// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing
import Values

@testable import Engine
@testable import Reactor

/// §6 of the specification: what each meta parameter does. Names, types, defaults and ranges: GraphTests/MetaSchemaTests.
@Suite struct MetaParameterTests {
  @Test("§6 noop: checked without applying")
  func noop() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .differs }
    bench.apply([thing("a") { $0.noop = true }])
    try bench.settle()
    #expect(bench.take("check") == ["check a noop"])
    #expect(bench.phase("a") == .differs)
  }

  @Test("§6 noop: the option holds for all")
  func globalNoop() throws {
    let bench = try Bench { $0.noop = true }
    bench.apply([thing("a"), thing("b")])
    try bench.settle()
    #expect(bench.take("check") == ["check a noop", "check b noop"])
  }

  @Test("§6 delay: between a failure and the next attempt; 0 with retries: 50 ms, twice as long each time, to a second")
  func delay() {
    var s = Scheduler.of(1) { _ in .init(retry: RetryPolicy(limit: 3, delay: 700)) }
    _ = s.checks()
    s.checkEnded(0, .failure, now: 0)
    #expect(s.takeActions() == [.wakeLater(0, .retry, milliseconds: 700)])
    var policy = RetryPolicy(limit: -1)
    let pauses = (1...7).map { policy.take(failures: $0) }
    #expect(pauses == [50, 100, 200, 400, 800, 1000, 1000])
  }

  @Test("§6 timeout: the check is cancelled and has failed")
  func timeout() throws {
    let bench = try Bench()
    for (name, end) in [("a", FakeFactory.End.cancelled), ("b", .failed), ("c", .ok)] {
      bench.factory.script(name) {
        $0.ends = [.held]
        $0.cancelledEnd = end
      }
    }
    bench.apply(["a", "b", "c"].map { thing($0) { $0.timeout = 1 } })
    try bench.settle()
    #expect(["a", "b", "c"].map(bench.phase) == [.failed, .failed, .ok], "one that is right after all is right")
    #expect(bench.status("a")?.failure?.title == "timeout after 0.001 seconds")
    #expect(bench.failures == ["resource.timeout", "resource.timeout"])
  }

  @Test("§6 timeout: counts as a failure, so retry has it tried again")
  func timeoutRetried() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a") { ($0.timeout, $0.retry, $0.delay) = (300, 1, 1) }])
    try bench.settle()
    #expect(bench.take("check", "cancel") == ["check a", "cancel a", "check a"])
    #expect(bench.phase("a") == .ok)
  }

  @Test("§6 poll > 0: never watched; checked at first and after so many seconds")
  func poll() throws {
    let bench = try Bench()
    bench.apply([thing("a") { $0.poll = 2 }])
    try bench.settle()
    #expect(bench.take("watch", "check") == ["check a"])
    try bench.await("check a")
  }

  @Test("§6 poll > 0: made anew because of what it received, it has one timer, not two")
  func pollOnce() throws {
    let bench = try Bench()
    bench.factory.script("b") { $0.updates = [.recreate] }
    bench.apply([thing("a", text: "sent"), thing("b") { $0.poll = 1000 }], [.send("a", "text", "b", "text")])
    #expect(try bench.turn { bench.factory.calls.contains("destroy b") })
    let slot = bench.slot("b")
    let first = bench.engine.entries[slot]?.timers?.poll
    bench.engine.arm(slot)
    let second = bench.engine.entries[slot]?.timers?.poll
    #expect(first !== second)
    #expect(first?.body == nil)
    try bench.settle()
  }

  @Test("§6 poll < 0: one check, and no watch")
  func pollNever() throws {
    let bench = try Bench()
    bench.apply([thing("a") { $0.poll = -1 }])
    try bench.settle()
    #expect(bench.take("watch", "check") == ["check a"])
    #expect(bench.engine.entries[bench.slot("a")]?.timers?.poll == nil)
  }

  @Test("§6 limit, burst: a bucket of burst tokens, limit new ones a second; a token is reserved and waited for")
  func limit() {
    var bucket = TokenBucket(limit: 2, burst: 3)
    let first = (0..<5).map { _ in bucket.take(now: 0) }
    #expect(first == [0, 0, 0, 500, 1000])
    #expect(bucket.take(now: 1000) == 500)
    #expect(bucket.take(now: 60_000) == 0, "full again, and not fuller")
    let later = (0..<3).map { _ in bucket.take(now: 60_000) }
    #expect(later == [0, 0, 500])
    var backwards = TokenBucket(limit: 1, burst: 1)
    _ = backwards.take(now: 5000)
    #expect(backwards.take(now: 10) == 1000)
  }

  @Test("§6 limit: as small as it may be, the wait is one a timer can wait")
  func tinyLimit() throws {
    var bucket = TokenBucket(limit: .leastNonzeroMagnitude, burst: 1)
    _ = bucket.take(now: 0)
    #expect(bucket.take(now: 0) <= UInt64(Int64.max) / 1_000_000)
    let bench = try Bench()
    bench.apply([thing("a") { ($0.limit, $0.burst) = (1e-300, 1) }])
    try bench.settle()
    bench.factory.event("a")
    try bench.idle()
    #expect(bench.status("a")?.waiting == .limit)
    #expect(bench.take("check") == ["check a"])
  }

  @Test("§6 limit: events beyond it lead to one check, later")
  func limited() throws {
    let bench = try Bench()
    bench.apply([thing("a") { ($0.limit, $0.burst) = (2, 1) }])
    try bench.settle()
    bench.forget()
    for _ in 0..<5 {
      bench.factory.event("a")
      try bench.reactor.runOnce(maximumWait: 0)
    }
    try bench.settle()
    #expect((1...2).contains(bench.take("check").count), "at most one at once, for which time had brought a token")
  }

  @Test("§6 limit without burst: refused")
  func limitWithoutBurst() throws {
    let bench = try Bench()
    bench.apply([thing("a") { $0.limit = 5 }])
    #expect(bench.failures == ["resource.meta"])
    #expect(bench.take() == [])
  }

  @Test("§6 rewatch: a broken watch is armed again at the next graph switch")
  func rewatch() throws {
    for rewatch in [true, false] {
      let bench = try Bench()
      bench.factory.script("a") { $0.watchFailures = rewatch ? 1 : 100 }
      let graph = [thing("a") { $0.rewatch = rewatch }]
      try bench.start(graph)
      try bench.start(graph)
      #expect(bench.phase("a") == (rewatch ? .ok : .failed))
    }
  }

  @Test("§6 dollar: a name that begins with $ is refused without it")
  func dollar() throws {
    let bench = try Bench()
    bench.apply([thing("$a")])
    #expect(bench.failures == ["resource.name"])
    bench.apply([thing("$a") { $0.dollar = true }])
    try bench.settle()
    #expect(bench.phase("$a") == .ok)
  }

  @Test("§6 hidden: neither validated, made, watched nor checked; it carries order")
  func hidden() throws {
    let bench = try Bench()
    bench.factory.script("h") { $0.isInvalid = { _ in true } }
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a"), thing("h") { $0.hidden = true }, thing("b")], [.order("a", "h"), .order("h", "b")])
    try bench.await("check a")
    try bench.idle()
    #expect(bench.take("check") == ["check a"])
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.take("make", "watch", "check") == ["check b"])
  }

  @Test("§6 hidden: may stand beside one of the same kind and name; at most one of each (see differences)")
  func hiddenTwin() throws {
    let bench = try Bench()
    let hidden = thing("a") { $0.hidden = true }
    bench.apply([thing("a"), hidden, thing("b")], [.order("a", "b")])
    try bench.settle()
    #expect(bench.engine.status().map(\.id.name) == ["a", "a", "b"])
    bench.apply([thing("a"), thing("b")], [.order("a", "b")])
    try bench.settle()
    #expect(bench.engine.status().map(\.isHidden) == [false, false])
    bench.apply([hidden, hidden])
    #expect(bench.failures == ["resource.duplicate"])
  }

  @Test("§6 hidden: must not send")
  func hiddenSender() throws {
    let bench = try Bench()
    bench.apply([thing("a") { $0.hidden = true }, thing("b")], [.send("a", "text", "b", "text")])
    #expect(bench.failures == ["transfer.hidden"])
  }

  @Test("§6 reverse: the first check that applies is to record what puts back what it changes; not in noop")
  func reverse() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    try bench.start([
      thing("a", kind: "reversible") { ($0.reverse, $0.retry, $0.delay) = (true, 1, 1) },
      thing("n", kind: "reversible") { ($0.reverse, $0.noop) = (true, true) },
    ])
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.factory.reversals.keys.map(\.name) == ["a"])
  }

  @Test("§6 autoedge: false: it neither bears nor wants; the option holds for all")
  func autoEdge() throws {
    func edges(_ option: Bool, bears: Bool, wants: Bool) throws -> Int {
      let bench = try Bench { $0.automaticEdges = option }
      bench.factory.script("a") { $0.identities = { _ in [("name", "a")] } }
      bench.factory.script("b") { $0.wishes = { _ in [("name", "a")] } }
      try bench.start([thing("a", kind: "edged") { $0.autoEdge = bears }, thing("b", kind: "edged") { $0.autoEdge = wants }])
      return bench.engine.scheduler.edges.count
    }
    #expect(try edges(true, bears: true, wants: true) == 1)
    #expect(try edges(true, bears: false, wants: true) == 0)
    #expect(try edges(true, bears: true, wants: false) == 0)
    #expect(try edges(false, bears: true, wants: true) == 0)
  }

  @Test("§6 autogroup: false: it stays alone; the option holds for all")
  func autoGroup() throws {
    func vertices(_ option: Bool, _ mayJoin: Bool) throws -> Int {
      let bench = try Bench { $0.automaticGroups = option }
      try bench.start([thing("a", kind: "group"), thing("b", kind: "group") { $0.autoGroup = mayJoin }])
      return bench.engine.scheduler.vertexCount
    }
    #expect(try vertices(true, true) == 1)
    #expect(try vertices(true, false) == 2)
    #expect(try vertices(false, true) == 2)
  }

  @Test("§6 autogroup: what is to be put back one day stays alone (see differences)")
  func reversibleStaysAlone() throws {
    let bench = try Bench()
    try bench.start(["a", "b", "c"].map { name in thing(name, kind: "reversible-group") { $0.reverse = name != "c" } })
    #expect(bench.engine.scheduler.vertexCount == 3)
    let others = try Bench()
    try others.start(["a", "b"].map { name in thing(name, kind: "reversible-group") })
    #expect(others.engine.scheduler.vertexCount == 1)
  }
}

// Rows not here: retry and retryreset: RetryTests; reset: RetryTests; sema: SemaphoreTests; realize: RealizeTests; export: see
// docs/differences.md.
