// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Graph
public import Values

/// What a check is asked to do.
public struct CheckRequest: Sendable {
  /// Mend what differs.
  public var apply: Bool
  /// A notification is pending.
  public var refresh: Bool
  /// Somebody reads the changes: contents are wanted, not only digests.
  public var wantsDiff: Bool

  public init(apply: Bool, refresh: Bool, wantsDiff: Bool) {
    self.apply = apply
    self.refresh = refresh
    self.wantsDiff = wantsDiff
  }
}

/// A resource brought to life by its plugin. All methods are called on the reactor's thread.
public protocol ResourceInstance: AnyObject {
  /// Arms the watch; the owner's `ready` follows, now or later.
  func watch() throws(MgmtError)
  func unwatch()
  /// The owner's `checkEnded` follows, now or later. Never called while a check runs.
  func check(_ request: CheckRequest)
  /// Ends a running check soon; `checkEnded` follows as usual.
  func cancelCheck()
  /// No check is running, the watch is off.
  func destroy()
}

/// Hears from instances, on the reactor's thread. `slot` is the number given to `InstanceFactory.make`.
public protocol InstanceOwner: AnyObject {
  /// The watch is armed: the first check may run.
  func ready(slot: Int)
  /// The resource's state may have changed.
  func event(slot: Int)
  func watchFailed(slot: Int, _ reason: Diagnostic)
  func checkEnded(slot: Int, _ outcome: CheckOutcome)
  func progress(slot: Int, permille: UInt32, text: String)
  func log(slot: Int?, _ level: LogLevel, _ text: String)
}

/// Makes instances of the kinds it knows.
public protocol InstanceFactory: KindCatalog {
  /// Looks at the parameters only. nil: fine.
  func validate(_ resource: Resource) -> Diagnostic?
  func make(_ resource: Resource, slot: Int, owner: any InstanceOwner) throws(MgmtError) -> any ResourceInstance
}
