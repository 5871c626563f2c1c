// SPDX-License-Identifier: Apache-2.0

import CDBus

/// Takes the arguments of a message one after the other. An argument of another type than expected is nil, and so are all after
/// it; no message makes it read more than `limit` items of an array.
struct BusReader {
  /// Longer arrays are cut: no answer of a package manager is that long.
  static let limit = 200_000

  private let message: BusMessage
  private var iterator = DBusMessageIter()
  private var isAtEnd: Bool

  init(_ message: BusMessage) {
    self.message = message
    isAtEnd = dbus_message_iter_init(message.pointer, &iterator) == 0
  }

  private init(in parent: inout BusReader) {
    message = parent.message
    isAtEnd = false
    dbus_message_iter_recurse(&parent.iterator, &iterator)
  }

  /// `BusType.invalid` at the end.
  private mutating func type() -> Int32 { isAtEnd ? BusType.invalid : dbus_message_iter_get_arg_type(&iterator) }

  private mutating func expect(_ type: Int32) -> Bool {
    if self.type() == type { return true }
    isAtEnd = true
    return false
  }

  mutating func skip() {
    if !isAtEnd { isAtEnd = dbus_message_iter_next(&iterator) == 0 }
  }

  mutating func uint32() -> UInt32? {
    guard expect(BusType.uint32) else { return nil }
    var value: UInt32 = 0
    dbus_message_iter_get_basic(&iterator, &value)
    skip()
    return value
  }

  mutating func uint64() -> UInt64? {
    guard expect(BusType.uint64) else { return nil }
    var value: UInt64 = 0
    dbus_message_iter_get_basic(&iterator, &value)
    skip()
    return value
  }

  mutating func string() -> String? { text(BusType.string) }
  mutating func objectPath() -> String? { text(BusType.objectPath) }

  private mutating func text(_ type: Int32) -> String? {
    guard expect(type) else { return nil }
    var bytes: UnsafePointer<CChar>?
    dbus_message_iter_get_basic(&iterator, &bytes)
    skip()
    return bytes.map { String(cString: $0) }
  }

  /// The items `item` makes something of. nil: not an array.
  mutating func array<Item>(_ item: (inout BusReader) -> Item?) -> [Item]? {
    guard expect(BusType.array) else { return nil }
    var inner = BusReader(in: &self)
    skip()
    var items: [Item] = []
    for _ in 0..<Self.limit {
      guard inner.type() != BusType.invalid, let next = item(&inner) else { break }
      items.append(next)
    }
    return items
  }

  mutating func strings() -> [String]? { array { $0.string() } }

  /// nil: not a structure.
  mutating func structure<Item>(_ body: (inout BusReader) -> Item?) -> Item? { inside(BusType.structure, body) }
  mutating func entry<Item>(_ body: (inout BusReader) -> Item?) -> Item? { inside(BusType.entry, body) }
  mutating func variant<Item>(_ body: (inout BusReader) -> Item?) -> Item? { inside(BusType.variant, body) }

  private mutating func inside<Item>(_ type: Int32, _ body: (inout BusReader) -> Item?) -> Item? {
    guard expect(type) else { return nil }
    var inner = BusReader(in: &self)
    skip()
    return body(&inner)
  }
}
