// SPDX-License-Identifier: Apache-2.0

import PluginABI

/// Collects identities: what a resource is, or wants automatic edges to.
public struct IdentitySink {
  let sink: OpaquePointer?

  /// What is said about an identity. The defaults are those of `Resource.identities`, and of a wish for who bears just this identity.
  public struct Flags: OptionSet, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// A wish: who bears it comes after me, not before.
    public static let afterMe = Flags(rawValue: UInt32(MGMT_UID_AFTER_ME))
    /// A wish: the edge notifies.
    public static let notify = Flags(rawValue: UInt32(MGMT_UID_NOTIFY))
    /// A wish: all whose keys begin with this one, which ends in "/".
    public static let below = Flags(rawValue: UInt32(MGMT_UID_BELOW))
    /// A wish: as `below`, but not what lies deeper than the directory's entries.
    public static let entries = Flags(rawValue: UInt32(MGMT_UID_ENTRIES))
    /// An identity: the thing I look after. No two resources of a graph may have the same one; a directory's ends without "/".
    public static let primary = Flags(rawValue: UInt32(MGMT_UID_PRIMARY))
  }

  /// Of all wishes with one group number other than 0 the first that is found ends the search.
  public func put(space: String, key: String, _ flags: Flags = [], group: UInt32 = 0) {
    var key = key
    key.withUTF8 { put(space: space, key: $0, flags, group: group) }
  }

  /// The same for a part of a text, without a copy. `key`: UTF-8.
  public func put(space: String, key: UnsafeBufferPointer<UInt8>, _ flags: Flags = [], group: UInt32 = 0) {
    guard let host = Host.current else { return }
    space.withABI { space in
      key.withMemoryRebound(to: CChar.self) { key in
        var uid = mgmt_uid(
          space: space, key: mgmt_str(ptr: key.baseAddress, len: key.count), flags: flags.rawValue, group: group)
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
