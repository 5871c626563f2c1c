// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Graph
public import Values

/// One difference between what is and what is asked, found by a check. Text log, `--noop` diff, JSON and metrics are views of it.
public struct Change: Sendable, Hashable {
  /// Below the resource: "content", "mode", or "/sub/file#mode".
  public var path: String
  /// `.unset`: was not there.
  public var was: Value
  /// `.unset`: will not be there.
  public var will: Value
  /// Something of it is secret. Unless secrets may be shown, a mask stands there already.
  public var isSecret: Bool

  public init(path: String, was: Value, will: Value, isSecret: Bool = false) {
    self.path = path
    self.was = was
    self.will = will
    self.isSecret = isSecret
  }
}

extension Change {
  /// That there is a difference, and nothing more.
  var hidden: Change {
    func mask(_ value: Value) -> Value { value.isUnset ? .unset : .string(SecretMask.word) }
    return Change(path: path, was: mask(was), will: mask(will), isSecret: true)
  }
}

/// Why a resource is being changed. It may have its reason from a resource before it that was just changed: `Engine.reason`.
public enum ChangeReason: String, Sendable {
  /// The declaration is new, or new to this machine.
  case intended
  /// It was as asked before: somebody changed the machine.
  case corrective
  /// Another resource notified it.
  case refresh
}

/// How one check ended.
public struct CheckOutcome: Sendable {
  public enum Status: Sendable {
    case ok
    /// Made as asked.
    case changed
    /// Not as asked, left alone.
    case differs
    case failed(Diagnostic)
    case cancelled
  }

  public var status: Status
  public var changes: [Change]
  /// What was sent to other resources.
  public var sent: [SentValues]
  /// Nanoseconds.
  public var duration: UInt64

  public init(_ status: Status, changes: [Change] = [], sent: [SentValues] = [], duration: UInt64 = 0) {
    self.status = status
    self.changes = changes
    self.sent = sent
    self.duration = duration
  }
}

/// The circumstances of a check that ended.
public struct CheckContext: Sendable {
  public var reason: ChangeReason
  /// It was asked to mend, not only to look.
  public var apply: Bool
  /// It failed and is tried again without a new event.
  public var willRetry: Bool
  /// It failed as before when the machine was at fault and time had passed: no news.
  public var isKnown: Bool
  /// It failed without applying, and may not fail once what comes before it is changed: `Engine.openResources`.
  public var isOpen: Bool
  /// Nanoseconds from the event, or what else made it necessary, to the end of the check.
  public var latency: UInt64

  public init(
    reason: ChangeReason, apply: Bool, willRetry: Bool = false, isKnown: Bool = false, isOpen: Bool = false,
    latency: UInt64 = 0
  ) {
    self.reason = reason
    self.apply = apply
    self.willRetry = willRetry
    self.isKnown = isKnown
    self.isOpen = isOpen
    self.latency = latency
  }
}

/// What happens in the engine, in order: the one stream all views read.
public enum EngineEvent: Sendable {
  /// A graph begins to run.
  case graphStarted(GraphSummary)
  /// About a graph that runs nevertheless.
  case warnings([Diagnostic])
  /// A graph was refused; the one before goes on.
  case graphRejected([Diagnostic])
  case checkStarted(ResourceID, apply: Bool)
  case checkEnded(ResourceID, CheckOutcome, CheckContext)
  case progress(ResourceID, permille: UInt32, text: String)
  /// `willRetry`: it is armed again later.
  case watchFailed(ResourceID, Diagnostic, willRetry: Bool)
  /// A resource is fought over: somebody undoes each repair, so there will be fewer.
  case fightBegan(ResourceID, Diagnostic)
  /// Nobody has undone its last repair for a while, or it left the graph.
  case fightEnded(ResourceID, repairs: Int)
  /// A graph was compiled: edges and groups that the graph before did not have.
  case compiled(CompileSummary)
  /// `parameter` of `to` is now what `from` sent as `field`.
  case received(from: ResourceID, field: String, to: ResourceID, parameter: String)
  case log(LogLevel, ResourceID?, String)
  /// True: everything is as asked and was quiet for the time asked; false: not any more.
  case converged(Bool)
  /// Everything that could be done is done and was quiet for the time asked, but some resources failed or wait for those.
  case stalled
  /// What was written has reached the disk, or the reason why not was among the warnings. Nanoseconds.
  case settled(duration: UInt64)
}

public enum LogLevel: Int, Sendable, Comparable {
  case debug, info, warning, error

  public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// What compiling a graph added to it.
public struct CompileSummary: Sendable {
  /// Automatic edges the graph before did not have.
  public var edges: [(from: ResourceID, to: ResourceID)] = []
  /// Members of automatic groups, with their leaders, that were not so in the graph before.
  public var groups: [(member: ResourceID, leader: ResourceID)] = []
  /// The algorithm that formed the groups.
  public var grouper = ""
  /// All automatic edges.
  public var edgeCount = 0
  /// All members of groups.
  public var memberCount = 0
  /// Nanoseconds.
  public var duration: UInt64 = 0

  public init() {}
}

/// A graph in numbers, and what taking it over changed.
public struct GraphSummary: Sendable, Equatable {
  public var name: String
  public var vertices: Int
  public var edges: Int
  /// Resources that run on unchanged.
  public var kept: Int
  public var added: Int
  public var removed: Int
  /// `ResourceGraph.number`
  public var number = 0
}
