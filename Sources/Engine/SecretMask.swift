// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Values

/// What of one resource is secret, and how it is taken out of what is said about the resource: a program may print the password it
/// was given, and a plugin may quote it in an error.
final class SecretMask: Sendable {
  /// What is shown instead.
  static let word = "(secret)"

  /// Parameters whose changes show nothing.
  private let parameters: Set<String>
  /// What is replaced wherever it stands, by its first byte; the longest first.
  private let patterns: [UInt8: [[UInt8]]]

  /// Shorter ones would make every text unreadable, and can be guessed.
  private static let shortestValue = 4
  private static let shortestPart = 6
  /// Of a long secret, as a file, so many parts count.
  private static let maximumPatterns = 512

  /// nil: there is nothing secret.
  init?(parameters: [String], values: [Value]) {
    guard !parameters.isEmpty else { return nil }
    self.parameters = Set(parameters)
    var found: Set<[UInt8]> = []
    for value in values { Self.collect(value, into: &found) }
    // Taken out of our own word it would never end.
    found = found.filter { !Self.word.contains(String(decoding: $0, as: UTF8.self)) }
    patterns = Dictionary(grouping: found.sorted { $0.count > $1.count }) { $0.first ?? 0 }
  }

  private static func collect(_ value: Value, into found: inout Set<[UInt8]>) {
    switch value {
    case .unset, .bool: break
    case .int, .float: collect(value.description, into: &found)
    case .string(let text): collect(text, into: &found)
    case .list(let items): for item in items { collect(item, into: &found) }
    case .map(let entries):
      for entry in entries {
        collect(entry.key, into: &found)
        collect(entry.value, into: &found)
      }
    case .structure(let fields): for field in fields { collect(field.value, into: &found) }
    }
  }

  /// The whole text, its lines, and its words: of `curl -u user:password` also the last one.
  private static func collect(_ text: String, into found: inout Set<[UInt8]>) {
    func add(_ part: some Collection<UInt8>, atLeast shortest: Int) {
      if part.count >= shortest, found.count < maximumPatterns { found.insert(Array(part)) }
    }
    let bytes = Array(text.utf8)
    add(bytes, atLeast: shortestValue)
    for line in bytes.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
      add(line, atLeast: shortestValue)
      guard found.count < maximumPatterns else { return }
      for word in line.split(whereSeparator: { $0 <= 0x20 || $0 == 0x22 || $0 == 0x27 }) {
        add(word, atLeast: shortestPart)
        for part in word.split(whereSeparator: { ":=@,;&?".utf8.contains($0) }) { add(part, atLeast: shortestPart) }
      }
    }
  }

  // MARK: Masking

  /// Whether a change of this parameter shows nothing.
  func hides(_ parameter: some StringProtocol) -> Bool { parameters.contains(String(parameter)) }

  /// Whether a part of a secret stands in it.
  func isIn(_ value: Value) -> Bool { masking(value) != value }

  func masking(_ text: String) -> String {
    guard !patterns.isEmpty else { return text }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var (position, isMasked) = (0, false)
    while position < bytes.count {
      let rest = bytes[position...]
      if let pattern = patterns[bytes[position]]?.first(where: { rest.starts(with: $0) }) {
        result.append(contentsOf: Self.word.utf8)
        position += pattern.count
        isMasked = true
      } else {
        result.append(bytes[position])
        position += 1
      }
    }
    return isMasked ? String(decoding: result, as: UTF8.self) : text
  }

  func masking(_ value: Value) -> Value {
    switch value {
    case .unset, .bool: value
    case .int, .float: masking(value.description) == value.description ? value : .string(Self.word)
    case .string(let text): .string(masking(text))
    case .list(let items): .list(items.map(masking))
    case .map(let entries): .map(entries.map { .init(key: masking($0.key), value: masking($0.value)) })
    case .structure(let fields): .structure(fields.map { .init(name: $0.name, value: masking($0.value)) })
    }
  }

  func masking(_ diagnostic: Diagnostic) -> Diagnostic {
    var masked = diagnostic
    masked.title = masking(diagnostic.title)
    masked.notes = diagnostic.notes.map(masking)
    masked.hint = diagnostic.hint.map(masking)
    for index in masked.labels.indices {
      masked.labels[index].text = masking(masked.labels[index].text)
      masked.labels[index].excerpt = masked.labels[index].excerpt.map(masking)
    }
    return masked
  }

  /// `parameter`: the one it is a change of, when that can be told.
  func masking(_ change: Change, of parameter: some StringProtocol) -> Change {
    if hides(parameter) { return change.hidden }
    let masked = Change(
      path: masking(change.path), was: masking(change.was), will: masking(change.will), isSecret: change.isSecret)
    guard masked != change else { return change }
    var secret = masked
    secret.isSecret = true
    return secret
  }
}
