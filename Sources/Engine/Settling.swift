// SPDX-License-Identifier: Apache-2.0

/// When what was written is brought to the disk: once all is quiet, and not more often than every five seconds. A value: the caller
/// brings the time, keeps the timer and does the work.
struct Settling {
  enum Action: Equatable {
    /// Let these kinds settle, then call `ended`.
    case settle([String])
    /// Call `timerFired` at this time.
    case setTimer(UInt64)
  }

  private enum State { case idle, waiting, running }

  /// Nanoseconds from one beginning to the next.
  static let interval: UInt64 = 5_000_000_000

  /// Those that changed something since they settled last.
  private var kinds: Set<String> = []
  private var state = State.idle
  private var lastStart: UInt64?

  /// Nothing that was written is still to be brought to the disk.
  var isDone: Bool { kinds.isEmpty && state != .running }

  mutating func changed(_ kind: String) { kinds.insert(kind) }

  /// After each change of the graph's state.
  mutating func update(quiet: Bool, now: UInt64) -> Action? {
    guard quiet, !kinds.isEmpty, state == .idle else { return nil }
    if let lastStart, now < lastStart + Self.interval {
      state = .waiting
      return .setTimer(lastStart + Self.interval)
    }
    return start(now)
  }

  mutating func timerFired(quiet: Bool, now: UInt64) -> Action? {
    guard state == .waiting else { return nil }
    state = .idle
    return update(quiet: quiet, now: now)
  }

  /// Somebody waits for it: at once, unless it runs.
  mutating func hurry(now: UInt64) -> Action? {
    kinds.isEmpty || state == .running ? nil : start(now)
  }

  mutating func ended() { state = .idle }

  private mutating func start(_ now: UInt64) -> Action {
    defer { kinds = [] }
    state = .running
    lastStart = now
    return .settle(kinds.sorted())
  }
}
