// SPDX-License-Identifier: Apache-2.0

import Graph

/// Why a resource is changed.
extension Engine {
  /// Nanoseconds: an event this long after a change may be its consequence.
  private static let echo: UInt64 = 1_000_000_000

  /// A declaration that is new is intended, a notification is one. Else the machine is not as it was: because of a resource directly before it,
  /// or one it receives from, that was just changed, and then for the same reason; or because somebody changed it.
  func reason(_ slot: Int, refresh: Bool) -> ChangeReason {
    guard scheduler.flags(of: slot).contains(.succeededBefore), let entry = entries[slot] else { return .intended }
    if refresh { return .refresh }
    guard changeClock > entry.seen else { return .corrective }
    let poll = entry.meta.poll > 0 ? UInt64(entry.meta.poll) * 1_000_000_000 : 0
    let due = entry.dirtySince > 0 ? entry.dirtySince : now()
    var reason = ChangeReason.corrective
    for edge in scheduler.incomingEdges(slot) {
      guard let parent = entries[Int(scheduler.edges[edge].from)], parent.changedAt > entry.seen,
        parent.lastChange + Self.echo + poll >= due
      else { continue }
      switch parent.changeReason {
      case .intended: return .intended
      case .refresh: reason = .refresh
      case .corrective: break
      }
    }
    return reason
  }
}
