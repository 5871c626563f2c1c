// SPDX-License-Identifier: Apache-2.0

/// Text that stays on its line and does not steer a terminal.
enum OneLine {
  /// Control characters become their pictures, those that change the direction of text a replacement character. `isData`: those stay.
  static func text(_ text: String, isData: Bool = false) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7f }) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(visible(scalar, isData)) }
    return String(result)
  }

  private static func visible(_ scalar: Unicode.Scalar, _ isData: Bool) -> Unicode.Scalar {
    switch scalar.value {
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{fffd}"
    case 0x7f: "\u{2421}"
    case 0x80..<0xa0: "\u{fffd}"
    case 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: isData ? scalar : "\u{fffd}"
    default: scalar
    }
  }

  /// `a, b and 3 more`
  static func list(_ names: some Collection<String>, most: Int = 10) -> String {
    let rest = names.count - most
    return names.prefix(most).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}
