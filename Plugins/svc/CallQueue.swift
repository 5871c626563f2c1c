// SPDX-License-Identifier: Apache-2.0

/// Calls that are not sent yet, the first first. The time a call may take counts from when it is asked for.
struct CallQueue<Call> {
  private var calls: [(call: Call, deadline: UInt64)] = []
  private var next = 0

  var isEmpty: Bool { next == calls.count }

  /// `deadline`: when its answer is of no interest any more, on the clock of `takeFirst`.
  mutating func append(_ call: Call, deadline: UInt64) { calls.append((call, deadline)) }

  /// `remaining`: what is left of its time; 0: it is too late to send it.
  mutating func takeFirst(now: UInt64) -> (call: Call, remaining: UInt64)? {
    guard next < calls.count else { return nil }
    let (call, deadline) = calls[next]
    next += 1
    if isEmpty { (calls, next) = ([], 0) }
    return (call, deadline > now ? deadline - now : 0)
  }

  mutating func takeAll() -> [Call] {
    defer { (calls, next) = ([], 0) }
    return calls[next...].map(\.call)
  }
}
