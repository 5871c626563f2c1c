// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI

@testable import FilePlugin

/// A value as tests write it.
indirect enum TestValue: Equatable {
  case bool(Bool)
  case string(String)
  case strings([String])
}

struct TestFailure: Error, Equatable {
  var errno: Int32
  var field: String
  var text: String
  var hint: String
}

struct Change: Equatable {
  var path: String
  var was: String?
  var will: String?
}

/// What the host's functions write into; its address stands for the host's opaque objects.
final class Record {
  var failure: TestFailure?
  var changes: [Change] = []
  var events = 0
  var ready = 0
  var uids: [String] = []
  var watchFailure: String?

  var opaque: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

  static func from(_ pointer: OpaquePointer?) -> Record? {
    pointer.map { Unmanaged<Record>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
  }
}

extension String {
  init(_ text: mgmt_str) {
    let bytes = UnsafeRawBufferPointer(start: text.ptr, count: text.len)
    self = String(decoding: bytes, as: UTF8.self)
  }
}

/// A host made of a table of functions: tests drive the plugin through the same C ABI as the agent does. One for the whole
/// process, as in the agent; used by one test at a time.
final class FakeHost {
  nonisolated(unsafe) static let shared = FakeHost()

  struct FD {
    var fd: Int32
    var call: mgmt_fd_fn
    var user: UnsafeMutableRawPointer?
  }

  let table: UnsafeMutablePointer<mgmt_host>
  let kind: UnsafePointer<mgmt_kind>?
  var fds: [Int: FD] = [:]
  var log: [String] = []
  private var nextSource = 1

  private init() {
    table = .allocate(capacity: 1)
    table.initialize(to: mgmt_host())
    let plugin: UnsafePointer<mgmt_plugin>? = FilePlugin.plugin.descriptor
    kind = plugin?.pointee.kinds[0]
    table.pointee.size = UInt32(MemoryLayout<mgmt_host>.size)
    table.pointee.log = { _, _, level, text in FakeHost.shared.log.append("\(level): \(String(text))") }
    table.pointee.fail = { error, errno, field, text, hint in
      Record.from(error)?.failure = TestFailure(errno: errno, field: String(field), text: String(text), hint: String(hint))
    }
    table.pointee.ready = { Record.from($0)?.ready += 1 }
    table.pointee.event = { Record.from($0)?.events += 1 }
    table.pointee.watch_failed = { resource, _, text, _ in Record.from(resource)?.watchFailure = String(text) }
    table.pointee.cancel_fd = { _ in -1 }
    table.pointee.change = { call, path, was, will in
      let text = { (value: UnsafePointer<mgmt_value>?) -> String? in
        guard let value, value.pointee.type == UInt32(MGMT_STRING) else { return nil }
        return String(value.pointee.u.s)
      }
      Record.from(call)?.changes.append(Change(path: String(path), was: text(was), will: text(will)))
    }
    table.pointee.put_uid = { sink, uid in
      guard let uid else { return }
      Record.from(sink)?.uids.append("\(String(uid.pointee.space)):\(String(uid.pointee.key)):\(uid.pointee.group)")
    }
    table.pointee.fd_add = { _, fd, _, call, user in
      guard let call else { return nil }
      return FakeHost.shared.add(FD(fd: fd, call: call, user: user))
    }
    table.pointee.source_delete = { source in
      if let source { FakeHost.shared.fds[Int(bitPattern: source)] = nil }
    }
    _ = plugin?.pointee.`init`(table, nil, nil)
  }

  private func add(_ fd: FD) -> OpaquePointer? {
    nextSource += 1
    fds[nextSource] = fd
    return OpaquePointer(bitPattern: nextSource)
  }

  /// Calls back for every fd that is readable, until none is.
  func pump() {
    for _ in 0..<1000 {
      var readable = false
      for entry in fds.values {
        var poll = pollfd(fd: entry.fd, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, 0) > 0 else { continue }
        readable = true
        entry.call(entry.user, UInt32(MGMT_FD_READ))
      }
      if !readable { return }
    }
  }
}

/// The kind, opened; closed with its resources at the end of a test.
final class TestKind {
  let host = FakeHost.shared
  private(set) var pointer: UnsafeMutableRawPointer?

  init() {
    let record = Record()
    _ = host.kind?.pointee.open(host.kind, nil, host.table, &pointer, record.opaque)
  }

  deinit { host.kind?.pointee.close(pointer) }

