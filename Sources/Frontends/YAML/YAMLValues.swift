// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Values

extension YAMLDecoding {
  /// The node as a value of `type`; `.unset` for null; nil after a report. `what` names the place in messages.
  func value(_ id: YAMLNodeID, _ type: ValueType, _ what: @autoclosure () -> String) throws(MgmtError) -> Value? {
    let node = node(id)
    if isNull(id) { return .unset }
    switch (type, node.kind) {
    case (.string, .scalar):
      if isStringTag(node.tag) { return .string(text(id)) }
    case (.bool, .scalar):
      if isBare(node, .bool), let value = YAMLScalar.bool(text(id)) { return .bool(value) }
    case (.int, .scalar):
      if isBare(node, .int) { return try int(id, what()) }
    case (.float, .scalar):
      if isBare(node, .float) || node.tag == .int, let value = YAMLScalar.float(text(id)) { return .float(value) }
    case (.list(let item), .sequence): return try list(id, item, what())
    case (.map(let keyType, let valueType), .mapping): return try map(id, keyType, valueType, what())
    case (.structure(let fields), .mapping): return try structure(id, fields, what())
    case (.any, .scalar): return anyScalar(id)
    case (.any, .sequence): return try list(id, .any, what())
    case (.any, .mapping): return try map(id, .string, .any, what())
    default: break
    }
    try reportType(id, type, what())
    return nil
  }

  /// A text that must be a string: nil for null and after a report.
  func string(_ id: YAMLNodeID, _ what: String) throws(MgmtError) -> String? {
    try value(id, .string, quoted(what))?.stringValue
  }

  func bool(_ id: YAMLNodeID, _ what: String) throws(MgmtError) -> Bool? {
    guard case .bool(let value)? = try value(id, .bool, quoted(what)) else { return nil }
    return value
  }

  func isNull(_ id: YAMLNodeID) -> Bool {
    let node = node(id)
    guard node.kind == .scalar, node.tag == .null || (node.isPlain && node.textCount <= 4) else { return false }
    return isNullText(text(id), tag: node.tag, isPlain: node.isPlain)
  }

  func isNullText(_ text: String, tag: YAMLTag, isPlain: Bool) -> Bool {
    switch tag {
    case .null: true
    case .none: isPlain && YAMLScalar.isNull(text)
    default: false
    }
  }

  // MARK: Scalars

  private func isStringTag(_ tag: YAMLTag) -> Bool { tag == .none || tag == .nonSpecific || tag == .string }

  /// Whether a scalar may be resolved to something else than a string: unquoted, or tagged as what is wanted.
  private func isBare(_ node: YAMLNode, _ tag: YAMLTag) -> Bool {
    node.tag == tag || (node.tag == .none && node.isPlain)
  }

  private func int(_ id: YAMLNodeID, _ what: String) throws(MgmtError) -> Value? {
    switch YAMLScalar.int(text(id)) {
    case .value(let value): return .int(value)
    case .notAnInt: try reportType(id, .int, what)
    case .outOfRange:
      try report(
        Diagnostic(
          "yaml.range", "the number for \(what) is too large", labels: [.init(span(id))],
          hint: "an int is between \(Int64.min) and \(Int64.max)"))
    case .ambiguous:
      try report(
        Diagnostic(
          "yaml.octal", "the number for \(what) begins with 0", labels: [.init(span(id))],
          notes: ["Versions of YAML disagree on whether that is octal."], hint: "write 0o… for octal, or leave the 0 out"))
    }
    return nil
  }

