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
  /// [reactor] With the trait `preparation`: once for each graph with new resources, after those were made and before
  /// `identities`, `automaticEdges` and `mayGroup`: finds out what those need. May answer `.pending`; the host waits at most 30 s
  /// and goes on without. With `.edges` a failure is logged: edges may be missing.
  func prepare(_ call: Call, _ flags: PrepareFlags) throws(Failure) -> CheckResult
  /// [worker] With the trait `settling`: brings what its resources wrote to the disk, when all is quiet after changes. Never two at a time;
  /// checks may run meanwhile. A failure is told.
  func settle(_ call: Call) throws(Failure)
  /// [reactor] After the last resource is gone.
  func close()
}

extension ResourceKind {
  public static func validate(name: String, parameters: Parameters) throws(Failure) {}
  public func prepare(_ call: Call, _ flags: PrepareFlags) throws(Failure) -> CheckResult { .ok }
  public func settle(_ call: Call) throws(Failure) {}
  public func close() {}
}

/// What is prepared for.
public struct PrepareFlags: OptionSet, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// There are resources of other kinds: `identities` and `automaticEdges` will be asked for.
  public static let edges = PrepareFlags(rawValue: UInt32(MGMT_PREPARE_EDGES))
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

/// What became of values that were received.
public enum UpdateResult: Sendable {
  /// The resource has taken them over.
  case updated
  /// It cannot: it is destroyed, and made anew with them.
  case recreate
}

/// One resource. Subclass it; every method has a default but `checkApply`'s is to be already as asked. The methods below the
/// line are called only if the kind's description names their trait.
open class Resource {
  public let handle: ResourceHandle
  final var parameterCount: Int32 = 0

  public init(_ handle: ResourceHandle) {
    self.handle = handle
  }

  /// [reactor] Add sources, then call `handle.ready()`, now or later. The default has nothing to watch.
  open func watch() throws(Failure) { handle.ready() }
  /// [reactor] Delete the sources.
  open func unwatch() {}
  /// [worker] Never two at a time for one resource. Report each difference with `call.change` before mending it. A kind that
  /// sends values sends them with every check that succeeds, also when nothing differed and without `CheckFlags.apply`.
  open func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult { .ok }
  /// [reactor] End a pending call soon.
  open func cancel(_ call: Call) {}
  /// [reactor] No call is running, the watch is off.
  open func close() {}

  // MARK: optional

  /// [any] What I am.
  open func identities(_ sink: IdentitySink) {}
  /// [any] What I come after, or before.
  open func automaticEdges(_ sink: IdentitySink) {}
  /// [reactor] Whether `member` may join this leader's group.
  open func mayGroup(_ member: Resource) -> Bool { false }
  /// [reactor] Takes `member` into this leader's group, before the leader's `watch`. From then on only the leader is watched
  /// and checked, and does it for all; it reports for the whole group. Members are closed after their leader.
  open func group(_ member: Resource) throws(Failure) { throw Failure("these resources cannot be grouped") }
  /// [reactor] Values were received; never while a check runs. A failure fails the resource.
  open func update(_ parameters: Parameters, changed: ChangedParameters) throws(Failure) -> UpdateResult { .recreate }
  /// [worker] Before the first check that applies: puts the resource that undoes this one. Nothing put: there is nothing to
  /// undo.
  open func reverse(_ sink: ReversalSink) throws(Failure) {
    throw Failure("it cannot be reversed", hint: "set reverse: false for it")
  }
  /// [reactor] Whether a resource of a new graph may be left to this one, which runs.
  open func isSame(as other: Resource) -> Bool { true }
}
