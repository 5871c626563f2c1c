// SPDX-License-Identifier: Apache-2.0

import PluginABI

/// The state all resources of one kind share: one inotify fd, one bus connection. Made before the first resource.
public protocol ResourceKind: AnyObject {
  static var description: KindDescription { get }
  /// [reactor]
  init(host: Host) throws(Failure)
  /// [any] Pure: looks at its arguments only.
  static func validate(name: String, parameters: Parameters) throws(Failure)
  /// [reactor] No I/O.
  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource
  /// [reactor] After the last resource is gone.
  func close()
}

extension ResourceKind {
  public static func validate(name: String, parameters: Parameters) throws(Failure) {}
  public func close() {}
}

/// What a check is asked to do.
public struct CheckFlags: OptionSet, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Mend what differs; without it nothing may be changed.
  public static let apply = CheckFlags(rawValue: UInt32(MGMT_CHECK_APPLY))
  /// A notification is pending.
  public static let refresh = CheckFlags(rawValue: UInt32(MGMT_CHECK_REFRESH))
  /// Somebody reads the differences: contents are wanted, not only digests.
  public static let wantDiff = CheckFlags(rawValue: UInt32(MGMT_CHECK_WANT_DIFF))
  /// This is the reactor's thread: do it if it takes well under a millisecond, else answer `CheckResult.later`.
  public static let brief = CheckFlags(rawValue: UInt32(MGMT_CHECK_BRIEF))
}

/// What a check found.
public enum CheckResult: Sendable {
  /// Was already as asked.
  case ok
  /// Was not, and is now.
  case changed
  /// Is not as asked (without `CheckFlags.apply` only).
  case differs
  /// `Call.complete` follows, from any thread.
  case pending
  /// With `CheckFlags.brief` only: this may take long, call again on a worker.
  case later

  var status: mgmt_status {
    switch self {
    case .ok: mgmt_status(MGMT_OK)
    case .changed: mgmt_status(MGMT_CHANGED)
    case .differs: mgmt_status(MGMT_DIFFERS)
    case .pending: mgmt_status(MGMT_PENDING)
    case .later: mgmt_status(MGMT_LATER)
    }
  }
}

/// One resource. Subclass it; every method has a default but `checkApply`'s is to be already as asked.
open class Resource {
  public let handle: ResourceHandle

  public init(_ handle: ResourceHandle) {
    self.handle = handle
  }

  /// [reactor] Add sources, then call `handle.ready()`, now or later. The default has nothing to watch.
  open func watch() throws(Failure) { handle.ready() }
  /// [reactor] Delete the sources.
  open func unwatch() {}
  /// [worker] Never two at a time for one resource. Report each difference with `call.change` before mending it.
  open func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult { .ok }
  /// [reactor] End a pending call soon.
  open func cancel(_ call: Call) {}
  /// [reactor] No call is running, the watch is off.
  open func close() {}
  /// [any] What I am.
  open func identities(_ sink: IdentitySink) {}
  /// [any] What I come after, or before.
  open func automaticEdges(_ sink: IdentitySink) {}
  /// [reactor] Whether `member` may join this leader's group.
  open func mayGroup(_ member: Resource) -> Bool { false }
}

/// Collects identities for automatic edges.
public struct IdentitySink {
  let sink: OpaquePointer?

  /// Of all identities with one group number other than 0 the first that is found ends the search.
  public func put(space: String, key: String, afterMe: Bool = false, notify: Bool = false, group: UInt32 = 0) {
    guard let host = Host.current else { return }
    var flags = afterMe ? UInt32(MGMT_UID_AFTER_ME) : UInt32(MGMT_UID_BEFORE_ME)
    if notify { flags |= UInt32(MGMT_UID_NOTIFY) }
    space.withABI { space in
      key.withABI { key in
        var uid = mgmt_uid(space: space, key: key, flags: flags, group: group)
        host.table.pointee.put_uid(sink, &uid)
      }
    }
  }
}
