// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The clock that nobody sets.
func monotonicMicroseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
}

func monotonicSeconds() -> Int { monotonicMicroseconds() / 1_000_000 }
