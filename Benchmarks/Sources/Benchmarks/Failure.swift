// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Why a benchmark, or the whole run, could not be done.
struct Failure: Error, CustomStringConvertible {
  let description: String
  let isUsage: Bool

  init(_ description: String) {
    self.description = description
    self.isUsage = false
  }

  init(usage description: String) {
    self.description = description
    self.isUsage = true
  }

  /// A failed system call, with what `errno` says about it.
  static func system(_ what: String, _ code: Int32 = errno) -> Failure {
    Failure("\(what): \(String(cString: strerror(code)))")
  }
}
