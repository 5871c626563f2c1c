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

  public init(path: String, was: Value, will: Value) {
    self.path = path
    self.was = was
    self.will = will
  }
}

extension [Change] {
  /// With the values of secret parameters masked. A change belongs to the parameter its path begins with.
  func masked(by schema: KindSchema?) -> [Change] {
    guard let schema, !isEmpty, schema.parameters.contains(where: \.isSecret) else { return self }
    return map { change in
      let name = change.path.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      guard let position = schema.position(of: String(name)), schema.parameters[position].isSecret else { return change }
      func mask(_ value: Value) -> Value { value.isUnset ? .unset : .string("(secret)") }
      return Change(path: change.path, was: mask(change.was), will: mask(change.will))
    }
  }
}

/// Why a resource is being changed.
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
  /// Nanoseconds.
  public var duration: UInt64

  public init(_ status: Status, changes: [Change] = [], duration: UInt64 = 0) {
    self.status = status
    self.changes = changes
    self.duration = duration
  }
}

/// What happens in the engine, in order: the one stream all views read.
public enum EngineEvent: Sendable {
  /// A graph begins to run.
  case graphStarted(GraphSummary)
  /// A graph was refused; the one before goes on.
  case graphRejected([Diagnostic])
  case checkStarted(ResourceID, apply: Bool)
  case checkEnded(ResourceID, CheckOutcome, reason: ChangeReason)
  case progress(ResourceID, permille: UInt32, text: String)
  case watchFailed(ResourceID, Diagnostic)
  case log(LogLevel, ResourceID?, String)
  /// True: everything is as asked and was quiet for the time asked; false: not any more.
  case converged(Bool)
  /// Everything that could be done is done and was quiet for the time asked, but some resources failed or wait for those.
  case stalled
}

public enum LogLevel: Int, Sendable, Comparable {
  case debug, info, warning, error

  public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
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
}
