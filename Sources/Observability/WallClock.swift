// SPDX-License-Identifier: Apache-2.0

import Engine
import Glibc
import Reactor

/// Says for points of the monotonic clock what a clock on the wall showed, as of one moment.
public struct WallClock: Sendable {
  /// Seconds since 1970.
  let wall: Double
  let monotonic: UInt64

  /// The present moment.
  public init() {
    self.init(wall: Self.now, monotonic: monotonicNow())
  }

  init(wall: Double, monotonic: UInt64) {
    self.wall = wall
    self.monotonic = monotonic
  }

  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Seconds since 1970, with microseconds.
  func unixTime(_ time: EngineTime) -> Double {
    ((wall + seconds(until: time)) * 1e6).rounded() / 1e6
  }

  /// Negative: it has passed.
  func seconds(until time: EngineTime) -> Double {
    time.nanoseconds >= monotonic
      ? Double(time.nanoseconds - monotonic) / 1e9 : -Double(monotonic - time.nanoseconds) / 1e9
  }
}
