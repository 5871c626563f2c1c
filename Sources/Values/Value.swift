// SPDX-License-Identifier: Apache-2.0

/// A value of a parameter, or a value sent from one resource to another. The types are those of the mcl language.
public enum Value: Sendable, Hashable {
  /// Not given: distinct from the zero value of a type.
  case unset
  case bool(Bool)
  case int(Int64)
  case float(Double)
  case string(String)
  case list([Value])
  /// In the order it was written, which makes no difference: maps with the same content are equal. Keys are unique.
  case map([Entry])
  /// Fields in the order of the struct's type.
  case structure([Field])

  public struct Entry: Sendable, Hashable {
    public var key: Value
    public var value: Value

    public init(key: Value, value: Value) {
      self.key = key
      self.value = value
    }
  }

  public struct Field: Sendable, Hashable {
    public var name: String
    public var value: Value

    public init(name: String, value: Value) {
      self.name = name
      self.value = value
    }
  }

  public var isUnset: Bool {
    if case .unset = self { return true }
    return false
  }

  public var stringValue: String? {
    if case .string(let text) = self { return text }
    return nil
  }
}

extension Value: CustomStringConvertible {
  /// As mcl writes it: `"text"`, `42`, `["a", "b",]`, `{"k" => 1,}`, `struct{a => 1,}`. Unset is `undefined`.
  public var description: String {
    switch self {
    case .unset: "undefined"
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .float(let value): String(value)
    case .string(let text): Self.quote(text)
    case .list(let items): "[" + items.map { $0.description + "," }.joined(separator: " ") + "]"
    case .map(let entries): "{" + entries.map { "\($0.key) => \($0.value)," }.joined(separator: " ") + "}"
    case .structure(let fields): "struct{" + fields.map { "\($0.name) => \($0.value)," }.joined(separator: " ") + "}"
    }
  }

  /// A string literal: quotes, backslashes and what cannot be seen (`Visible`) escaped.
  public static func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where Visible.isHidden(scalar):
        let hex = String(scalar.value, radix: 16)
        result += scalar.isASCII ? "\\x" + (hex.count < 2 ? "0" : "") + hex : "\\u{\(hex)}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
