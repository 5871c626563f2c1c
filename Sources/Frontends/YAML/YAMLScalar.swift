// SPDX-License-Identifier: Apache-2.0

/// How plain scalars are read once the schema has said which type is wanted.
enum YAMLScalar {
  static func isNull(_ text: String) -> Bool {
    switch text {
    case "", "~", "null", "Null", "NULL": true
    default: false
    }
  }

  /// The words of YAML 1.1, in lower case, upper case, or with a capital.
  static func bool(_ text: String) -> Bool? {
    guard text.utf8.count <= 5 else { return nil }
    switch text {
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return true
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return false
    default: return nil
    }
  }

  enum Int {
    case value(Int64)
    case outOfRange
    /// `0644`: eight's or ten's, the versions of YAML disagree.
    case ambiguous
    case notAnInt
  }

  /// Decimal, `0x` and `0o`, each with an optional sign.
  static func int(_ text: String) -> Int {
    var digits = text[...]
    let isNegative = digits.first == "-"
    if isNegative || digits.first == "+" { digits.removeFirst() }
    var radix = 10
    if digits.hasPrefix("0x") { radix = 16 } else if digits.hasPrefix("0o") { radix = 8 }
    if radix != 10 { digits.removeFirst(2) }
    guard let first = digits.utf8.first, digits.utf8.allSatisfy({ isDigit($0, radix) }) else { return .notAnInt }
    if radix == 10, first == UInt8(ascii: "0"), digits.utf8.count > 1 { return .ambiguous }
    return Int64((isNegative ? "-" : "") + digits, radix: radix).map(Int.value) ?? .outOfRange
  }

  private static func isDigit(_ byte: UInt8, _ radix: Swift.Int) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "7"): true
    case UInt8(ascii: "8"), UInt8(ascii: "9"): radix >= 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): radix == 16
    default: false
    }
  }

  /// Decimal with fraction and exponent, and `.inf`. Not-a-number is none: it is not even equal to itself.
  static func float(_ text: String) -> Double? {
    switch text {
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .infinity
    case "-.inf", "-.Inf", "-.INF": return -.infinity
    default: break
    }
    let isDecimal = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"): true
      case UInt8(ascii: "e"), UInt8(ascii: "E"): true
      default: false
      }
    }
    guard isDecimal, let value = Double(text), value.isFinite else { return nil }
    return value
  }
}
