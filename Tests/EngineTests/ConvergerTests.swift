// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@testable import Engine
@testable import Reactor

/// §13 of the specification.
@Suite struct ConvergerTests {
  private let second: UInt64 = 1_000_000_000

  @Test("§13 Timeout: converged after the time of quiet, counted from when it became quiet")
  func timeout() {
    var converger = Converger(timeoutSeconds: 5)
    #expect(converger.update(.busy, succeeds: false, now: 0) == [])
    #expect(converger.update(.quiet, succeeds: true, now: 30 * second) == [.setTimer(35 * second)])
    #expect(converger.update(.quiet, succeeds: true, now: 31 * second) == [])
    #expect(converger.timerFired(now: 35 * second) == [.report(.converged)])
    #expect(converger.update(.busy, succeeds: false, now: 40 * second) == [.cancelTimer, .report(.unconverged)])
  }

  @Test("§13 Timeout: 0 is at once, -1 never")
  func limits() {
    var atOnce = Converger(timeoutSeconds: 0)
    #expect(atOnce.update(.quiet, succeeds: true, now: 7) == [.report(.converged)])
    var never = Converger(timeoutSeconds: -1)
    #expect(never.update(.quiet, succeeds: true, now: 7) == [])
  }

  @Test("§13 Timeout: as long as it may be")
  func longest() {
    var converger = Converger(timeoutSeconds: .max)
    let actions = converger.update(.quiet, succeeds: true, now: 100 * 365 * 86_400 * second)
    #expect(actions.count == 1)
  }

  @Test("§13 Timers: a change begins the time anew")
  func activity() {
    var converger = Converger(timeoutSeconds: 5)
    _ = converger.update(.quiet, succeeds: true, now: 0)
    #expect(converger.activity() == [.cancelTimer])
    #expect(converger.timerFired(now: 5 * second) == [], "a timer that was cancelled too late says nothing")
    #expect(converger.update(.quiet, succeeds: true, now: 3 * second) == [.setTimer(8 * second)])
    #expect(converger.timerFired(now: 7 * second) == [.setTimer(8 * second)])
  }

  @Test("§13 Quiet with a failure is stalled, not converged (see differences)")
  func stalled() {
    var converger = Converger(timeoutSeconds: 1)
    _ = converger.update(.quiet, succeeds: false, now: 0)
    #expect(converger.timerFired(now: second) == [.report(.stalled)])
  }

  @Test("§13 Attempts by the clock neither begin the time of quiet nor end it; it is said when they have ended")
  func trying() {
    var converger = Converger(timeoutSeconds: 5)
    #expect(converger.update(.trying, succeeds: false, now: 0) == [])
    #expect(converger.update(.quiet, succeeds: false, now: 1 * second) == [.setTimer(6 * second)])
    #expect(converger.update(.trying, succeeds: false, now: 5 * second) == [])
    #expect(converger.timerFired(now: 6 * second) == [])
    #expect(converger.update(.quiet, succeeds: false, now: 7 * second) == [.cancelTimer, .report(.stalled)])
    #expect(converger.update(.trying, succeeds: false, now: 8 * second) == [])
    #expect(converger.update(.quiet, succeeds: false, now: 9 * second) == [])
    #expect(
      converger.update(.quiet, succeeds: true, now: 10 * second) == [.report(.unconverged), .setTimer(15 * second)],
      "an attempt that succeeds begins the time anew")
  }

  @Test("§13 Pause: what is converged stays so, what is not waits its time anew after the pause")
  func pausedValue() {
    var converger = Converger(timeoutSeconds: 5)
    _ = converger.update(.quiet, succeeds: true, now: 0)
    #expect(converger.pause() == [.cancelTimer])
    #expect(converger.timerFired(now: 5 * second) == [])
    #expect(converger.update(.quiet, succeeds: true, now: 9 * second) == [.setTimer(14 * second)])
    #expect(converger.timerFired(now: 14 * second) == [.report(.converged)])
    #expect(converger.pause() == [])
    #expect(converger.update(.quiet, succeeds: true, now: 20 * second) == [])
  }

  // MARK: Members

  @Test("§13 Members: what is not watched yet, runs, waits for its limit or its next attempt keeps it from converging")
  func members() {
    var s = Scheduler.of(1, ready: false) { _ in
      .init(retry: RetryPolicy(limit: 1, delay: 10), bucket: TokenBucket(limit: 1, burst: 1))
    }
    #expect(!s.isConverged)
    s.ready(0, now: 0)
    _ = s.checks()
    #expect(!s.isConverged)
    s.checkEnded(0, .failure, now: 0)
    #expect(!s.isQuiet)
    s.wake(0, .retry)
    _ = s.checks()
    s.finish(0)
    #expect(s.isConverged)
    s.event(0, now: 0)
    _ = s.checks()
    #expect(!s.isQuiet)
    s.wake(0, .limit)
    _ = s.checks()
    s.finish(0)
    #expect(s.isConverged)
    s.watchLost(0)
    #expect(!s.isConverged)
  }

  @Test("§13 Noop: converges when all was checked (see differences)")
  func noop() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .differs }
    bench.apply([thing("a") { $0.noop = true }])
    try bench.settle()
    #expect(bench.convergence == ["converged"])
  }

  @Test("§13 Overall: an empty graph converges; before there is a graph nothing does")
  func empty() throws {
    let bench = try Bench()
    bench.engine.flush()
    #expect(bench.convergence == [])
    bench.apply([])
    #expect(bench.convergence == ["converged"])
  }

  @Test("§13 Overall: not while paused")
  func paused() throws {
    let bench = try Bench { $0.convergedTimeout = 2 }
    bench.apply([thing("a")])
    try bench.settle()
    bench.engine.pause {}
    let timer = bench.reactor.addTimer(afterMilliseconds: 2100) {}
    #expect(try bench.turn { timer.body == nil })
    #expect(bench.convergence == [])
    bench.engine.resume()
    #expect(try bench.turn { bench.convergence == ["converged"] })
  }

  @Test("§13 Transitions: each is told once, in order")
  func transitions() throws {
    let bench = try Bench()
    bench.apply([thing("a")])
    try bench.settle()
    bench.factory.event("a")
    try bench.settle()
    bench.factory.script("a") { $0.ends = [.failed] }
    bench.factory.event("a")
    try bench.settle()
    bench.factory.event("a")
    try bench.settle()
    #expect(
      bench.convergence == ["converged", "unconverged", "converged", "unconverged", "stalled", "unconverged", "converged"])
  }

  @Test("§13 Graph switch: the same graph again changes nothing")
  func sameGraph() throws {
    let bench = try Bench()
    for _ in 0..<3 {
      bench.apply([thing("a")])
      try bench.settle()
    }
    #expect(bench.convergence == ["converged"])
  }
}

// Rows not here: exit and status file: EndToEndTests; the shared state of many hosts: not of the engine.
