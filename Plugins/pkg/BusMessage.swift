// SPDX-License-Identifier: Apache-2.0

import CDBus

/// The letters of D-Bus signatures.
enum BusType {
  static let invalid: Int32 = 0
  static let boolean = Int32(UInt8(ascii: "b"))
  static let uint32 = Int32(UInt8(ascii: "u"))
  static let uint64 = Int32(UInt8(ascii: "t"))
  static let string = Int32(UInt8(ascii: "s"))
  static let objectPath = Int32(UInt8(ascii: "o"))
  static let array = Int32(UInt8(ascii: "a"))
  static let structure = Int32(UInt8(ascii: "r"))
  static let entry = Int32(UInt8(ascii: "e"))
  static let variant = Int32(UInt8(ascii: "v"))
}

/// One argument of a method call.
enum BusValue: Equatable, Sendable {
  case bool(Bool)
  case uint32(UInt32)
  case uint64(UInt64)
  case string(String)
  case strings([String])
}

/// A D-Bus message; libdbus has checked its layout, and nothing has checked what it says.
final class BusMessage {
  enum Kind {
    case methodReturn, error, signal, other
  }

  let pointer: OpaquePointer

  /// Takes over one reference.
  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  convenience init(borrowing pointer: OpaquePointer) {
    dbus_message_ref(pointer)
    self.init(owning: pointer)
  }

  deinit { dbus_message_unref(pointer) }

  /// nil: no memory, or an argument that D-Bus does not allow, such as a text with a NUL.
  static func call(
    destination: String, path: String, interface: String, member: String, _ arguments: [BusValue] = []
  ) -> BusMessage? {
    guard let pointer = dbus_message_new_method_call(destination, path, interface, member) else { return nil }
    let message = BusMessage(owning: pointer)
    var iterator = DBusMessageIter()
    dbus_message_iter_init_append(pointer, &iterator)
    for argument in arguments {
      guard argument.append(to: &iterator) else { return nil }
    }
    return message
  }

  var kind: Kind {
    switch dbus_message_get_type(pointer) {
    case DBUS_MESSAGE_TYPE_METHOD_RETURN: .methodReturn
    case DBUS_MESSAGE_TYPE_ERROR: .error
    case DBUS_MESSAGE_TYPE_SIGNAL: .signal
    default: .other
    }
  }

  var sender: String { text(dbus_message_get_sender(pointer)) }
  var path: String { text(dbus_message_get_path(pointer)) }
  var interface: String { text(dbus_message_get_interface(pointer)) }
  var member: String { text(dbus_message_get_member(pointer)) }
  var errorName: String { text(dbus_message_get_error_name(pointer)) }
  var arguments: BusReader { BusReader(self) }

  private func text(_ bytes: UnsafePointer<CChar>?) -> String { bytes.map { String(cString: $0) } ?? "" }
}

extension BusValue {
  fileprivate func append(to iterator: inout DBusMessageIter) -> Bool {
    switch self {
    case .bool(let flag):
      var value: dbus_bool_t = flag ? 1 : 0
      return dbus_message_iter_append_basic(&iterator, BusType.boolean, &value) != 0
    case .uint32(var value): return dbus_message_iter_append_basic(&iterator, BusType.uint32, &value) != 0
    case .uint64(var value): return dbus_message_iter_append_basic(&iterator, BusType.uint64, &value) != 0
    case .string(let text): return append(text, to: &iterator)
    case .strings(let texts):
      var array = DBusMessageIter()
      guard dbus_message_iter_open_container(&iterator, BusType.array, "s", &array) != 0 else { return false }
      for text in texts where !append(text, to: &array) {
        dbus_message_iter_abandon_container(&iterator, &array)
        return false
      }
      return dbus_message_iter_close_container(&iterator, &array) != 0
    }
  }

  /// libdbus ends the process over a text it does not allow, unless it was built without checks.
  private func append(_ text: String, to iterator: inout DBusMessageIter) -> Bool {
    guard !text.utf8.contains(0) else { return false }
    return text.withCString { bytes in
      guard dbus_validate_utf8(bytes, nil) != 0 else { return false }
      var bytes: UnsafePointer<CChar>? = bytes
      return dbus_message_iter_append_basic(&iterator, BusType.string, &bytes) != 0
    }
  }
}
