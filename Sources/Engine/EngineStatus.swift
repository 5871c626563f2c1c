// SPDX-License-Identifier: Apache-2.0

import Graph

/// Looking at what runs.
extension Engine {
  public var counts: EngineCounts {
    var counts = EngineCounts()
    counts.total = scheduler.vertexCount
    counts.running = scheduler.runningCount
    // What is not armed yet is dirty, too, and so is what has failed.
    counts.pending = max(0, scheduler.dirtyCount - failureCount)
    counts.starting = scheduler.vertexCount - scheduler.startedCount
    counts.failed = failureCount
    return counts
  }

  /// A graph is being prepared, waits, or takes the place of the one before.
  public var isGraphOnItsWay: Bool { swap != nil || preparing != nil || !waitingGraphs.isEmpty }

  /// Nothing runs and everything is as asked.
  public var isConverged: Bool { scheduler.isConverged && fights.isEmpty && swap == nil && preparing == nil }

  /// Every resource, sorted by name.
  public func status() -> [ResourceStatus] {
    var all: [ResourceStatus] = []
    visitStatus { all.append($0) }
    return all.sorted { ($0.id.kind, $0.id.name) < ($1.id.kind, $1.id.name) }
  }

  /// Every resource, in no order.
  public func visitStatus(_ body: (ResourceStatus) -> Void) {
    for slot in entries.indices { visitStatus(slot: slot, body) }
  }

  private func visitStatus(slot: Int, _ body: (ResourceStatus) -> Void) {
    guard let entry = entries[slot], let status = status(entry, slot) else { return }
    body(status)
    for member in entry.members {
      var copy = status
      copy.id = member.resource.id
      copy.members = []
      copy.leader = entry.resource.id
      body(copy)
    }
  }

  private func status(_ entry: Entry, _ slot: Int) -> ResourceStatus? {
    let flags = scheduler.flags(of: slot)
    let blockers = scheduler.blockers(of: slot)
    var status = ResourceStatus(
      id: entry.resource.id, phase: phase(entry, flags, isBlocked: !blockers.isEmpty), wasChecked: entry.wasChecked,
      waitsFor: blockers.compactMap { entries[$0]?.resource.id }, failure: entry.failure, changes: entry.changes)
    status.waiting = waitReason(slot, flags, blockers)
    if entry.lastCheck > 0 { status.lastCheck = EngineTime(nanoseconds: entry.lastCheck) }
    if entry.lastChange > 0 { status.lastChange = EngineTime(nanoseconds: entry.lastChange) }
    status.nextAttempt = nextAttempt(entry, flags).map(EngineTime.init(nanoseconds:))
    if let fight = fights[slot] {
      status.fight = FightStatus(
        repairs: fight.repairs, since: EngineTime(nanoseconds: fight.since * 1_000_000),
        companions: entry.timers?.companions ?? [])
    }
    status.isRunning = flags.contains(.running)
    status.wasCancelled = entry.wasCancelled && !status.isRunning
    status.members = entry.members.map(\.resource.id)
    status.isReversal = entry.isReversal
    status.isHidden = entry.meta.hidden
    return status
  }

  private func nextAttempt(_ entry: Entry, _ flags: Scheduler.Flags) -> UInt64? {
    guard let timers = entry.timers else { return nil }
    let retry = flags.contains(.wakePending) || timers.watch != nil ? timers.retryAt : 0
    let fault = flags.contains(.failed) ? timers.faultAt : 0
    return [retry, fault].filter { $0 > 0 }.min()
  }

  private func phase(_ entry: Entry, _ flags: Scheduler.Flags, isBlocked: Bool) -> ResourceStatus.Phase {
    if entry.failure != nil { return .failed }
    if flags.contains(.running) { return .running }
    if !flags.contains(.started) { return .starting }
    if !flags.contains(.dirty) { return entry.differs ? .differs : .ok }
    return scheduler.isQuiet && isBlocked ? .blocked : .waiting
  }

  private func waitReason(_ slot: Int, _ flags: Scheduler.Flags, _ blockers: [Int]) -> WaitReason? {
    if flags.contains(.running) { return nil }
    if let entry = entries[slot], nextAttempt(entry, flags) != nil { return .retry }
    if flags.contains(.failed) { return nil }
    if !flags.contains(.started) { return .watch }
    guard flags.contains(.dirty) else { return nil }
    if flags.contains(.closing) { return .leaving }
    if scheduler.isPaused { return .paused }
    if flags.contains(.throttled) { return .limit }
    if flags.contains(.resting) { return .fight }
    if let id = scheduler.awaitedSemaphore(of: slot) { return .semaphore(id) }
    return blockers.isEmpty ? nil : .parents
  }
}
