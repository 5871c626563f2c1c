// SPDX-License-Identifier: Apache-2.0

/// Writes JSON text, compact and in the order it is told: `writer.object { $0.member("name", "f1") }`.
///
/// The caller keeps to JSON's grammar: inside `object` members, inside `array` values. People read JSON on terminals too: what steers
/// them or cannot be seen (`Visible`) is escaped.
public struct JSONWriter: Sendable {
  /// UTF-8, as far as written.
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  public init() {}

  /// As far as written.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  // MARK: Containers

  public mutating func object(_ members: (inout JSONWriter) -> Void) {
    open(UInt8(ascii: "{"))
    members(&self)
    close(UInt8(ascii: "}"))
  }

  public mutating func array(_ values: (inout JSONWriter) -> Void) {
    open(UInt8(ascii: "["))
    values(&self)
    close(UInt8(ascii: "]"))
  }

  /// Ends a line; what follows is a new text, as in JSON lines.
  public mutating func newline() {
    bytes.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  /// Forgets what was written and keeps the storage.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  // MARK: Values

  public mutating func null() { scalar("null") }

  public mutating func value(_ value: Bool) { scalar(value ? "true" : "false") }

  public mutating func value(_ value: some BinaryInteger) { scalar(String(value)) }

  /// Infinities and not-a-number, which JSON does not have, become `null`.
  public mutating func value(_ value: Double) { scalar(value.isFinite ? value.description : "null") }

  public mutating func value(_ text: String) {
    comma()
    quote(text)
    needsComma = true
  }

  // MARK: Members of an object

  /// The name of a member; exactly one value or container follows.
  public mutating func key(_ name: String) {
    comma()
    quote(name)
    bytes.append(UInt8(ascii: ":"))
  }

  public mutating func member(_ name: String, _ value: Bool) {
    key(name)
    self.value(value)
  }

  public mutating func member(_ name: String, _ value: some BinaryInteger) {
    key(name)
    self.value(value)
  }

  public mutating func member(_ name: String, _ value: Double) {
    key(name)
    self.value(value)
  }

  public mutating func member(_ name: String, _ text: String) {
    key(name)
    value(text)
  }

  public mutating func object(_ name: String, _ members: (inout JSONWriter) -> Void) {
    key(name)
    object(members)
  }

  public mutating func array(_ name: String, _ values: (inout JSONWriter) -> Void) {
    key(name)
    array(values)
  }

  // MARK: Bytes

  private mutating func open(_ bracket: UInt8) {
    comma()
    bytes.append(bracket)
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func comma() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = false
  }

  private mutating func scalar(_ text: String) {
    comma()
    bytes.append(contentsOf: text.utf8)
    needsComma = true
  }

  private mutating func quote(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      bytes.append(contentsOf: text.utf8)
    } else {
      for scalar in text.unicodeScalars { write(scalar) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func write(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\"", "\\":
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(UInt8(truncatingIfNeeded: scalar.value))
    case "\n": bytes.append(contentsOf: "\\n".utf8)
    case "\r": bytes.append(contentsOf: "\\r".utf8)
    case "\t": bytes.append(contentsOf: "\\t".utf8)
    case _ where Visible.isHidden(scalar): for unit in UTF16.encode(scalar) ?? .init() { escape(unit) }
    default: bytes.append(contentsOf: UTF8.encode(scalar) ?? .init())
    }
  }

  private mutating func escape(_ unit: UInt16) {
    bytes.append(contentsOf: "\\u".utf8)
    for shift in [12, 8, 4, 0] as [UInt16] {
      let digit = UInt8(truncatingIfNeeded: unit >> shift & 15)
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }
}

extension JSONWriter {
  /// Unset is `null`; maps and structs are objects, keys that are not strings written as mcl writes them.
  public mutating func value(_ value: Value) {
    switch value {
    case .unset: null()
    case .bool(let flag): self.value(flag)
    case .int(let number): self.value(number)
    case .float(let number): self.value(number)
    case .string(let text): self.value(text)
    case .list(let items): array { json in for item in items { json.value(item) } }
    case .map(let entries):
      object { json in for entry in entries { json.member(entry.key.stringValue ?? entry.key.description, entry.value) } }
    case .structure(let fields): object { json in for field in fields { json.member(field.name, field.value) } }
    }
  }

  public mutating func member(_ name: String, _ value: Value) {
    key(name)
    self.value(value)
  }
}
