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
    /// Its last check, or its watch, failed; also while it is tried again.
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
  /// Why it does not run although it should.
  public var waiting: WaitReason?
  /// Somebody undoes each repair; nil: nobody does.
  public var fight: FightStatus?
  /// A check runs.
  public var isRunning = false
  /// Its last check was cancelled: how it stands is not known.
  public var wasCancelled = false
  /// When its last check ended; nil: never.
  public var lastCheck: EngineTime?
  /// When it was changed last; nil: never.
  public var lastChange: EngineTime?
  /// When it is tried again after a failure; nil: at its next event.
  public var nextAttempt: EngineTime?
  /// Those it leads as a group.
  public var members: [ResourceID] = []
  /// It is a member of this one's group and shares its fate.
  public var leader: ResourceID?
  /// It puts back what a resource that left the graph had changed.
  public var isReversal = false
  /// It is in the graph, but neither watched nor checked.
  public var isHidden = false
}

/// A fight over a resource.
public struct FightStatus: Sendable, Hashable {
  /// Since it began.
  public var repairs: Int
  public var since: EngineTime
  /// Resources of the graph that were changed as often when it began; empty: it is another program.
  public var companions: [ResourceID]

  public init(repairs: Int, since: EngineTime, companions: [ResourceID]) {
    self.repairs = repairs
    self.since = since
    self.companions = companions
  }
}

/// A point in time: nanoseconds of the monotonic clock.
public struct EngineTime: Sendable, Hashable, Comparable {
  public var nanoseconds: UInt64

  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  public static func < (a: EngineTime, b: EngineTime) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// Why a resource that should be checked is not.
public enum WaitReason: Sendable, Equatable {
  /// Its watch is not armed yet.
  case watch
  /// Those before it must succeed first: `ResourceStatus.waitsFor`.
  case parents
  /// All of this semaphore are held.
  case semaphore(String)
  /// Events come faster than `limit` allows.
  case limit
  /// It is fought over, and put right once a second.
  case fight
  /// A failed check is tried again at `ResourceStatus.nextAttempt`.
  case retry
  /// The agent is paused.
  case paused
  /// It leaves the graph.
  case leaving
}

/// A graph in numbers, for a status line.
public struct EngineCounts: Sendable, Equatable {
  public var total = 0
  public var running = 0
  /// Their watches are not armed yet.
  public var starting = 0
  /// Not yet as asked: starting, waiting or running.
  public var pending = 0
  public var failed = 0

  /// As asked.
  public var ok: Int { max(0, total - pending - failed) }
  /// For others, or for a thread.
  public var waiting: Int { max(0, pending - running - starting) }

  public init() {}
}
