// SPDX-License-Identifier: Apache-2.0

import PluginABI

/// A kind, opened; closed with its resources at the end of a test.
final class KindUnderTest {
  let host = FakeHost.shared
  let table: UnsafePointer<mgmt_kind>?
  private(set) var pointer: UnsafeMutableRawPointer?

  init(_ plugin: UnsafePointer<mgmt_plugin>?, _ name: String) {
    table = host.kinds(plugin)[name]
    let record = Record()
    _ = table?.pointee.open(table, nil, host.table, &pointer, record.opaque)
  }

  deinit { table?.pointee.close(pointer) }

  func validate(_ name: String, _ parameters: [String: TestValue]) -> TestFailure? {
    let record = Record()
    withValues(parameters) { values in _ = table?.pointee.validate(table, copy(name), values, record.opaque) }
    return record.failure
  }

  func make(_ name: String, _ parameters: [String: TestValue] = [:]) throws -> ResourceUnderTest {
    let record = Record()
    var resource: UnsafeMutableRawPointer?
    withValues(parameters) { values in
      _ = table?.pointee.create(pointer, record.opaque, copy(name), values, &resource, record.opaque)
    }
    if let failure = record.failure { throw failure }
    return ResourceUnderTest(self, record, resource)
  }

  /// Values in schema order, defaults filled in, as the host gives them.
  func withValues(_ parameters: [String: TestValue], _ body: (UnsafePointer<mgmt_value>?) -> Void) {
    guard let table else { return }
    let values = (0..<table.pointee.param_count).map { index -> mgmt_value in
      guard let parameter = table.pointee.params[index] else { return mgmt_value() }
      return parameters[String(parameter.pointee.name)]?.encoded ?? parameter.pointee.def?.pointee ?? mgmt_value()
    }
    values.withUnsafeBufferPointer { body($0.baseAddress) }
  }

  func position(of parameter: String) -> Int? {
    guard let table else { return nil }
    return (0..<table.pointee.param_count).first { table.pointee.params[$0].map { String($0.pointee.name) } == parameter }
  }
}

/// What a check answered.
struct CheckReport {
  var status: Int
  var changes: [Change]
  /// One for each `send`.
  var sent: [TestValue]
}

final class ResourceUnderTest {
  let kind: KindUnderTest
  let record: Record
  private(set) var pointer: UnsafeMutableRawPointer?
  private var isWatching = false

  init(_ kind: KindUnderTest, _ record: Record, _ pointer: UnsafeMutableRawPointer?) {
    self.kind = kind
    self.record = record
    self.pointer = pointer
  }

  deinit { destroy() }

  func destroy() {
    if isWatching { unwatch() }
    if let pointer { kind.table?.pointee.destroy(pointer) }
    pointer = nil
  }

  @discardableResult
  func check(apply: Bool = true, wantDiff: Bool = false, refresh: Bool = false) throws -> CheckReport {
    let call = Record()
    let status = start(call, apply: apply, wantDiff: wantDiff, refresh: refresh)
    if let failure = call.failure { throw failure }
    return CheckReport(status: status, changes: call.changes, sent: call.sent)
  }

  /// `call` has to live until a pending check is completed.
  func start(_ call: Record, apply: Bool = true, wantDiff: Bool = false, refresh: Bool = false) -> Int {
    var flags = apply ? MGMT_CHECK_APPLY : 0
    if wantDiff { flags |= MGMT_CHECK_WANT_DIFF }
    if refresh { flags |= MGMT_CHECK_REFRESH }
    return Int(kind.table?.pointee.check_apply(pointer, call.opaque, UInt32(flags), call.opaque) ?? -1)
  }

  func cancel(_ call: Record) { kind.table?.pointee.cancel(pointer, call.opaque) }

  func watch() throws {
    let call = Record()
    isWatching = true
    _ = kind.table?.pointee.watch(pointer, call.opaque)
    if let failure = call.failure { throw failure }
  }

  func unwatch() {
    isWatching = false
    kind.table?.pointee.unwatch(pointer)
  }

  /// How many events came since the last call.
  func events() -> Int {
    kind.host.pump()
    defer { record.events = 0 }
    return record.events
  }

  /// What was logged in its name since the last call.
  func log() -> [String] {
    defer { record.log = [] }
    return record.log
  }

  func uids() -> [String] {
    let sink = Record()
    _ = kind.table?.pointee.uids(pointer, sink.opaque, nil)
    return sink.uids
  }

  func automaticEdges() -> [String] {
    let sink = Record()
    _ = kind.table?.pointee.auto_edges(pointer, sink.opaque, nil)
    return sink.uids
  }

  func mayGroup(_ member: ResourceUnderTest) -> Bool {
    kind.table?.pointee.group_cmp(pointer, member.pointer) == mgmt_status(MGMT_OK)
  }

  @discardableResult
  func group(_ member: ResourceUnderTest) -> Int {
    Int(kind.table?.pointee.group(pointer, member.pointer) ?? -1)
  }

  func compare(_ other: ResourceUnderTest) -> Int { Int(kind.table?.pointee.cmp(pointer, other.pointer) ?? -1) }

  /// All parameters, with the values received in them; `changed`: which these are.
  func update(_ parameters: [String: TestValue], changed: [String]) throws -> Int {
    let call = Record()
    var flags = [UInt8](repeating: 0, count: kind.table?.pointee.param_count ?? 0)
    for name in changed { if let position = kind.position(of: name) { flags[position] = 1 } }
    var status = -1
    kind.withValues(parameters) { values in
      status = Int(kind.table?.pointee.update(pointer, values, flags, call.opaque) ?? -1)
    }
    if let failure = call.failure { throw failure }
    return status
  }

  /// nil: there is nothing to undo.
  func reverse() throws -> PutResource? {
    let sink = Record()
    _ = kind.table?.pointee.reverse(pointer, sink.opaque, sink.opaque)
    if let failure = sink.failure { throw failure }
    return sink.resources.first
  }
}
