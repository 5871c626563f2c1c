// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI

/// A host made of a table of functions: tests drive plugins through the same C ABI as the agent does. One for the whole
/// process, as in the agent; used by one test at a time.
final class FakeHost {
  nonisolated(unsafe) static let shared = FakeHost()

  struct FD {
    var fd: Int32
    var events: UInt32
    var call: mgmt_fd_fn
    var user: UnsafeMutableRawPointer?
  }

  struct Timer {
    var first: UInt64
    var every: UInt64
    var call: mgmt_timer_fn
    var user: UnsafeMutableRawPointer?
  }

  let table: UnsafeMutablePointer<mgmt_host>
  var fds: [Int: FD] = [:]
  var timers: [Int: Timer] = [:]
  /// What was logged in no resource's name.
  var log: [String] = []
  /// What plugins keep; "" : they may not. Ends in "/".
  var directory = ""
  private var nextSource = 1

  private init() {
    table = .allocate(capacity: 1)
    table.initialize(to: mgmt_host())
    table.pointee.size = UInt32(MemoryLayout<mgmt_host>.size)
    addResourceFunctions()
    addCallFunctions()
    addSourceFunctions()
  }

  /// The kinds of a plugin, by name. Gives it the host, as often as it is asked.
  func kinds(_ plugin: UnsafePointer<mgmt_plugin>?) -> [String: UnsafePointer<mgmt_kind>] {
    guard let plugin else { return [:] }
    _ = plugin.pointee.`init`(table, nil, nil)
    var kinds: [String: UnsafePointer<mgmt_kind>] = [:]
    for index in 0..<plugin.pointee.kind_count {
      if let kind = plugin.pointee.kinds[index] { kinds[String(kind.pointee.name)] = kind }
    }
    return kinds
  }

  /// Identities are written down as "space:key:group", and these.
  private static let uidFlags: [(flag: Int, word: String)] = [
    (MGMT_UID_AFTER_ME, "after"), (MGMT_UID_NOTIFY, "notify"), (MGMT_UID_BELOW, "below"), (MGMT_UID_ENTRIES, "entries"),
    (MGMT_UID_PRIMARY, "primary"),
  ]

  private func addResourceFunctions() {
    table.pointee.log = { _, resource, _, text in
      if let record = Record.from(resource) {
        record.log.append(String(text))
      } else {
        FakeHost.shared.log.append(String(text))
      }
    }
    table.pointee.fail = { error, errno, field, text, hint in
      Record.from(error)?.failure = TestFailure(errno: errno, field: String(field), text: String(text), hint: String(hint))
    }
    table.pointee.ready = { Record.from($0)?.ready += 1 }
    table.pointee.event = { Record.from($0)?.events += 1 }
    table.pointee.watch_failed = { resource, _, text, _ in Record.from(resource)?.watchFailure = String(text) }
    table.pointee.vardir = { _, _, _, _, _ in mgmt_status(MGMT_FAILED) }
    table.pointee.plugin_dir = { _, buffer, capacity, length in
      let path = FakeHost.shared.directory
      guard let buffer, !path.isEmpty, path.utf8.count <= capacity else { return mgmt_status(MGMT_UNSUPPORTED) }
      length?.pointee = path.utf8.count
      for (index, byte) in path.utf8.enumerated() { buffer[index] = CChar(bitPattern: byte) }
      return mgmt_status(MGMT_OK)
    }
    table.pointee.put_uid = { sink, uid in
      guard let uid = uid?.pointee else { return }
      var text = "\(String(uid.space)):\(String(uid.key)):\(uid.group)"
      for (flag, word) in FakeHost.uidFlags where uid.flags & UInt32(flag) != 0 { text += " \(word)" }
      Record.from(sink)?.uids.append(text)
    }
    table.pointee.put_resource = { sink, kind, name, names, values, count in
      var parameters: [String: TestValue] = [:]
      for index in 0..<count {
        if let names, let values { parameters[String(names[index])] = TestValue(values[index]) }
      }
      Record.from(sink)?.resources.append(PutResource(kind: String(kind), name: String(name), parameters: parameters))
    }
  }

  private func addCallFunctions() {
    table.pointee.cancel_fd = { _ in -1 }
    table.pointee.change = { call, path, was, will in
      let text = { (value: UnsafePointer<mgmt_value>?) -> String? in
        guard let value, value.pointee.type == UInt32(MGMT_STRING) else { return nil }
        return String(value.pointee.u.s)
      }
      let flags = (was?.pointee.flags ?? 0) & (will?.pointee.flags ?? 0)
      Record.from(call)?.changes.append(
        Change(path: String(path), was: text(was), will: text(will), isSecret: flags & UInt32(MGMT_VALUE_SECRET) != 0))
    }
    table.pointee.send = { call, value in
      if let value { Record.from(call)?.sent.append(TestValue(value.pointee)) }
      return mgmt_status(MGMT_OK)
    }
    table.pointee.send_as = { _, member, value in
      if let value { Record.from(member)?.sent.append(TestValue(value.pointee)) }
      return mgmt_status(MGMT_OK)
    }
    table.pointee.call_error = { $0 }
    table.pointee.complete = { call, status in Record.from(call)?.completed.append(status) }
  }

  private func addSourceFunctions() {
    table.pointee.fd_add = { _, fd, events, call, user in
      guard let call else { return nil }
      let number = FakeHost.shared.nextNumber()
      FakeHost.shared.fds[number] = FD(fd: fd, events: events, call: call, user: user)
      return OpaquePointer(bitPattern: number)
    }
    table.pointee.timer_add = { _, first, every, call, user in
      guard let call else { return nil }
      let number = FakeHost.shared.nextNumber()
      FakeHost.shared.timers[number] = Timer(first: first, every: every, call: call, user: user)
      return OpaquePointer(bitPattern: number)
    }
    table.pointee.source_delete = { source in
      guard let source else { return }
      FakeHost.shared.fds[Int(bitPattern: source)] = nil
      FakeHost.shared.timers[Int(bitPattern: source)] = nil
    }
  }

  private func nextNumber() -> Int {
    nextSource += 1
    return nextSource
  }

  /// Calls back for every fd where something is that is waited for, until nothing is.
  func pump() {
    for _ in 0..<1000 {
      var readable = false
      for entry in fds.values {
        var poll = pollfd(fd: entry.fd, events: Int16(truncatingIfNeeded: entry.events), revents: 0)
        guard Glibc.poll(&poll, 1, 0) > 0 else { continue }
        readable = true
        entry.call(entry.user, UInt32(UInt16(bitPattern: poll.revents)))
      }
      if !readable { return }
    }
  }

  /// Every timer's time has come, once.
  func fireTimers() {
    for (number, timer) in timers where timers[number] != nil { timer.call(timer.user) }
  }
}
