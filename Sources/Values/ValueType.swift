// SPDX-License-Identifier: Apache-2.0

/// The type of a value, written in mcl's type syntax: `bool`, `str`, `int`, `float`, `[]T`, `map{K: V}`,
/// `struct{a T; b T}`, and `any` where every value fits.
public indirect enum ValueType: Sendable, Hashable {
  case bool, string, int, float
  case list(ValueType)
  case map(key: ValueType, value: ValueType)
  case structure([Field])
  case any

  public struct Field: Sendable, Hashable {
    public var name: String
    public var type: ValueType

    public init(name: String, type: ValueType) {
      self.name = name
      self.type = type
    }
  }

  /// Whether `value` is of this type, all the way down. Unset fits every type.
  public func admits(_ value: Value) -> Bool {
    switch (self, value) {
    case (_, .unset), (.any, _), (.bool, .bool), (.string, .string), (.int, .int), (.float, .float): true
    case (.list(let type), .list(let items)): items.allSatisfy(type.admits)
    case (.map(let key, let type), .map(let entries)):
      entries.allSatisfy { key.admits($0.key) && type.admits($0.value) }
    case (.structure(let fields), .structure(let values)):
      fields.count == values.count && zip(fields, values).allSatisfy { $0.name == $1.name && $0.type.admits($1.value) }
    default: false
    }
  }
}

extension ValueType {
  /// Whether values of type `other` can be of this type. `any` on either side can: the value itself shows it, by `admits`.
  public func accepts(_ other: ValueType) -> Bool {
    switch (self, other) {
    case (.any, _), (_, .any), (.bool, .bool), (.string, .string), (.int, .int), (.float, .float): true
    case (.list(let type), .list(let item)): type.accepts(item)
    case (.map(let key, let type), .map(let otherKey, let value)): key.accepts(otherKey) && type.accepts(value)
    case (.structure(let fields), .structure(let others)):
      fields.count == others.count && zip(fields, others).allSatisfy { $0.name == $1.name && $0.type.accepts($1.type) }
    default: false
    }
  }
}

extension ValueType {
  /// The value with the fields of its structs named as in the type: the plugin ABI has them by position only.
  public func naming(_ value: Value) -> Value {
    switch (self, value) {
    case (.structure(let fields), .structure(let values)) where fields.count == values.count:
      .structure(zip(fields, values).map { Value.Field(name: $0.name, value: $0.type.naming($1.value)) })
    case (.list(let type), .list(let items)): .list(items.map(type.naming))
    case (.map(let key, let type), .map(let entries)):
      .map(entries.map { Value.Entry(key: key.naming($0.key), value: type.naming($0.value)) })
    default: value
    }
  }
}

extension ValueType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .bool: "bool"
    case .string: "str"
    case .int: "int"
    case .float: "float"
    case .any: "any"
    case .list(let type): "[]\(type)"
    case .map(let key, let value): "map{\(key): \(value)}"
    case .structure(let fields): "struct{" + fields.map { "\($0.name) \($0.type)" }.joined(separator: "; ") + "}"
    }
  }
}

extension ValueType {
  /// How deep types may nest; a descriptor is foreign data.
  static let maximumDepth = 32

  /// Parses mcl's type syntax; nil when `text` is not a type.
  public init?(_ text: String) {
    var parser = TypeParser(text)
    guard let type = parser.type(depth: 0), parser.atEnd else { return nil }
    self = type
  }
}

private struct TypeParser {
  private var rest: Substring.UnicodeScalarView

  init(_ text: String) {
    rest = Substring(text).unicodeScalars
  }

  var atEnd: Bool {
    mutating get {
      skipSpace()
      return rest.isEmpty
    }
  }

  mutating func type(depth: Int) -> ValueType? {
    guard depth < ValueType.maximumDepth else { return nil }
    if take("[") {
      guard take("]"), let item = type(depth: depth + 1) else { return nil }
      return .list(item)
    }
    switch word() {
    case "bool": return .bool
    case "str": return .string
    case "int": return .int
    case "float": return .float
    case "any", "variant": return .any
    case "map":
      guard take("{"), let key = type(depth: depth + 1), take(":"), let value = type(depth: depth + 1), take("}") else {
        return nil
      }
      return .map(key: key, value: value)
    case "struct": return structure(depth: depth)
    default: return nil
    }
  }

  private mutating func structure(depth: Int) -> ValueType? {
    guard take("{") else { return nil }
    var fields: [ValueType.Field] = []
    while !take("}") {
      if !fields.isEmpty, !take(";") { return nil }
      let name = word()
      guard !name.isEmpty, !fields.contains(where: { $0.name == name }), let type = type(depth: depth + 1) else { return nil }
      fields.append(.init(name: name, type: type))
    }
    return .structure(fields)
  }

  private mutating func skipSpace() {
    while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    skipSpace()
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func word() -> String {
    skipSpace()
    var result = ""
    while let scalar = rest.first, scalar.isASCII,
      scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_"
    {
      result.unicodeScalars.append(scalar)
      rest.removeFirst()
    }
    return result
  }
}
