// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// The values of a `test`, by their positions in its description.
struct TestValues: Equatable {
  private var values: [Value]

  init(_ parameters: Parameters) {
    values = TestKey.allCases.map { parameters[$0] }
  }

  subscript(key: TestKey) -> Value {
    get { values.indices.contains(key.rawValue) ? values[key.rawValue] : .unset }
    set { if values.indices.contains(key.rawValue) { values[key.rawValue] = newValue } }
  }

  func string(_ key: TestKey) -> String {
    if case .string(let text) = self[key] { text } else { "" }
  }

  func isTrue(_ key: TestKey) -> Bool { self[key] == .bool(true) }

  func int(_ key: TestKey) -> Int64 {
    if case .int(let number) = self[key] { number } else { 0 }
  }

  func strings(_ key: TestKey) -> [String] {
    guard case .list(let items) = self[key] else { return [] }
    return items.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  /// What differs from the defaults, in the order of the description.
  var set: [(name: String, value: Value)] {
    zip(testDescription.parameters, values).compactMap { parameter, value in
      value == .unset || value == parameter.defaultValue ? nil : (parameter.name, value)
    }
  }

  /// One line: `str: "a", int: 5`.
  var line: String {
    let wanted = strings(.onlyshow)
    let shown =
      wanted.isEmpty
      ? set
      : zip(testDescription.parameters, values).compactMap { wanted.contains($0.name) ? ($0.name, $1) : nil }
    return shown.isEmpty ? "nothing is set" : shown.map { "\($0.name): \(text(of: $0.value))" }.joined(separator: ", ")
  }
}

/// As the language writes it, but for the names of a struct's fields, which are not known here.
private func text(of value: Value) -> String {
  switch value {
  case .unset: "undefined"
  case .bool(let flag): "\(flag)"
  case .int(let number): "\(number)"
  case .float(let number): "\(number)"
  case .string(let text): "\"\(escaped(text))\""
  case .list(let items): "[" + items.map(text).joined(separator: ", ") + "]"
  case .map(let entries): "{" + entries.map { "\(text(of: $0.key)) => \(text(of: $0.value))" }.joined(separator: ", ") + "}"
  case .structure(let fields): "struct{" + fields.map(text).joined(separator: ", ") + "}"
  }
}

/// On one line.
private func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\\", "\"": result += "\\\(scalar)"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
