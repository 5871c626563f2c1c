// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Graph
import Testing

@testable import Engine

/// What the machine is at fault for is tried again by the clock.
@Suite struct MachineFaultTests {
  @Test("After 1 s, then after twice as long each time, at most a minute; anew after what held for a minute")
  func schedule() {
    var patience = Patience()
    var now: UInt64 = 5
    let pauses = (0..<9).map { _ in
      let pause = patience.next(now: now)
      now += pause
      return pause
    }
    #expect(pauses == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
    #expect(patience.next(now: now + 60_000) == 60_000)
    #expect(patience.next(now: now + 600_000) == 1000)
  }

  @Test("Only what the system said counts, and not what a file, a right or a program's end says")
  func table() {
    for number in [ENOSPC, EDQUOT, EIO, EAGAIN, EMFILE, ESTALE, ETXTBSY, ECONNREFUSED] {
      #expect(MachineFaults.contains(reason(number)), "\(number)")
    }
    for number in [0, ENOENT, EACCES, EPERM, EEXIST, ENOTDIR, EISDIR, ELOOP, EINVAL, ENAMETOOLONG] {
      #expect(!MachineFaults.contains(reason(number)), "\(number)")
    }
  }

  private func reason(_ number: Int32) -> Diagnostic {
    var reason = Diagnostic("x", "x")
    reason.systemError = number
    return reason
  }

  @Test("The wait is quiet, takes nothing from retry, and ends with the first success")
  func scheduler() {
    var s = Scheduler.of(1) { _ in .init(retry: RetryPolicy(limit: 3, delay: 10)) }
    _ = s.checks()
    s.checkEnded(0, .fault, now: 0)
    #expect(s.takeActions() == [.wakeLater(0, .fault, milliseconds: 1000)])
    #expect(s.isQuiet && !s.isConverged)
    s.wake(0, .fault)
    #expect(s.checks() == [0])
    s.checkEnded(0, .fault, now: 1000)
    #expect(s.takeActions() == [.wakeLater(0, .fault, milliseconds: 2000)])
    #expect(s.retriesUsed(of: 0) == 0)
    s.wake(0, .fault)
    _ = s.checks()
    s.finish(0)
    #expect(s.isConverged && s.patience.isEmpty)
    s.wake(0, .fault)
    #expect(s.checks() == [], "a timer that was left over")
  }

  @Test("An event is not made to wait for the clock; what fails otherwise then is not tried by it")
  func event() {
    var s = Scheduler.of(1)
    _ = s.checks()
    s.checkEnded(0, .fault, now: 0)
    _ = s.takeActions()
    s.event(0, now: 0)
    #expect(s.takeActions() == [.wakeLater(0, .retry, milliseconds: 50)])
    s.wake(0, .retry)
    #expect(s.checks() == [0])
    s.checkEnded(0, .failure, now: 60)
    #expect(s.takeActions() == [])
    s.wake(0, .fault)
    #expect(s.checks() == [])
  }

  @Test("What is tried without end anyhow keeps its own pace")
  func endless() {
    var s = Scheduler.of(1) { _ in .init(retry: RetryPolicy(limit: -1, delay: 10)) }
    _ = s.checks()
    s.checkEnded(0, .fault, now: 0)
    #expect(s.takeActions() == [.wakeLater(0, .retry, milliseconds: 10)])
  }

  @Test("Mended without an event, and told as news only once")
  func mended() throws {
    let bench = try Bench()
    bench.factory.script("full") {
      $0.ends = [.failed, .failed]
      $0.systemError = ENOSPC
    }
    bench.apply([thing("full"), thing("after")], [.order("full", "after")])
    try bench.settle()
    #expect(bench.status("full")?.waiting == .retry)
    #expect(bench.status("full")?.nextAttempt != nil)
    #expect(try bench.turn { ["full", "after"].map(bench.phase) == [.ok, .ok] })
    let ends = bench.events.compactMap { event -> [Bool]? in
      guard case .checkEnded(let id, _, let context) = event, id.name == "full" else { return nil }
      return [context.willRetry, context.isKnown]
    }
    #expect(ends == [[true, false], [true, true], [false, false]])
    #expect(bench.convergence == ["stalled", "unconverged", "converged"], "attempts do not end the quiet")
  }

  @Test("A failure stays one until a success: also while it waits for its limit, and while it is tried again")
  func failureStays() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .failed }
    bench.apply([thing("a") { ($0.limit, $0.burst) = (1e-3, 1) }])
    try bench.settle()
    bench.factory.event("a")
    #expect(try bench.turn { bench.status("a")?.waiting == .limit })
    #expect(bench.phase("a") == .failed)
    #expect(bench.engine.counts.failed == 1 && bench.engine.counts.pending == 0)
    let other = try Bench()
    other.factory.script("a") { $0.ends = [.failed, .held] }
    other.apply([thing("a")])
    try other.settle()
    other.factory.event("a")
    #expect(try other.turn { other.factory.running["a"] != nil })
    #expect(other.phase("a") == .failed && other.status("a")?.isRunning == true)
    other.factory.finish("a", .cancelled)
    try other.idle()
    #expect(other.phase("a") == .failed && other.engine.counts.failed == 1)
    other.factory.event("a")
    try other.settle()
    #expect(other.phase("a") == .ok && other.engine.counts.failed == 0)
  }

  @Test("What leaves the graph takes its failure along")
  func leaves() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .failed }
    bench.factory.script("w") { $0.watchFailures = 100 }
    try bench.start([thing("a"), thing("w")])
    #expect(bench.engine.counts.failed == 2)
    try bench.start([thing("b")])
    #expect(bench.engine.counts.failed == 0 && bench.engine.isConverged && !bench.engine.isHeldUp)
  }

  @Test("A cancelled check is told as that until the next one ends")
  func cancelled() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a")])
    try bench.await("check a")
    bench.engine.cancelChecks()
    #expect(try bench.turn { bench.status("a")?.wasCancelled == true })
    #expect(bench.status("a")?.wasChecked == false)
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.status("a")?.wasCancelled == false)
  }
}
