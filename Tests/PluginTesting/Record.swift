// SPDX-License-Identifier: Apache-2.0

import PluginABI

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
  /// Views mask it.
  var isSecret = false
}

/// A resource given to `put_resource`.
struct PutResource: Equatable {
  var kind: String
  var name: String
  var parameters: [String: TestValue]
}

/// What the host's functions write into; its address stands for the host's opaque objects.
final class Record {
  var failure: TestFailure?
  var changes: [Change] = []
  var events = 0
  var ready = 0
  var uids: [String] = []
  var watchFailure: String?
  var log: [String] = []
  /// What was sent: for itself, and for members of its group by their records.
  var sent: [TestValue] = []
  var resources: [PutResource] = []
  /// Given to `complete`.
  var completed: [mgmt_status] = []

  var opaque: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

  static func from(_ pointer: OpaquePointer?) -> Record? {
    pointer.map { Unmanaged<Record>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
  }
}
