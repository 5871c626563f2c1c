// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Reactor
import Values

/// A resource that runs: alone, as the leader of a group, or as a member of one.
struct Part {
  /// As the graph has it.
  var resource: Resource
  /// nil: hidden, or it could not be made.
  var instance: (any ResourceInstance)?
  /// The part whose group it is in; its own number for the leader.
  var leader = 0
  /// What it sends and receives; nil: nothing yet.
  var exchange: Exchange?
  /// nil: nothing is secret.
  var secrets: SecretMask?
}

/// A vertex that runs.
struct Entry {
  var leader: Part
  /// Empty for most. Part n is `members[n - 1]`; leaders of members come before them.
  var members: [Part] = []
  var isReversal = false

  /// Of its last check, or its watch: `Engine.setFailure`.
  var failure: Diagnostic?
  /// Its last check was cancelled.
  var wasCancelled = false
  var differs = false
  var wasChecked = false
  var hasReversal = false
  var changes: UInt32 = 0
  /// How often its watch was armed again because `retry` has no end.
  var watchRetries: UInt16 = 0
  /// By the clock that counts changes: when it was changed last, what it had seen when it succeeded last, and when the check that runs began.
  var changedAt: UInt64 = 0
  var seen: UInt64 = 0
  var begunAt: UInt64 = 0
  /// Why it was changed last.
  var changeReason = ChangeReason.intended
  /// Why the check that runs was asked for.
  var reason = ChangeReason.intended
  var ending = Ending.none
  /// Nanoseconds of the monotonic clock; 0: never.
  var lastCheck: UInt64 = 0
  var lastChange: UInt64 = 0
  /// When it became necessary to check it.
  var dirtySince: UInt64 = 0
  var timers: EntryTimers?

  /// Why the check that runs was cancelled.
  enum Ending: UInt8 {
    case none
    case timedOut
    /// To arm the watch again.
    case rearming
  }

  init(leader: Part, members: [Part] = [], isReversal: Bool = false) {
    self.leader = leader
    self.members = members
    self.isReversal = isReversal
  }

  mutating func noteSuccess() { seen = begunAt }

  mutating func noteChange(at time: UInt64, _ clock: UInt64) {
    changes += 1
    lastChange = time
    changedAt = clock
    changeReason = reason
  }

  var resource: Resource { leader.resource }
  var meta: MetaParameters { leader.resource.meta }
  var partCount: Int { members.count + 1 }

  subscript(part: Int) -> Part? {
    get { part == 0 ? leader : members.indices.contains(part - 1) ? members[part - 1] : nil }
    set {
      guard let newValue else { return }
      if part == 0 { leader = newValue } else if members.indices.contains(part - 1) { members[part - 1] = newValue }
    }
  }

  func forEachInstance(_ body: (any ResourceInstance) -> Void) {
    if let instance = leader.instance { body(instance) }
    for member in members {
      if let instance = member.instance { body(instance) }
    }
  }
}

/// The timers of a vertex; most have none.
final class EntryTimers {
  var retry: ReactorTimer?
  var retryAt: UInt64 = 0
  var limit: ReactorTimer?
  var poll: ReactorTimer?
  var timeout: ReactorTimer?
  var watch: ReactorTimer?
  /// Of its watch.
  var patience = Patience()
  var fault: ReactorTimer?
  var faultAt: UInt64 = 0
  /// Of its fight: its next repair, its end, and whom it may be with.
  var pace: ReactorTimer?
  var fight: ReactorTimer?
  var companions: [ResourceID] = []

  func cancel() {
    for timer in [retry, limit, poll, timeout, watch, fault, pace, fight] { timer?.cancel() }
  }
}

/// What a resource has sent and received.
final class Exchange {
  /// The last values it sent; nil: none yet.
  var sent: [Value]?
  var receptions: [Reception] = []
  /// With received values; those of the graph where none were.
  var parameters: [Value] = []
  /// The last values that came were not taken.
  var isRefused = false
  /// Those that were received at all.
  var received: Set<Int> = []
  /// Since the last check that succeeded.
  var changed: [Bool] = []
  /// Of what it sent, the fields that are secret.
  var secretFields: Set<Int> = []
  /// Of what it received, the parameters that hold something secret.
  var secretParameters: Set<Int> = []

  var hasChanges: Bool { changed.contains(true) }
}

/// A parameter that takes its value from another resource.
struct Reception: Equatable {
  var sender: ResourceID
  /// In what the sender's kind sends.
  var field: Int
  var fieldName: String
  var parameter: Int
  var parameterName: String
}
