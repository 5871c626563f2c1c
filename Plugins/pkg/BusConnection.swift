// SPDX-License-Identifier: Apache-2.0

import CDBus
import Glibc
import PluginKit

/// One private connection to the system bus. Nothing here waits: the socket and the time-outs are the host's sources.
/// [reactor]
final class BusConnection {
  /// Every signal that arrives.
  var onSignal: ((BusMessage) -> Void)?
  /// Once, when the bus is gone; not after `close`.
  var onLost: (() -> Void)?

  private let host: Host
  private var connection: OpaquePointer?
  private var watches: BusWatches?
  private var timeouts: BusTimeouts?
  /// Goes on with messages that were left for the next turn.
  private var continuation: Source?
  /// A turn of the reactor has 5 ms; a message is read in less than one, unless it is huge. Microseconds.
  private static let turn = 2000
  /// A call is answered within this or has failed; starting a service takes its time.
  static let callTimeout: Int32 = 30_000

  /// Where the system bus listens.
  static var address: String {
    getenv("DBUS_SYSTEM_BUS_ADDRESS").map { String(cString: $0) } ?? "unix:path=/run/dbus/system_bus_socket"
  }

  /// The socket of an address, for those who wait for it; nil: it has several, or none in a directory.
  static func socketPath(of address: String) -> String? {
    let prefix = "unix:path="
    guard address.hasPrefix(prefix), !address.contains(where: { $0 == ";" || $0 == "%" }) else { return nil }
    let path = address.dropFirst(prefix.count).prefix { $0 != "," }
    return path.hasPrefix("/") ? String(path) : nil
  }

  init(host: Host) { self.host = host }

  deinit { close() }

  var isOpen: Bool { connection != nil }

  func open() throws(Failure) {
    guard connection == nil else { return }
    var error = DBusError()
    dbus_error_init(&error)
    defer { dbus_error_free(&error) }
    guard let opened = dbus_connection_open_private(Self.address, &error) else {
      throw Failure(
        "cannot reach the system bus: \(error.message.map { String(cString: $0) } ?? "no memory")",
        hint: "install and start the package `dbus`; packages are managed through PackageKit on that bus")
    }
    connection = opened
    dbus_connection_set_exit_on_disconnect(opened, 0)
    watches = BusWatches(host: host, connection: opened) { [unowned self] in dispatch() }
    timeouts = BusTimeouts(host: host, connection: opened) { [unowned self] in dispatch() }
    let user = Unmanaged.passUnretained(self).toOpaque()
    dbus_connection_set_dispatch_status_function(
      opened,
      { _, status, user in
        guard status == DBUS_DISPATCH_DATA_REMAINS, let user else { return }
        Unmanaged<BusConnection>.fromOpaque(user).takeUnretainedValue().dispatchSoon()
      }, user, nil)
    let added = dbus_connection_add_filter(
      opened,
      { _, message, user in
        guard let message, let user else { return DBUS_HANDLER_RESULT_NOT_YET_HANDLED }
        return Unmanaged<BusConnection>.fromOpaque(user).takeUnretainedValue().receive(message)
      }, user, nil)
    guard added != 0, watches?.isArmed == true else {
      close()
      throw Failure("cannot reach the system bus: no memory, or the host refuses to watch its socket")
    }
    call(
      destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "Hello"
    ) { _ in }
  }

  /// Pending calls fail.
  func close() {
    guard let closing = connection else { return }
    connection = nil
    dbus_connection_set_dispatch_status_function(closing, nil, nil, nil)
    watches?.close()
    timeouts?.close()
    continuation?.delete()
    continuation = nil
    dbus_connection_close(closing)
    dbus_connection_unref(closing)
    watches = nil
    timeouts = nil
  }

  /// Sends a call. `reply` is called later, never before this returns: with the answer, or with an error of the bus, of the other
  /// side or of the time-out. It is not called after `close`, and not if this answers false: it could not be sent.
  @discardableResult func call(
    destination: String, path: String, interface: String, member: String, _ arguments: [BusValue] = [],
    reply: @escaping (BusMessage) -> Void
  ) -> Bool {
    guard let connection,
      let message = BusMessage.call(
        destination: destination, path: path, interface: interface, member: member, arguments)
    else { return false }
    var pending: OpaquePointer?
    guard dbus_connection_send_with_reply(connection, message.pointer, &pending, Self.callTimeout) != 0, let pending else {
      return false
    }
    defer { dbus_pending_call_unref(pending) }
    let handler = Unmanaged.passRetained(ReplyHandler(reply))
    let isSet = dbus_pending_call_set_notify(
      pending,
      { pending, user in
        guard let user, let pending, let answer = dbus_pending_call_steal_reply(pending) else { return }
        Unmanaged<ReplyHandler>.fromOpaque(user).takeUnretainedValue().body(BusMessage(owning: answer))
      }, handler.toOpaque(),
      { user in
        if let user { Unmanaged<ReplyHandler>.fromOpaque(user).release() }
      })
    if isSet == 0 { handler.release() }
    return isSet != 0
  }

  /// Adds or removes a match rule; the bus does not answer.
  func match(_ rule: String, add: Bool) {
    guard let connection else { return }
    if add { dbus_bus_add_match(connection, rule, nil) } else { dbus_bus_remove_match(connection, rule, nil) }
  }

  private func receive(_ message: OpaquePointer) -> DBusHandlerResult {
    guard dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_SIGNAL else { return DBUS_HANDLER_RESULT_NOT_YET_HANDLED }
    let signal = BusMessage(borrowing: message)
    // libdbus makes this one itself; it does not come over the wire, since the bus refuses its path.
    if signal.interface == "org.freedesktop.DBus.Local", signal.path == "/org/freedesktop/DBus/Local" {
      if signal.member == "Disconnected" { isLost = true }
      return DBUS_HANDLER_RESULT_HANDLED
    }
    onSignal?(signal)
    return DBUS_HANDLER_RESULT_HANDLED
  }

  private var isLost = false

  private func dispatchSoon() {
    guard continuation == nil, connection != nil else { return }
    continuation = try? host.addTimer(first: 0) { [unowned self] in
      continuation?.delete()
      continuation = nil
      dispatch()
    }
  }

  private func dispatch() {
    let start = monotonicMicroseconds()
    // A handler may close it.
    while let connection, dbus_connection_dispatch(connection) == DBUS_DISPATCH_DATA_REMAINS {
      if monotonicMicroseconds() - start > Self.turn { break }
    }
    if isLost {
      isLost = false
      close()
      onLost?()
    } else if let connection, dbus_connection_get_dispatch_status(connection) == DBUS_DISPATCH_DATA_REMAINS {
      dispatchSoon()
    }
  }
}

private final class ReplyHandler {
  let body: (BusMessage) -> Void
  init(_ body: @escaping (BusMessage) -> Void) { self.body = body }
}
