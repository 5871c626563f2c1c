// SPDX-License-Identifier: Apache-2.0

import CDBus
import PluginABI
import PluginKit

/// Lets the host watch the socket of a connection. libdbus asks for reading and for writing apart; the host watches a file
/// descriptor once. [reactor]
final class BusWatches {
  private let host: Host
  private let connection: OpaquePointer
  /// Runs after the socket was read or written.
  private let handled: () -> Void
  private var watches: [OpaquePointer] = []
  private var sources: [Int32: Source] = [:]
  /// false: nothing will ever be read.
  private(set) var isArmed = false

  init(host: Host, connection: OpaquePointer, handled: @escaping () -> Void) {
    self.host = host
    self.connection = connection
    self.handled = handled
    let isSet = dbus_connection_set_watch_functions(
      connection,
      { watch, user in
        guard let watch, let user else { return 0 }
        return Unmanaged<BusWatches>.fromOpaque(user).takeUnretainedValue().add(watch) ? 1 : 0
      },
      { watch, user in
        guard let watch, let user else { return }
        Unmanaged<BusWatches>.fromOpaque(user).takeUnretainedValue().remove(watch)
      },
      { watch, user in
        guard let watch, let user else { return }
        Unmanaged<BusWatches>.fromOpaque(user).takeUnretainedValue().update(dbus_watch_get_unix_fd(watch))
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
    isArmed = isSet != 0
  }

  func close() {
    dbus_connection_set_watch_functions(connection, nil, nil, nil, nil, nil)
    for source in sources.values { source.delete() }
    sources = [:]
    watches = []
  }

  private func add(_ watch: OpaquePointer) -> Bool {
    watches.append(watch)
    return update(dbus_watch_get_unix_fd(watch))
  }

  private func remove(_ watch: OpaquePointer) {
    let fd = dbus_watch_get_unix_fd(watch)
    watches.removeAll { $0 == watch }
    update(fd)
  }

  @discardableResult private func update(_ fd: Int32) -> Bool {
    let ofThis = watches.filter { dbus_watch_get_unix_fd($0) == fd }
    guard !ofThis.isEmpty else {
      sources.removeValue(forKey: fd)?.delete()
      return true
    }
    var events: UInt32 = 0
    for watch in ofThis where dbus_watch_get_enabled(watch) != 0 {
      let flags = dbus_watch_get_flags(watch)
      if flags & DBUS_WATCH_READABLE.rawValue != 0 { events |= UInt32(MGMT_FD_READ) }
      if flags & DBUS_WATCH_WRITABLE.rawValue != 0 { events |= UInt32(MGMT_FD_WRITE) }
    }
    if let source = sources[fd] {
      source.modify(events: events)
      return true
    }
    sources[fd] = try? host.addFD(fd, events: events) { [unowned self] in handle(fd, $0) }
    return sources[fd] != nil
  }

  private func handle(_ fd: Int32, _ events: UInt32) {
    var flags: UInt32 = 0
    if events & UInt32(MGMT_FD_READ) != 0 { flags |= DBUS_WATCH_READABLE.rawValue }
    if events & UInt32(MGMT_FD_WRITE) != 0 { flags |= DBUS_WATCH_WRITABLE.rawValue }
    if events & UInt32(MGMT_FD_ERROR) != 0 { flags |= DBUS_WATCH_ERROR.rawValue }
    if events & UInt32(MGMT_FD_HANGUP) != 0 { flags |= DBUS_WATCH_HANGUP.rawValue }
    // Handling one may remove the other.
    for watch in watches where watches.contains(watch) && dbus_watch_get_unix_fd(watch) == fd {
      let wanted = dbus_watch_get_flags(watch) | DBUS_WATCH_ERROR.rawValue | DBUS_WATCH_HANGUP.rawValue
      if dbus_watch_get_enabled(watch) != 0, flags & wanted != 0 { _ = dbus_watch_handle(watch, flags & wanted) }
    }
    handled()
  }
}

/// Lets the host keep the time of pending calls. [reactor]
final class BusTimeouts {
  private let host: Host
  private let connection: OpaquePointer
  private let handled: () -> Void
  private var timers: [OpaquePointer: Source] = [:]

  init(host: Host, connection: OpaquePointer, handled: @escaping () -> Void) {
    self.host = host
    self.connection = connection
    self.handled = handled
    dbus_connection_set_timeout_functions(
      connection,
      { timeout, user in
        guard let timeout, let user else { return 0 }
        return Unmanaged<BusTimeouts>.fromOpaque(user).takeUnretainedValue().update(timeout) ? 1 : 0
      },
      { timeout, user in
        guard let timeout, let user else { return }
        Unmanaged<BusTimeouts>.fromOpaque(user).takeUnretainedValue().timers.removeValue(forKey: timeout)?.delete()
      },
      { timeout, user in
        guard let timeout, let user else { return }
        Unmanaged<BusTimeouts>.fromOpaque(user).takeUnretainedValue().update(timeout)
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
  }

  func close() {
    dbus_connection_set_timeout_functions(connection, nil, nil, nil, nil, nil)
    for timer in timers.values { timer.delete() }
    timers = [:]
  }

  @discardableResult private func update(_ timeout: OpaquePointer) -> Bool {
    timers.removeValue(forKey: timeout)?.delete()
    guard dbus_timeout_get_enabled(timeout) != 0 else { return true }
    let interval = UInt64(max(1, dbus_timeout_get_interval(timeout)))
    timers[timeout] = try? host.addTimer(first: interval, every: interval) { [handled] in
      _ = dbus_timeout_handle(timeout)
      handled()
    }
    return timers[timeout] != nil
  }
}
