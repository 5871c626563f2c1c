// SPDX-License-Identifier: Apache-2.0

import PluginABI

/// Collects identities for automatic edges.
public struct IdentitySink {
  let sink: OpaquePointer?

  /// Of all identities with one group number other than 0 the first that is found ends the search.
  public func put(space: String, key: String, afterMe: Bool = false, notify: Bool = false, group: UInt32 = 0) {
    var key = key
    key.withUTF8 { put(space: space, key: $0, afterMe: afterMe, notify: notify, group: group) }
  }

  /// The same for a part of a text, without a copy. `key`: UTF-8.
  public func put(
    space: String, key: UnsafeBufferPointer<UInt8>, afterMe: Bool = false, notify: Bool = false, group: UInt32 = 0
  ) {
    guard let host = Host.current else { return }
    var flags = afterMe ? UInt32(MGMT_UID_AFTER_ME) : UInt32(MGMT_UID_BEFORE_ME)
    if notify { flags |= UInt32(MGMT_UID_NOTIFY) }
    space.withABI { space in
      key.withMemoryRebound(to: CChar.self) { key in
        var uid = mgmt_uid(
          space: space, key: mgmt_str(ptr: key.baseAddress, len: key.count), flags: flags, group: group)
        host.table.pointee.put_uid(sink, &uid)
      }
    }
  }
}

/// Collects what undoes a resource.
public struct ReversalSink {
  let sink: OpaquePointer?

  /// The resource with these parameters, and all others left out, undoes this one.
  public func put(kind: String, name: String, parameters: [(name: String, value: Value)]) {
    guard let host = Host.current else { return }
    Value.list(parameters.map { .string($0.name) }).withStrings { names in
      Value.list(parameters.map(\.value)).withABI { values in
        kind.withABI { kind in
          name.withABI { name in
            host.table.pointee.put_resource(sink, kind, name, names.baseAddress, values.u.v.at, parameters.count)
          }
        }
      }
    }
  }
}
