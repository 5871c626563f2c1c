// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Graph

/// Where one resource stands.
public struct ResourceStatus: Sendable {
  public enum Phase: Sendable {
    /// Its watch is not armed yet.
    case starting
    /// Waits for those before it, or for a semaphore.
    case waiting
    case running
    case ok
    /// Not as asked and left alone, because of noop.
    case differs
    case failed
    /// Can't be checked because something before it failed.
    case blocked
  }

  public var id: ResourceID
  public var phase: Phase
  /// It has been checked at least once.
  public var wasChecked: Bool
  /// What it waits for, or what blocks it.
  public var waitsFor: [ResourceID]
  public var failure: Diagnostic?
  public var changes: UInt32
}

/// A graph in numbers, for a status line.
public struct EngineCounts: Sendable, Equatable {
  public var total = 0
  public var running = 0
  /// Not yet as asked: starting, waiting or running.
  public var pending = 0
  public var failed = 0

  public init() {}
}
