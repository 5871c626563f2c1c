// SPDX-License-Identifier: Apache-2.0

import CSystemd

/// A call of a method, as a value.
struct MethodCall: Equatable, Sendable {
  enum Argument: Equatable, Sendable {
    case string(String)
    case strings([String])
    case bool(Bool)
  }

  static let systemd = "org.freedesktop.systemd1"
  static let managerPath = "/org/freedesktop/systemd1"

  var path: String
  var interface: String
  var member: String
  var arguments: [Argument] = []

  static func manager(_ member: String, _ arguments: Argument...) -> MethodCall {
    MethodCall(path: managerPath, interface: "org.freedesktop.systemd1.Manager", member: member, arguments: arguments)
  }

  /// The property of an object.
  static func property(_ name: String, of interface: String, at path: String) -> MethodCall {
    MethodCall(
      path: path, interface: "org.freedesktop.DBus.Properties", member: "Get", arguments: [.string(interface), .string(name)])
  }
}

extension MethodCall.Argument {
  /// Appends it to a message; negative: an error.
  func append(to message: OpaquePointer) -> Int32 {
    switch self {
    case .string(let text): return text.withCString { sd_bus_message_append_basic(message, CChar(UInt8(ascii: "s")), $0) }
    case .bool(let flag):
      var number: Int32 = flag ? 1 : 0
      return sd_bus_message_append_basic(message, CChar(UInt8(ascii: "b")), &number)
    case .strings(let texts):
      var result = sd_bus_message_open_container(message, CChar(UInt8(ascii: "a")), "s")
      for text in texts where result >= 0 { result = Self.string(text).append(to: message) }
      return result < 0 ? result : sd_bus_message_close_container(message)
    }
  }
}

/// Reads a message from its beginning; valid while its handler runs. What is not of the expected type is nil and ends the reading.
struct MessageReader {
  let message: OpaquePointer

  var path: String { sd_bus_message_get_path(message).map { String(cString: $0) } ?? "" }
  var member: String { sd_bus_message_get_member(message).map { String(cString: $0) } ?? "" }
  /// Its address on the bus, which the bus vouches for.
  var sender: String? { sd_bus_message_get_sender(message).map { String(cString: $0) } }

  private func text(_ type: Character) -> String? {
    var text: UnsafePointer<CChar>?
    guard let code = type.asciiValue, sd_bus_message_read_basic(message, CChar(code), &text) > 0, let text else { return nil }
    return String(cString: text)
  }

  func string() -> String? { text("s") }
  func objectPath() -> String? { text("o") }

  func uint32() -> UInt32? {
    var number: UInt32 = 0
    return sd_bus_message_read_basic(message, CChar(UInt8(ascii: "u")), &number) > 0 ? number : nil
  }

  func uint64() -> UInt64? {
    var number: UInt64 = 0
    return sd_bus_message_read_basic(message, CChar(UInt8(ascii: "t")), &number) > 0 ? number : nil
  }

  func int32() -> Int32? {
    var number: Int32 = 0
    return sd_bus_message_read_basic(message, CChar(UInt8(ascii: "i")), &number) > 0 ? number : nil
  }

  func bool() -> Bool? {
    var number: Int32 = 0
    return sd_bus_message_read_basic(message, CChar(UInt8(ascii: "b")), &number) > 0 ? number != 0 : nil
  }

  func skip(_ types: String) -> Bool { sd_bus_message_skip(message, types) >= 0 }

  /// The inside of a container; nil: there is none (at the end of an array), or it is of another type.
  private func inside<Result>(_ type: Character, _ contents: String, _ body: () -> Result?) -> Result? {
    guard let code = type.asciiValue, sd_bus_message_enter_container(message, CChar(code), contents) > 0 else { return nil }
    let result = body()
    guard result != nil, sd_bus_message_exit_container(message) >= 0 else { return nil }
    return result
  }

  func variant<Result>(_ type: String, _ body: () -> Result?) -> Result? { inside("v", type, body) }

  func structure<Result>(_ fields: String, _ body: () -> Result?) -> Result? { inside("r", fields, body) }

  /// All items of an array of structures.
  func structures<Item>(_ fields: String, _ body: () -> Item?) -> [Item]? {
    inside("a", "(\(fields))") {
      var items: [Item] = []
      while let item = inside("r", fields, body) { items.append(item) }
      return sd_bus_message_at_end(message, 0) > 0 ? items : nil
    }
  }

  /// The strings among the properties of an `a{sv}` that are asked for.
  func properties(_ names: [String]) -> [String: String]? {
    inside("a", "{sv}") {
      var found: [String: String] = [:]
      while sd_bus_message_at_end(message, 0) == 0 {
        let isRead: Void? = inside("e", "sv") {
          guard let name = string() else { return nil }
          guard names.contains(name) else { return skip("v") ? () : nil }
          guard let value = variant("s", string) else { return nil }
          found[name] = value
          return ()
        }
        guard isRead != nil else { return nil }
      }
      return found
    }
  }
}
