// SPDX-License-Identifier: Apache-2.0

// libFuzzer: the decoder of PackageKit's signals, which any process on the system bus can try to send. Inputs that begin with "l" or
// "B" are whole messages; others are arguments for one of the signals. No message may make it read out of bounds or keep more than
// its limits. `scripts/fuzz` builds it.

import CDBus

private let members = [
  "Package", "Packages", "Files", "ItemProgress", "ErrorCode", "Finished", "Destroy", "PropertiesChanged", "Details", "Other",
]

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPackageKit(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var bytes = UnsafeBufferPointer(start: start, count: count)[...]
  guard let first = bytes.first else { return 0 }
  if first == UInt8(ascii: "l") || first == UInt8(ascii: "B") {
    let whole = bytes.withMemoryRebound(to: CChar.self) { dbus_message_demarshal($0.baseAddress, Int32(count), nil) }
    if let whole { decode(BusMessage(owning: whole)) }
    return 0
  }
  bytes = bytes.dropFirst()
  let member = members[Int(first) % members.count]
  guard let pointer = dbus_message_new_signal("/1_a", "org.freedesktop.PackageKit.Transaction", member) else { return 0 }
  let message = BusMessage(owning: pointer)
  var iterator = DBusMessageIter()
  dbus_message_iter_init_append(pointer, &iterator)
  // A signature has at most 255 letters.
  for _ in 0..<16 where !bytes.isEmpty && !append(&bytes, &iterator) { break }
  decode(message)
  return 0
}

private func decode(_ message: BusMessage) {
  var record = TransactionRecord()
  for _ in 0..<2 { _ = record.take(PackageKitSignal(message)) }
  precondition(record.packages.count <= TransactionRecord.limit, "more was kept than may be")
  precondition(record.sizes.count <= TransactionRecord.limit, "more was kept than may be")
  let files = record.files.reduce(record.files.count) { $0 + $1.paths.count }
  precondition(files <= TransactionRecord.limit, "more was kept than may be")
  for list in record.files { precondition(list.paths.count <= BusReader.limit, "a longer list was read than may be") }
  for package in record.packages { precondition(PackageID(package.id.text) == package.id, "an id does not survive its text") }
}

/// One argument: its type is the next byte.
private func append(_ bytes: inout Slice<UnsafeBufferPointer<UInt8>>, _ iterator: inout DBusMessageIter) -> Bool {
  guard let type = bytes.popFirst() else { return false }
  switch type % 7 {
  case 0:
    var value = UInt32(bytes.popFirst() ?? 0) << 14 | UInt32(bytes.popFirst() ?? 0)
    return dbus_message_iter_append_basic(&iterator, BusType.uint32, &value) != 0
  case 1, 2: return appendText(&bytes, &iterator)
  case 3:
    return append(to: &iterator, BusType.array, "s") { inner in
      for _ in 0..<(bytes.popFirst() ?? 0) % 16 where !appendText(&bytes, &inner) { return }
    }
  case 4:
    return append(to: &iterator, BusType.array, "(uss)") { inner in
      for _ in 0..<(bytes.popFirst() ?? 0) % 8 {
        _ = append(to: &inner, BusType.structure, nil) { fields in
          var info = UInt32(bytes.popFirst() ?? 0)
          dbus_message_iter_append_basic(&fields, BusType.uint32, &info)
          _ = appendText(&bytes, &fields)
          _ = appendText(&bytes, &fields)
        }
      }
    }
  case 5:
    return append(to: &iterator, BusType.array, "{sv}") { inner in
      for _ in 0..<(bytes.popFirst() ?? 0) % 8 {
        _ = append(to: &inner, BusType.entry, nil) { entry in
          _ = appendText(&bytes, &entry)
          let kind = bytes.popFirst() ?? 0
          _ = append(to: &entry, BusType.variant, ["u", "t", "s"][Int(kind % 3)]) { variant in
            if kind % 3 == 2 {
              _ = appendText(&bytes, &variant)
              return
            }
            var value = UInt64(bytes.popFirst() ?? 0)
            dbus_message_iter_append_basic(&variant, kind % 3 == 0 ? BusType.uint32 : BusType.uint64, &value)
          }
        }
      }
    }
  default:
    return append(to: &iterator, BusType.variant, "s") { _ = appendText(&bytes, &$0) }
  }
}

private func append(
  to iterator: inout DBusMessageIter, _ container: Int32, _ signature: String?, _ body: (inout DBusMessageIter) -> Void
) -> Bool {
  var inner = DBusMessageIter()
  guard dbus_message_iter_open_container(&iterator, container, signature, &inner) != 0 else { return false }
  body(&inner)
  return dbus_message_iter_close_container(&iterator, &inner) != 0
}

/// libdbus takes no bytes that are not text: they are made letters, and often separators of ids.
private func appendText(_ bytes: inout Slice<UnsafeBufferPointer<UInt8>>, _ iterator: inout DBusMessageIter) -> Bool {
  let count = Int(bytes.popFirst() ?? 0) % 32
  let letters = bytes.prefix(count).map { $0 % 5 == 0 ? UInt8(ascii: ";") : 0x20 + $0 % 0x5f }
  bytes = bytes.dropFirst(count)
  let text =
    switch letters.first {
    case UInt8(ascii: "P"): "Percentage"
    case UInt8(ascii: "I"): "package-id"
    case UInt8(ascii: "S"): "size"
    default: String(decoding: letters, as: UTF8.self)
    }
  return text.withCString { text in
    var text: UnsafePointer<CChar>? = text
    return dbus_message_iter_append_basic(&iterator, BusType.string, &text) != 0
  }
}
