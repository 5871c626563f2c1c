// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Standard error: progress and failures. The table alone goes to standard output.
enum Console {
  static func progress(_ line: String) { error(line) }

  static func error(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}

extension String {
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

  func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
