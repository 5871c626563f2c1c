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
  /// First, write down what puts back what it will change.
  public var recordsReversal: Bool

  public init(apply: Bool, refresh: Bool, wantsDiff: Bool, recordsReversal: Bool = false) {
    self.apply = apply
    self.refresh = refresh
    self.wantsDiff = wantsDiff
    self.recordsReversal = recordsReversal
  }
}

/// Where the engine keeps a resource: its vertex, and its number in the vertex's group; 0: it is the leader.
public struct Place: Sendable, Hashable {
  public var slot: Int
  public var part: Int

  public init(slot: Int, part: Int = 0) {
    self.slot = slot
    self.part = part
  }
}

/// Something a resource is. The buffers are valid for the call they are given to.
public struct Identity {
  /// The kind of identity, as "path".
  public var space: UnsafeRawBufferPointer
  public var key: UnsafeRawBufferPointer
  /// The thing it looks after: no other resource of the graph may have the same.
  public var isPrimary: Bool

  public init(space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, isPrimary: Bool) {
    self.space = space
    self.key = key
    self.isPrimary = isPrimary
  }
}

/// An identity a resource wants an automatic edge to. The buffers are valid for the call they are given to.
public struct Wish {
  /// The kind of identity, as "path".
  public var space: UnsafeRawBufferPointer
  public var key: UnsafeRawBufferPointer
  /// Who bears it comes after the resource that wants it, not before.
  public var isAfterMe: Bool
  public var notify: Bool
  public var reach: AutomaticEdges.Reach
  /// Of one group other than 0 the first that is found ends the search.
  public var group: UInt32

  public init(
    space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, isAfterMe: Bool, notify: Bool,
    reach: AutomaticEdges.Reach = .itself, group: UInt32
  ) {
    self.space = space
    self.key = key
    self.isAfterMe = isAfterMe
    self.notify = notify
    self.reach = reach
    self.group = group
  }
}

/// What became of received values.
public enum UpdateResult: Sendable {
  case updated
  /// The instance cannot change: another must take its place.
  case recreate
}

/// A resource brought to life by its plugin. All methods are called on the reactor's thread.
public protocol ResourceInstance: AnyObject {
  /// Set before it is watched.
  var place: Place { get set }
  /// Arms the watch; the owner's `ready` follows, now or later.
  func watch() throws(MgmtError)
  func unwatch()
  /// The owner's `checkEnded` follows, now or later. Never called while a check runs.
  func check(_ request: CheckRequest)
  /// Ends a running check soon; `checkEnded` follows as usual.
  func cancelCheck()
  /// No check is running, the watch is off.
  func destroy()

  /// Gives what it is to `body`.
  func identities(_ body: (Identity) -> Void)
  /// Gives what it comes after, or before, to `body`.
  func wishes(_ body: (Wish) -> Void)
  /// Whether the other, of the same parameters or not, is the same to its kind; nil: the engine compares parameters.
  func isSame(as other: any ResourceInstance) -> Bool?
  /// Whether `member` may join its group.
  func mayLead(_ member: any ResourceInstance) -> Bool
  /// From now on it looks after `member` too.
  func lead(_ member: any ResourceInstance) throws(MgmtError)
  /// All parameters with received values among them; `changed` says which are new since the last check that succeeded.
  /// Never called while a check runs.
  func update(_ parameters: [Value], changed: [Bool]) throws(MgmtError) -> UpdateResult
}

/// Hears from instances, on the reactor's thread.
public protocol InstanceOwner: AnyObject {
  /// The watch is armed: the first check may run.
  func ready(_ place: Place)
  /// The resource's state may have changed.
  func event(_ place: Place)
  func watchFailed(_ place: Place, _ reason: Diagnostic)
  func checkEnded(_ place: Place, _ outcome: CheckOutcome)
  func progress(_ place: Place, permille: UInt32, text: String)
  func log(_ place: Place?, _ level: LogLevel, _ text: String)
}

/// What a kind's plugin can do beside watching and checking.
public struct KindTraits: OptionSet, Sendable {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Resources bear identities.
  public static let identifies = KindTraits(rawValue: 1)
  /// Resources want automatic edges.
  public static let wishes = KindTraits(rawValue: 2)
  /// Resources may lead groups.
  public static let leads = KindTraits(rawValue: 4)
  /// What a resource changed can be put back.
  public static let reverses = KindTraits(rawValue: 8)
  /// The kind compares its resources itself.
  public static let compares = KindTraits(rawValue: 16)
  /// The kind has to find things out before its resources can say what they are and want.
  public static let prepares = KindTraits(rawValue: 32)
}

/// Resources that put back what others had changed which are not in the graph any more.
public struct PendingReversals: Sendable {
  public var resources: [Resource] = []
  /// About those that cannot be read.
  public var warnings: [Diagnostic] = []

  public init() {}
}

/// Makes instances of the kinds it knows.
public protocol InstanceFactory: KindCatalog {
  func traits(of kind: String) -> KindTraits
  /// Looks at the parameters only. nil: fine.
  func validate(_ resource: Resource) -> Diagnostic?
  func make(_ resource: Resource, owner: any InstanceOwner) throws(MgmtError) -> any ResourceInstance
  /// Lets kinds find out which of their resources may be grouped and, with `forEdges`, what their identities and wishes are. `done` is
  /// called once, now or later, with what there is to say to people.
  func prepare(_ kinds: [String], forEdges: Bool, done: @escaping ([Diagnostic]) -> Void)
  /// What was recorded by checks with `recordsReversal` and not forgotten since, also by earlier processes.
  func pendingReversals() -> PendingReversals
  /// Lets kinds bring to the disk what they wrote. `done` is called once, now or later, with what there is to say to people.
  func settle(_ kinds: [String], done: @escaping ([Diagnostic]) -> Void)
  func forgetReversal(of id: ResourceID)
}

extension InstanceFactory {
  public func prepare(_ kinds: [String], forEdges: Bool, done: @escaping ([Diagnostic]) -> Void) { done([]) }
  public func settle(_ kinds: [String], done: @escaping ([Diagnostic]) -> Void) { done([]) }
}
