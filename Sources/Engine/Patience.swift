// SPDX-License-Identifier: Apache-2.0

/// How soon something is tried again that only time can mend: after a second, then after twice as long each time, at most a minute.
struct Patience: Equatable {
  static let first: UInt64 = 1000
  static let longest: UInt64 = 60_000

  /// Milliseconds until the attempt after the last failure; 0: none yet.
  private var pause: UInt64 = 0
  /// When that attempt was due.
  private var due: UInt64 = 0

  /// It failed, at this time in milliseconds. Returns how long the next attempt waits. What held for a minute has recovered: it
  /// begins anew.
  mutating func next(now: UInt64) -> UInt64 {
    let hasRecovered = pause > 0 && now > due && now - due > Self.longest
    pause = pause == 0 || hasRecovered ? Self.first : min(Self.longest, pause * 2)
    due = now + pause
    return pause
  }
}