  static func validate(_ name: String, _ parameters: [String: TestValue]) -> TestFailure? {
    let record = Record()
    let host = FakeHost.shared
    withValues(parameters) { values in
      withStr(name) { _ = host.kind?.pointee.validate(host.kind, $0, values, record.opaque) }
    }
    return record.failure
  }

  func make(_ name: String, _ parameters: [String: TestValue] = [:]) throws -> TestResource {
    let record = Record()
    var resource: UnsafeMutableRawPointer?
    withValues(parameters) { values in
      withStr(name) { _ = host.kind?.pointee.create(pointer, record.opaque, $0, values, &resource, record.opaque) }
    }
    if let failure = record.failure { throw failure }
    return TestResource(self, record, resource)
  }
}

final class TestResource {
  let kind: TestKind
  let record: Record
  private let pointer: UnsafeMutableRawPointer?
  private var isWatching = false

  init(_ kind: TestKind, _ record: Record, _ pointer: UnsafeMutableRawPointer?) {
    self.kind = kind
    self.record = record
    self.pointer = pointer
  }

  deinit {
    if isWatching { unwatch() }
    kind.host.kind?.pointee.destroy(pointer)
  }

  @discardableResult
  func check(apply: Bool = true, wantDiff: Bool = false) throws -> (status: Int, changes: [Change]) {
    let call = Record()
    let flags = (apply ? MGMT_CHECK_APPLY : 0) | (wantDiff ? MGMT_CHECK_WANT_DIFF : 0)
    let status = kind.host.kind?.pointee.check_apply(pointer, call.opaque, UInt32(flags), call.opaque) ?? -1
    if let failure = call.failure { throw failure }
    return (Int(status), call.changes)
  }

  func watch() throws {
    let call = Record()
    isWatching = true
    _ = kind.host.kind?.pointee.watch(pointer, call.opaque)
    if let failure = call.failure { throw failure }
  }

  func unwatch() {
    isWatching = false
    kind.host.kind?.pointee.unwatch(pointer)
  }

  /// How many events came since the last call.
  func events() -> Int {
    kind.host.pump()
    defer { record.events = 0 }
    return record.events
  }

  func uids() -> [String] {
    let sink = Record()
    _ = kind.host.kind?.pointee.uids(pointer, sink.opaque, nil)
    return sink.uids
  }

  func automaticEdges() -> [String] {
    let sink = Record()
    _ = kind.host.kind?.pointee.auto_edges(pointer, sink.opaque, nil)
    return sink.uids
  }
}

private func withStr(_ text: String, _ body: (mgmt_str) -> Void) {
  var text = text
  text.withUTF8 { bytes in
    bytes.withMemoryRebound(to: CChar.self) { body(mgmt_str(ptr: $0.baseAddress, len: $0.count)) }
  }
}

/// Values in schema order, defaults filled in, as the host gives them. The memory is left to the process: tests are short.
private func withValues(_ parameters: [String: TestValue], _ body: (UnsafePointer<mgmt_value>?) -> Void) {
  guard let kind = FakeHost.shared.kind else { return }
  let copy = { (text: String) -> mgmt_str in
    let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, text.utf8.count))
    for (index, byte) in text.utf8.enumerated() { bytes[index] = CChar(bitPattern: byte) }
    return mgmt_str(ptr: bytes, len: text.utf8.count)
  }
  let string = { (text: String) in mgmt_value(type: UInt32(MGMT_STRING), flags: 0, u: .init(s: copy(text))) }
  var values: [mgmt_value] = []
  for index in 0..<kind.pointee.param_count {
    guard let parameter = kind.pointee.params[index] else { continue }
    switch parameters[String(parameter.pointee.name)] {
    case nil: values.append(parameter.pointee.def?.pointee ?? mgmt_value())
    case .bool(let flag): values.append(mgmt_value(type: UInt32(MGMT_BOOL), flags: 0, u: .init(i: flag ? 1 : 0)))
    case .string(let text): values.append(string(text))
    case .strings(let items):
      let memory = UnsafeMutablePointer<mgmt_value>.allocate(capacity: max(1, items.count))
      for (index, item) in items.enumerated() { (memory + index).initialize(to: string(item)) }
      values.append(
        mgmt_value(type: UInt32(MGMT_LIST), flags: 0, u: .init(v: .init(at: UnsafePointer(memory), count: items.count))))
    }
  }
  values.withUnsafeBufferPointer { body($0.baseAddress) }
}
