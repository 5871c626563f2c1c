// SPDX-License-Identifier: Apache-2.0

import Glibc
import Graph
import Testing

@testable import Engine

/// §3 of the specification: the state machine of a worker.
@Suite struct WorkerStateTests {
  @Test("§3 paused: watched at once, but not checked before resume")
  func paused() throws {
    let bench = try Bench()
    bench.engine.pause {}
    bench.apply([thing("a")])
    try bench.idle()
    #expect(bench.take() == ["make a", "watch a"])
    bench.engine.resume()
    try bench.settle()
    #expect(bench.take() == ["check a", "end a ok"])
  }

  @Test("§3 started: nothing is processed before the watch is ready, whatever comes; then once")
  func started() throws {
    let bench = try Bench()
    bench.factory.script("b") { $0.holdsReady = true }
    bench.apply([thing("a"), thing("b")], [.notify("a", "b")])
    bench.factory.event("b")
    bench.engine.pause {}
    bench.engine.resume()
    #expect(try bench.turn { bench.phase("a") == .ok })
    #expect(bench.take("check") == ["check a"])
    #expect(bench.phase("b") == .starting)
    bench.factory.ready("b")
    try bench.settle()
    #expect(bench.take("check") == ["check b"])
  }

  @Test("§3 started: the restart of a watch resets it")
  func restart() throws {
    let bench = try Bench()
    try bench.start([thing("a") { ($0.retry, $0.delay) = (1, 1) }])
    bench.factory.script("a") { $0.holdsReady = true }
    bench.factory.breakWatch("a")
    try bench.await("watch a")
    bench.factory.event("a")
    try bench.idle()
    #expect(bench.take("check") == [])
    bench.factory.ready("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a"])
  }

  @Test("§3 dirty: set when an event or a changed received value comes, cleared by a success that applied")
  func dirty() {
    var s = Scheduler.of(1, ready: false)
    #expect(!s.isClean(0))
    s.ready(0, now: 0)
    _ = s.checks()
    s.finish(0)
    #expect(s.isClean(0))
    s.event(0, now: 0)
    #expect(!s.isClean(0))
    _ = s.checks()
    s.finish(0)
    s.received(0, now: 0)
    #expect(!s.isClean(0))
    _ = s.checks()
    s.checkEnded(0, .failure, now: 0)
    #expect(!s.isClean(0))
  }

  @Test("§3 timestamp: 0 until the first success, then that of the last")
  func timestamp() {
    var s = Scheduler.of(2)
    #expect(s.vertices.map(\.timestamp) == [0, 0])
    _ = s.checks()
    s.finish(1)
    s.checkEnded(0, .failure, now: 0)
    #expect(s.vertices[0].timestamp == 0)
    let first = s.vertices[1].timestamp
    #expect(first > 0)
    s.event(1, now: 0)
    _ = s.checks()
    s.finish(1)
    #expect(s.vertices[1].timestamp > first)
  }

  @Test("§3 failed: without a watch it drains its events and is not processed")
  func failed() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.watchFailures = 100 }
    try bench.start([thing("a"), thing("b")], [.notify("b", "a")])
    bench.factory.script("b") { $0.ends = [.changed] }
    bench.factory.event("b")
    bench.engine.event(Place(slot: bench.slot("a")))
    try bench.settle()
    #expect(bench.take("check") == ["check b"])
    #expect(bench.phase("a") == .failed)
  }

  @Test("§3 pokeChan: what comes together is one check")
  func coalesced() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")], [.notify("a", "b")])
    bench.factory.script("a") { $0.always = .changed }
    for _ in 0..<10 {
      bench.factory.event("a")
      bench.factory.event("b")
    }
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b refresh"])
  }

  // MARK: The process loop

  @Test("§3 inputs: a watch event takes a token; a poke and a received value take none")
  func tokens() {
    var s = Scheduler.of(2, [.notify(0, 1)]) { _ in .init(isRefreshable: true, bucket: TokenBucket(limit: 1, burst: 2)) }
    s.converge()
    s.received(1, now: 0)
    #expect(s.checks() == [1])
    s.finish(1)
    s.event(0, now: 0)
    #expect(s.checks() == [0])
    s.finish(0, changed: true)
    #expect(s.takeActions() == [.check(1, refresh: true)], "poked and notified")
    s.finish(1)
    s.event(1, now: 0)
    #expect(s.takeActions() == [.check(1, refresh: false)], "its second token was still there")
    s.finish(1)
    s.event(1, now: 0)
    #expect(s.takeActions() == [.wakeLater(1, .limit, milliseconds: 1000)])
  }

  @Test("§3 inputs: while it waits for its limit, events are absorbed")
  func absorbed() {
    var s = Scheduler.of(1) { _ in .init(bucket: TokenBucket(limit: 1, burst: 1)) }
    s.converge()
    for now in 0..<5 { s.event(0, now: UInt64(now)) }
    #expect(s.takeActions() == [.wakeLater(0, .limit, milliseconds: 1000)])
    #expect(!s.isQuiet)
    s.wake(0, .limit)
    #expect(s.checks() == [0])
    s.finish(0)
    #expect(s.isConverged)
  }

  // MARK: The watch loop

  @Test("§3 watch: an orderly end: off before the resource goes")
  func orderlyEnd() throws {
    let bench = try Bench()
    try bench.start([thing("a")])
    bench.apply([])
    try bench.settle()
    #expect(bench.take() == ["unwatch a", "destroy a"])
    #expect(bench.failures == [])
  }

  @Test("§3 watch: an error cancels the check that runs, which does not count as a failure")
  func cancelled() throws {
    let bench = try Bench()
    bench.factory.script("a") {
      $0.ends = [.held]
      $0.cancelledEnd = .failed
    }
    bench.apply([thing("a") { ($0.retry, $0.delay) = (3, 1) }])
    try bench.await("check a")
    bench.factory.breakWatch("a")
    #expect(try bench.turn { bench.phase("a") == .ok })
    #expect(
      bench.take() == [
        "make a", "watch a", "check a", "unwatch a", "cancel a", "end a failed", "watch a", "check a", "end a ok",
      ])
    #expect(bench.engine.scheduler.retriesUsed(of: bench.slot("a")) == 0)
    #expect(bench.failures == ["test.watch"])
    #expect(bench.phase("a") == .ok)
  }

  @Test("§3 watch: it is not armed again before the check that runs has ended")
  func rearmedAfterCheck() throws {
    let bench = try Bench()
    bench.factory.script("a") {
      $0.ends = [.held]
      $0.cancelledEnd = .held
    }
    bench.apply([thing("a") { ($0.retry, $0.delay) = (1, 1) }])
    try bench.await("check a")
    bench.factory.breakWatch("a")
    let slot = bench.slot("a")
    #expect(try bench.turn { bench.engine.entries[slot]?.timers?.watch == nil }, "the delay is over")
    try bench.idle()
    #expect(bench.take("watch") == ["watch a"])
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.take() == ["end a ok", "watch a", "check a", "end a ok"], "what it saw without a watch proves nothing")
  }

  @Test("§3 watch: armed again however often, which takes nothing from retry and is nothing to wait for (see differences)")
  func armedAgain() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.watchFailures = 1 }
    bench.apply([thing("a") { $0.retry = 1 }])
    try bench.settle()
    #expect(bench.phase("a") == .failed)
    #expect(bench.status("a")?.waiting == .retry)
    #expect(bench.status("a")?.nextAttempt != nil)
    #expect(bench.convergence == ["stalled"])
    #expect(bench.engine.counts.failed == 1 && bench.engine.counts.pending == 0)
    #expect(try bench.turn { bench.phase("a") == .ok })
    #expect(bench.convergence == ["stalled", "unconverged", "converged"])
    #expect(bench.engine.scheduler.retriesUsed(of: bench.slot("a")) == 0)
    #expect(bench.engine.counts.failed == 0)
  }

  @Test("§3 watch: what could not be made for want of the machine is made by the clock")
  func madeAgain() throws {
    let bench = try Bench()
    bench.factory.script("a") {
      $0.makeFailures = 1
      $0.systemError = EMFILE
    }
    bench.apply([thing("a"), thing("b")], [.order("a", "b")])
    try bench.settle()
    #expect(["a", "b"].map(bench.phase) == [.failed, .blocked])
    #expect(try bench.turn { ["a", "b"].map(bench.phase) == [.ok, .ok] })
    #expect(bench.take("watch", "check") == ["watch b", "watch a", "check a", "check b"])
    #expect(bench.factory.violations == [])
  }

  @Test("§3 watch: retry -1 has no end")
  func endlessWatch() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.watchFailures = 9 }
    bench.apply([thing("a") { ($0.retry, $0.delay) = (-1, 1) }])
    try bench.settle()
    #expect(bench.take("watch").count == 10)
    #expect(bench.phase("a") == .ok)
  }

  @Test("§3 watch: without end means that no counter overflows")
  func manyWatchFailures() throws {
    let bench = try Bench()
    try bench.start([thing("a") { $0.retry = -1 }])
    bench.engine.entries[bench.slot("a")]?.watchRetries = .max
    bench.factory.breakWatch("a")
    #expect(bench.status("a")?.waiting == .retry)
  }

  @Test("§3 watch: its counter is not that of the checks")
  func separateCounters() throws {
    let bench = try Bench()
    bench.factory.script("a") {
      $0.watchFailures = 1
      $0.ends = [.failed]
    }
    bench.apply([thing("a") { ($0.retry, $0.delay) = (1, 1) }])
    #expect(try bench.turn { bench.phase("a") == .ok })
  }

  @Test("§3 watch: lost while a check runs and fails: nothing is waited for")
  func brokenWhileRunning() {
    var s = Scheduler.of(1) { _ in .init(retry: RetryPolicy(limit: -1, delay: 10)) }
    _ = s.checks()
    s.watchFailed(0)
    s.checkEnded(0, .failure, now: 0)
    #expect(s.takeActions() == [])
    #expect(s.isQuiet && !s.isConverged)
  }
}

// Rows not here: retries of checks: RetryTests; faults of the machine: MachineFaultTests. See docs/differences.md: the watch that ends when the checks have failed for good.

extension Scheduler {
  /// Its last check succeeded and nothing has happened since.
  func isClean(_ vertex: Int) -> Bool {
    let flags = flags(of: vertex)
    return flags.contains(.succeededBefore) && flags.isDisjoint(with: [.dirty, .failed, .running])
  }
}
