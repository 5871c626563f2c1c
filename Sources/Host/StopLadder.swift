// SPDX-License-Identifier: Apache-2.0

/// What each further signal does.
struct StopLadder {
  enum Step { case drain, cancel, kill }
  static let stepMilliseconds: UInt64 = 15_000
  private var taken = 0

  var isUntouched: Bool { taken == 0 }
  var hasMore: Bool { taken < 3 }

  mutating func next() -> Step? {
    taken += 1
    return switch taken {
    case 1: .drain
    case 2: .cancel
    case 3: .kill
    default: nil
    }
  }
}
