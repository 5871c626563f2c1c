// SPDX-License-Identifier: Apache-2.0

enum OneLine {
  /// `a, b and 3 more`
  static func list(_ names: some Collection<String>, most: Int = 10) -> String {
    let rest = names.count - most
    return names.prefix(most).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}
