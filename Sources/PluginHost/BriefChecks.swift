// SPDX-License-Identifier: Apache-2.0

/// Decides which checks may run on the reactor's thread: few at a time, and none while workers have some, so that a burst runs in
/// parallel and a lone event is answered without a hop between threads.
struct BriefChecks {
  /// Nanoseconds a check may take to be tried on the reactor again.
  static let limit: UInt64 = 2_000_000
  private static let perRound = 2
  /// Checks given to workers that have not ended.
  var onWorkers = 0
  private var round: UInt64 = 0
  private var taken = 0

  /// `round`: of the reactor's loop.
  mutating func take(round: UInt64) -> Bool {
    if self.round != round { (self.round, taken) = (round, 0) }
    guard onWorkers == 0, taken < Self.perRound else { return false }
    taken += 1
    return true
  }
}
