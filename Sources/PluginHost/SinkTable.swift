// SPDX-License-Identifier: Apache-2.0

import Engine
import PluginABI
import Synchronization

/// What a plugin is asked to put somewhere while one of its methods runs: identities, wishes, reversals.
final class Sink {
  /// Set for the length of the call.
  var onUID: ((UnsafePointer<mgmt_uid>) -> Void)?
  private(set) var resources: [ReversedResource] = []
  /// What was put could not be understood.
  private(set) var strange: StrangeValue?
  private static let maximumResources = 16

  func put(_ resource: ReversedResource) {
    if resources.count < Self.maximumResources { resources.append(resource) }
  }

  func refuse(_ value: StrangeValue) { strange = value }
}

/// Sinks that are in use, by number: a plugin that keeps one beyond its call puts into nothing.
final class SinkTable: @unchecked Sendable {
  // A sink is used by one thread, the one its method runs on; the table locks itself.
  private struct State {
    var sinks: [UInt: Sink] = [:]
    var next: UInt = 1
  }
  private let state = Mutex<State>(State())

  /// Lends a sink to `body`.
  func with<Result>(_ sink: Sink, _ body: (OpaquePointer?) -> Result) -> Result {
    let entry = Entry(sink)
    let id = state.withLock { state in
      let id = state.next
      state.next += 1
      state.sinks[id] = entry.sink
      return id
    }
    defer { state.withLock { state in state.sinks[id] = nil } }
    return body(OpaquePointer(bitPattern: id))
  }

  func sink(_ pointer: OpaquePointer?) -> Sink? {
    let id = UInt(bitPattern: pointer)
    return state.withLock { state in state.sinks[id].map(Entry.init) }?.sink
  }

  /// Carries a sink through the lock.
  private struct Entry: @unchecked Sendable {
    let sink: Sink
    init(_ sink: Sink) { self.sink = sink }
  }
}

extension Identity {
  init(_ uid: mgmt_uid) {
    self.init(
      space: UnsafeRawBufferPointer(uid.space), key: UnsafeRawBufferPointer(uid.key),
      isPrimary: uid.flags & UInt32(MGMT_UID_PRIMARY) != 0)
  }
}

extension Wish {
  init(_ uid: mgmt_uid) {
    func has(_ flag: Int) -> Bool { uid.flags & UInt32(flag) != 0 }
    self.init(
      space: UnsafeRawBufferPointer(uid.space), key: UnsafeRawBufferPointer(uid.key), isAfterMe: has(MGMT_UID_AFTER_ME),
      notify: has(MGMT_UID_NOTIFY), reach: has(MGMT_UID_ENTRIES) ? .entries : has(MGMT_UID_BELOW) ? .below : .itself,
      group: uid.group)
  }
}

extension UnsafeRawBufferPointer {
  init(_ text: mgmt_str) { self.init(start: text.ptr, count: text.ptr == nil ? 0 : text.len) }
}
