// SPDX-License-Identifier: Apache-2.0

import CDBus

@testable import PkgPlugin

/// What a message may hold.
indirect enum Argument {
  case u(UInt32)
  case t(UInt64)
  case s(String)
  case array(String, [Argument])
  case structure([Argument])
  case entry([Argument])
  case variant(String, Argument)
}

/// A signal of a transaction, as it comes over the bus.
func signal(_ member: String, _ arguments: [Argument]) -> BusMessage {
  let pointer = dbus_message_new_signal("/1_a", "org.freedesktop.PackageKit.Transaction", member)
  var iterator = DBusMessageIter()
  dbus_message_iter_init_append(pointer, &iterator)
  for argument in arguments { append(argument, &iterator) }
  return BusMessage(owning: pointer!)
}

private func append(_ argument: Argument, _ iterator: inout DBusMessageIter) {
  switch argument {
  case .u(var value): dbus_message_iter_append_basic(&iterator, BusType.uint32, &value)
  case .t(var value): dbus_message_iter_append_basic(&iterator, BusType.uint64, &value)
  case .s(let text):
    text.withCString { bytes in
      var bytes: UnsafePointer<CChar>? = bytes
      dbus_message_iter_append_basic(&iterator, BusType.string, &bytes)
    }
  case .array(let type, let items): append(items, in: BusType.array, type, &iterator)
  case .structure(let items): append(items, in: BusType.structure, nil, &iterator)
  case .entry(let items): append(items, in: BusType.entry, nil, &iterator)
  case .variant(let type, let item): append([item], in: BusType.variant, type, &iterator)
  }
}

private func append(_ items: [Argument], in container: Int32, _ type: String?, _ iterator: inout DBusMessageIter) {
  var inner = DBusMessageIter()
  dbus_message_iter_open_container(&iterator, container, type, &inner)
  for item in items { append(item, &inner) }
  dbus_message_iter_close_container(&iterator, &inner)
}

/// A listed package.
func listed(_ info: UInt32, _ id: String) -> ListedPackage {
  ListedPackage(info: info, id: PackageID(id) ?? PackageID(name: "?", version: "", architecture: ""))
}
