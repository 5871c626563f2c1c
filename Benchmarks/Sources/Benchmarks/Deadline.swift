// SPDX-License-Identifier: Apache-2.0
import Foundation

/// An end for a wait.
struct Deadline {
  let seconds: Double
  private let start = ContinuousClock.now

  init(seconds: Double) { self.seconds = seconds }

  var hasPassed: Bool { ContinuousClock.now - start > .seconds(seconds) }

  /// Asks `condition` every `interval` seconds until it holds.
  func until(_ what: String, every interval: Double = 0.005, _ condition: () throws -> Bool) throws {
    while try !condition() {
      if hasPassed { throw Failure("waited \(Int(seconds)) s in vain until \(what)") }
      if Interruption.signal != nil { throw Failure("interrupted") }
      usleep(UInt32(interval * 1e6))
    }
  }
}
