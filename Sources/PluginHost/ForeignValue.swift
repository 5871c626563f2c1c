// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Values

/// A value of a plugin that is none.
struct StrangeValue: Error, Equatable {
  /// What is wrong with it: "a value of the unknown type 99".
  var words: String
}

/// What becomes of a value a plugin gives.
enum ForeignValueUse {
  /// People see it: long texts are cut, and what the plugin marked as secret is masked.
  case shown(masksSecrets: Bool)
  /// Others receive it.
  case sent
  /// It is used to put things back: nothing of it may be another.
  case kept

  fileprivate var longestText: Int {
    switch self {
    case .shown: 1 << 20
    case .sent, .kept: 64 << 20
    }
  }
}

extension Value {
  fileprivate static let maximumDepth = 32
  fileprivate static let maximumItems = 1 << 20

  /// Copies a value a plugin gave. Texts that are not UTF-8 become so where that may be.
  init(foreign value: mgmt_value, for use: ForeignValueUse, depth: Int = 0) throws(StrangeValue) {
    if case .shown(masksSecrets: true) = use, value.isSecret, Int(value.type) != MGMT_UNSET {
      self = .string("(secret)")
      return
    }
    switch Int(value.type) {
    case MGMT_UNSET: self = .unset
    case MGMT_BOOL: self = .bool(value.u.i != 0)
    case MGMT_INT: self = .int(value.u.i)
    case MGMT_FLOAT: self = .float(value.u.f)
    case MGMT_STRING: self = .string(try Self.text(value.u.s, use))
    case MGMT_LIST: self = .list(try Self.items(value.u.v, use, depth))
    case MGMT_STRUCT:
      self = .structure(
        try Self.items(value.u.v, use, depth).enumerated().map { Field(name: String($0.offset), value: $0.element) })
    case MGMT_MAP:
      let items = try Self.items(value.u.v, use, depth)
      guard items.count.isMultiple(of: 2) else { throw StrangeValue(words: "a map with a key that has no value") }
      self = .map(stride(from: 0, to: items.count, by: 2).map { Entry(key: items[$0], value: items[$0 + 1]) })
    default: throw StrangeValue(words: "a value of the unknown type \(value.type)")
    }
  }

  private static func items(_ values: mgmt_values, _ use: ForeignValueUse, _ depth: Int) throws(StrangeValue) -> [Value] {
    guard depth < maximumDepth else { throw StrangeValue(words: "a value nested deeper than \(maximumDepth) levels") }
    guard values.count <= maximumItems else { throw StrangeValue(words: "a value with more than \(maximumItems) parts") }
    guard let start = values.at else {
      if values.count == 0 { return [] }
      throw StrangeValue(words: "a value with \(values.count) parts at no address")
    }
    var items: [Value] = []
    for item in UnsafeBufferPointer(start: start, count: values.count) {
      items.append(try Value(foreign: item, for: use, depth: depth + 1))
    }
    return items
  }

  private static func text(_ text: mgmt_str, _ use: ForeignValueUse) throws(StrangeValue) -> String {
    guard let start = text.ptr else {
      if text.len == 0 { return "" }
      throw StrangeValue(words: "a text of \(text.len) bytes at no address")
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: min(text.len, use.longestText))
    if case .shown = use { return String(decoding: bytes, as: UTF8.self) }
    guard text.len <= use.longestText else { throw StrangeValue(words: "a text of more than \(use.longestText >> 20) MiB") }
    guard case .kept = use else { return String(decoding: bytes, as: UTF8.self) }
    guard let copy = String(validating: bytes, as: UTF8.self) else { throw StrangeValue(words: "a text that is not UTF-8") }
    return copy
  }
}

extension mgmt_value {
  fileprivate var isSecret: Bool { flags & UInt32(MGMT_VALUE_SECRET) != 0 }

  private var items: UnsafeBufferPointer<mgmt_value> {
    let isContainer = [MGMT_LIST, MGMT_MAP, MGMT_STRUCT].contains(Int(type))
    guard isContainer, u.v.at != nil, u.v.count <= Value.maximumItems else { return .init(start: nil, count: 0) }
    return .init(start: u.v.at, count: u.v.count)
  }

  /// It, or something in it, is marked as secret.
  func holdsSecret(depth: Int = 0) -> Bool {
    isSecret || (depth < Value.maximumDepth && items.contains { $0.holdsSecret(depth: depth + 1) })
  }

  /// Of a struct that is sent, the fields that hold secrets.
  var secretFields: Set<Int> {
    Set(items.enumerated().filter { isSecret || $0.element.holdsSecret(depth: 1) }.map(\.offset))
  }
}