  private func anyScalar(_ id: YAMLNodeID) -> Value {
    let node = node(id)
    let text = text(id)
    guard node.isPlain, node.tag == .none else { return .string(text) }
    switch text {
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    if case .value(let value) = YAMLScalar.int(text) { return .int(value) }
    if let first = text.utf8.first, first < UInt8(ascii: "A"), let value = YAMLScalar.float(text) { return .float(value) }
    return .string(text)
  }

  // MARK: Containers

  private func list(_ id: YAMLNodeID, _ type: ValueType, _ what: String) throws(MgmtError) -> Value? {
    var items: [Value] = []
    var isWhole = true
    for child in children(id) {
      guard let item = try element(child, type, "an item of \(what)") else {
        isWhole = false
        continue
      }
      items.append(item)
    }
    return isWhole ? .list(items) : nil
  }

  /// Unset is for parameters; inside of a value there is no such thing.
  private func element(_ id: YAMLNodeID, _ type: ValueType, _ what: String) throws(MgmtError) -> Value? {
    guard let value = try value(id, type, what) else { return nil }
    guard value.isUnset else { return value }
    try reportType(id, type, what)
    return nil
  }

  private func map(
    _ id: YAMLNodeID, _ keyType: ValueType, _ valueType: ValueType, _ what: String
  ) throws(MgmtError) -> Value? {
    var entries: [Value.Entry] = []
    var places: [Value: YAMLNodeID] = [:]
    var isWhole = true
    for member in try members(of: id) {
      guard let key = try element(member.keyNode, keyType, "a key of \(what)"),
        let value = try element(member.value, valueType, "\(quoted(member.key)) in \(what)")
      else {
        isWhole = false
        continue
      }
      // Different texts may be equal values, as 16 and 0x10.
      if let first = places.updateValue(member.keyNode, forKey: key) {
        try reportDuplicateKey(member.key, span(first), span(member.keyNode))
        isWhole = false
        continue
      }
      entries.append(.init(key: key, value: value))
    }
    return isWhole ? .map(entries) : nil
  }

  private func structure(_ id: YAMLNodeID, _ fields: [ValueType.Field], _ what: String) throws(MgmtError) -> Value? {
    guard let found = try mapping(id, what, keys: fields.map(\.name)) else { return nil }
    var values: [Value.Field] = []
    var isWhole = true
    for field in fields {
      guard let node = found[field.name] else {
        isWhole = false
        try report(
          Diagnostic("yaml.missing", "the field \(quoted(field.name)) of \(what) is missing", labels: [.init(headSpan(id))]))
        continue
      }
      guard let value = try element(node, field.type, "\(quoted(field.name)) in \(what)") else {
        isWhole = false
        continue
      }
      values.append(.init(name: field.name, value: value))
    }
    return isWhole ? .structure(values) : nil
  }

  /// The members of a mapping with known keys, by key; nil after a report that it is none. Other keys are reported.
  func mapping(_ id: YAMLNodeID, _ what: String, keys: [String]) throws(MgmtError) -> Fields? {
    guard node(id).kind == .mapping else {
      try report(
        Diagnostic(
          "yaml.type", "expected a map for \(what), found \(describe(id))", labels: [.init(headSpan(id))],
          hint: "its keys are " + keys.joined(separator: ", ")))
      return nil
    }
    let result = Fields(members: try members(of: id))
    for member in result.members where !keys.contains(member.key) {
      try report(
        Diagnostic(
          "yaml.key.unknown", "unknown key \(quoted(member.key)) in \(what)", labels: [.init(span(member.keyNode))],
          hint: Suggestion.hint(for: member.key, in: keys)))
    }
    return result
  }

  // MARK: Words

  func reportType(_ id: YAMLNodeID, _ type: ValueType, _ what: String) throws(MgmtError) {
    var diagnostic = Diagnostic(
      "yaml.type", "wrong type for \(what): expected \(type), found \(describe(id))", labels: [.init(headSpan(id))])
    let node = node(id)
    switch (type, node.kind) {
    case (.list, .scalar) where !isNull(id): diagnostic.hint = "write it as a list, as `[…]` or with a line `- …` for each item"
    case (.bool, .scalar): diagnostic.hint = "write true or false, without quotes"
    case (.int, .scalar) where !node.isPlain, (.float, .scalar) where !node.isPlain: diagnostic.hint = "leave the quotes out"
    case (.float, .scalar): diagnostic.hint = "as 1.5, 2e3 or .inf"
    case (.int, .scalar): diagnostic.hint = "as 42, 0x2a or 0o52"
    default: break
    }
    try report(diagnostic)
  }

  func describe(_ id: YAMLNodeID) -> String {
    let node = node(id)
    switch node.kind {
    case .sequence: return "a list"
    case .mapping: return "a map"
    case .scalar:
      if isNull(id) { return "nothing" }
      switch node.tag {
      case .bool: return "a bool"
      case .int: return "an int"
      case .float: return "a float"
      default: break
      }
      switch anyScalar(id) {
      case .bool: return "a bool"
      case .int: return "an int"
      case .float: return "a float"
      default: return "a string"
      }
    }
  }

  /// The span of a scalar, the beginning of a container.
  func headSpan(_ id: YAMLNodeID) -> SourceSpan {
    let node = node(id)
    return reader.span(node.start, node.kind == .scalar ? node.end : node.start)
  }
}
