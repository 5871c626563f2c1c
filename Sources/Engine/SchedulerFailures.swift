// SPDX-License-Identifier: Apache-2.0

/// Failures, retries and limits: what a vertex waits for by the clock.
extension Scheduler {
  /// A check failed: it is tried again by its policy, else at its next event. A fault of the machine takes no attempt from a policy: it has a
  /// schedule of its own, and what waits by it is quiet.
  mutating func failed(_ vertex: Int, isFault: Bool, eventCame: Bool, now: UInt64) {
    if !isFault { patience[vertex] = nil }
    guard !flags(of: vertex).contains(.watchFailed) else { return }
    if isFault, policies[vertex]?.retry.isEndless != true {
      actions.append(.wakeLater(vertex, .fault, milliseconds: patience[vertex, default: Patience()].next(now: now)))
      if eventCame { retryLater(vertex, now: now) }
    } else if let pause = policies[vertex]?.retry.take(failures: vertices[vertex].failures) {
      set(vertex, .retrying)
      wakeForRetry(vertex, milliseconds: pause)
    } else if eventCame {
      retryLater(vertex, now: now)
    }
  }

  /// The next attempt waits twice as long as the one before: 50 ms to a minute after the failure.
  mutating func retryLater(_ vertex: Int, now: UInt64) {
    guard flags(of: vertex).isDisjoint(with: [.wakePending, .watchFailed]) else { return }
    let due = vertices[vertex].failedAt + RetryPolicy.backoff(failures: vertices[vertex].failures, most: 60_000)
    wakeForRetry(vertex, milliseconds: due > now ? due - now : 0)
  }

  private mutating func wakeForRetry(_ vertex: Int, milliseconds: UInt64) {
    guard !flags(of: vertex).contains(.watchFailed) else { return }
    set(vertex, .wakePending)
    actions.append(.wakeLater(vertex, .retry, milliseconds: milliseconds))
  }

  /// It is fought over: its next check waits so long. What happens meanwhile makes it due, as ever.
  mutating func rest(_ vertex: Int, milliseconds: UInt64) {
    guard flags(of: vertex).contains(.exists) else { return }
    set(vertex, .resting)
    actions.append(.wakeLater(vertex, .fight, milliseconds: milliseconds))
  }

  /// Takes a token for an event. Events that come while it waits for one join the wait.
  mutating func throttle(_ vertex: Int, now: UInt64) {
    guard policies[vertex]?.bucket != nil, !flags(of: vertex).contains(.throttled) else { return }
    let pause = policies[vertex]?.bucket?.take(now: now) ?? 0
    guard pause > 0 else { return }
    set(vertex, .throttled)
    actions.append(.wakeLater(vertex, .limit, milliseconds: pause))
  }
}

/// How often something that failed is tried again, and how soon: the meta parameters retry, retryreset and delay.
struct RetryPolicy: Equatable {
  /// -1: without end.
  var limit = 0
  /// Milliseconds.
  var delay: UInt64 = 0
  /// A success gives all attempts back.
  var resets = false
  /// Attempts that were made.
  var used = 0

  var isNone: Bool { limit == 0 }
  var isEndless: Bool { limit < 0 }

  /// Takes one attempt. Returns how many milliseconds it has to wait; nil: there is none left. Without a delay it waits a little
  /// nevertheless, each time longer: `failures` counts those in a row.
  mutating func take(failures: UInt16) -> UInt64? {
    guard limit < 0 || used < limit else { return nil }
    if limit >= 0 { used += 1 }
    return delay > 0 ? delay : Self.backoff(failures: failures, most: 1000)
  }

  mutating func succeeded() {
    if resets { used = 0 }
  }

  /// Milliseconds: 50, 100, 200, …
  static func backoff(failures: UInt16, most: UInt64) -> UInt64 {
    min(most, 50 << UInt64(min(max(1, failures), 13) - 1))
  }
}

/// Limits the rate of events: `limit` tokens a second come into a bucket that holds `burst`, as golang.org/x/time/rate has it.
struct TokenBucket: Equatable {
  /// A second.
  let limit: Double
  let burst: Int
  private var tokens: Double
  /// Milliseconds.
  private var last: UInt64 = 0

  init(limit: Double, burst: Int) {
    self.limit = limit
    self.burst = burst
    tokens = Double(burst)
  }

  /// Takes a token, one that is yet to come if there is none. Returns how many milliseconds it is until then.
  mutating func take(now: UInt64) -> UInt64 {
    tokens = min(Double(burst), tokens + Double(now - min(now, last)) / 1000 * limit)
    last = now
    tokens -= 1
    guard tokens < 0 else { return 0 }
    // More would not fit in nanoseconds.
    return UInt64(min((-tokens / limit * 1000).rounded(.up), 9e12))
  }
}
