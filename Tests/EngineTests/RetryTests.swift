// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@testable import Engine

/// §3 of the specification: checks that fail and are tried again.
@Suite struct RetryTests {
  private func retries(_ bench: Bench, _ name: String) -> Int { bench.engine.scheduler.retriesUsed(of: bench.slot(name)) }

  @Test("§3 retry -1: tried again without end")
  func endless() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = Array(repeating: .failed, count: 8) }
    bench.apply([thing("a") { ($0.retry, $0.delay) = (-1, 1) }])
    try bench.settle()
    #expect(bench.take("check").count == 9)
    #expect(bench.phase("a") == .ok)
  }

  @Test("§3 retry > 0: each failure takes one")
  func counted() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed, .failed] }
    bench.apply([thing("a") { ($0.retry, $0.delay) = (2, 1) }])
    try bench.settle()
    #expect(bench.take("check").count == 3)
    #expect(bench.phase("a") == .ok)
    #expect(retries(bench, "a") == 2)
    let willRetry = bench.events.compactMap { if case .checkEnded(_, _, let context) = $0 { context.willRetry } else { nil } }
    #expect(willRetry == [true, true, false])
  }

  @Test("§3 retry 0, or used up: failed; others go on, dependents never run, and it stays in the graph")
  func final() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .failed }
    bench.apply(
      [thing("a") { ($0.retry, $0.delay) = (1, 1) }, thing("b"), thing("c"), thing("d")],
      [.order("a", "b"), .order("b", "c")])
    try bench.settle()
    #expect(bench.take("check").sorted() == ["check a", "check a", "check d"])
    #expect(["a", "b", "c", "d"].map(bench.phase) == [.failed, .blocked, .blocked, .ok])
    #expect(bench.status("b")?.waitsFor.map(\.name) == ["a"])
    #expect(bench.convergence == ["stalled"])
    bench.factory.event("c")
    try bench.settle()
    #expect(bench.take("check") == [])
  }

  @Test("§3 failed: its watch goes on, and its next event tries again, not too soon (see differences)")
  func mended() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    bench.apply([thing("a"), thing("b")], [.order("a", "b")])
    try bench.settle()
    #expect(bench.phase("b") == .blocked)
    bench.forget()
    bench.factory.event("a")
    #expect(try bench.turn { bench.status("a")?.waiting == .retry })
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b"])
    #expect(bench.convergence.last == "converged")
  }

  @Test("§3 failed, events: 50 ms after the failure, then twice as long each time, at most a minute (see differences)")
  func backoff() {
    #expect((1...6).map { RetryPolicy.backoff(failures: $0, most: 60_000) } == [50, 100, 200, 400, 800, 1600])
    #expect(RetryPolicy.backoff(failures: .max, most: 60_000) == 60_000)
    #expect(RetryPolicy.backoff(failures: 0, most: 60_000) == 50)
  }

  @Test("§3 counter: kept for a kind and name when the resource changes")
  func keptAcrossSwaps() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    try bench.start([thing("a") { ($0.retry, $0.delay) = (1, 1) }])
    bench.factory.script("a") { $0.ends = [.failed] }
    bench.apply([thing("a", text: "new") { ($0.retry, $0.delay) = (1, 1) }])
    try bench.settle()
    #expect(bench.take("check") == ["check a"], "nothing is left to try again with")
    #expect(bench.phase("a") == .failed)
  }

  @Test("§3 counter: with reset forgotten when the resource changes")
  func resetAcrossSwaps() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    let a = { (text: String) in thing("a", text: text) { ($0.retry, $0.delay, $0.reset) = (1, 1, true) } }
    try bench.start([a("old")])
    #expect(retries(bench, "a") == 1)
    bench.apply([a("old")])
    try bench.settle()
    #expect(retries(bench, "a") == 1, "it has not changed")
    bench.factory.script("a") { $0.ends = [.failed] }
    bench.apply([a("new")])
    try bench.settle()
    #expect(bench.phase("a") == .ok)
  }

  @Test("§3 counter: not kept for hidden resources")
  func hiddenForgets() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    try bench.start([thing("a") { ($0.retry, $0.delay) = (1, 1) }])
    bench.apply([thing("a") { ($0.retry, $0.hidden) = (1, true) }])
    try bench.settle()
    bench.apply([thing("a") { $0.retry = 1 }])
    try bench.settle()
    #expect(retries(bench, "a") == 0)
  }

  @Test("§3 counter: a check cancelled by a soft interrupt does not count")
  func interrupted() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a") { $0.retry = 1 }])
    try bench.await("check a")
    var isDrained = false
    bench.engine.pause { isDrained = true }
    bench.engine.cancelChecks()
    #expect(try bench.turn { isDrained })
    #expect(retries(bench, "a") == 0)
    #expect(bench.phase("a") == .waiting)
    bench.engine.resume()
    try bench.settle()
    #expect(bench.phase("a") == .ok)
  }

  @Test("§3 retryreset: each success gives the attempts back")
  func retryReset() {
    var policy = RetryPolicy(limit: 1, delay: 5, resets: true)
    #expect(policy.take(failures: 1) == 5)
    #expect(policy.take(failures: 2) == nil)
    policy.succeeded()
    #expect(policy.take(failures: 1) == 5)
    var plain = RetryPolicy(limit: 1, delay: 5)
    _ = plain.take(failures: 1)
    plain.succeeded()
    #expect(plain.take(failures: 1) == nil)
  }

  @Test("§3 failed: stays so through graph switches unless it changes")
  func staysFailed() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    try bench.start([thing("a")])
    bench.apply([thing("a"), thing("b")], [.order("a", "b")])
    try bench.settle()
    #expect(bench.take() == ["make b", "watch b"])
    #expect(bench.phase("a") == .failed)
    bench.apply([thing("a", text: "new"), thing("b")], [.order("a", "b")])
    try bench.settle()
    #expect(bench.take("make", "check") == ["make a", "check a", "check b"])
  }

  @Test("§3 failed: with rewatch begun anew at the next graph switch; what did not fail is kept")
  func rewatch() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    bench.factory.script("w") { $0.watchFailures = 1 }
    let graph = ["a", "b", "w"].map { thing($0) { $0.rewatch = true } }
    try bench.start(graph)
    bench.apply(graph)
    try bench.settle()
    #expect(bench.take("make", "check") == ["make a", "make w", "check a", "check w"])
    #expect(["a", "b", "w"].map(bench.phase) == [.ok, .ok, .ok])
  }
}
