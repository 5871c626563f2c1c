// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Graph
import Reactor

/// Watches: armed, replaced by polling, broken and armed again.
extension Engine {
  /// Arms the watch of a vertex, or what stands in for it.
  func arm(_ slot: Int) {
    guard let entry = entries[slot], !entry.meta.hidden else { return }
    guard let instance = entry.leader.instance else {
      return cannotBeMade(
        slot,
        entry.failure ?? Diagnostic("resource.create", "it could not be made", resource: entry.resource.id.description))
    }
    if entry.meta.poll != 0 {
      if entry.meta.poll > 0 { startPolling(slot, seconds: UInt64(entry.meta.poll)) }
      return ready(Place(slot: slot))
    }
    do throws(MgmtError) {
      try instance.watch()
    } catch {
      if let reason = error.diagnostics.first { watchFailed(Place(slot: slot), reason) }
    }
  }

  private func startPolling(_ slot: Int, seconds: UInt64) {
    let timers = timers(of: slot)
    timers?.poll?.cancel()
    timers?.poll = reactor.addTimer(afterMilliseconds: seconds * 1000) { [weak self] in
      guard let self else { return }
      startPolling(slot, seconds: seconds)
      event(Place(slot: slot))
    }
  }

  func timers(of slot: Int) -> EntryTimers? {
    guard entries[slot] != nil else { return nil }
    if let timers = entries[slot]?.timers { return timers }
    let timers = EntryTimers()
    entries[slot]?.timers = timers
    return timers
  }

  /// A lost watch is armed again by the clock, however often, and takes no attempt from `retry`. One that is tried without end anyhow keeps its
  /// own pace, and is waited for.
  public func watchFailed(_ place: Place, _ reason: Diagnostic) {
    let slot = place.slot
    guard let entry = entries[slot] else { return }
    let reason = entry.masking(reason)
    setFailure(reason, of: slot)
    onEvent(.watchFailed(entry.resource.id, reason, willRetry: true))
    entry.leader.instance?.unwatch()
    let timers = timers(of: slot)
    let pause: UInt64
    if entry.meta.retry < 0 {
      let failures = entry.watchRetries == .max ? .max : entry.watchRetries + 1
      entries[slot]?.watchRetries = failures
      pause = entry.meta.delay > 0 ? entry.meta.delay : RetryPolicy.backoff(failures: failures, most: 1000)
      scheduler.watchLost(slot)
    } else {
      pause = timers?.patience.next(now: milliseconds()) ?? Patience.first
      lostWatches.insert(slot)
      scheduler.watchFailed(slot)
    }
    if entry.meta.retry != 0 { cancelForRearming(slot) }
    timers?.retryAt = now() + pause * 1_000_000
    timers?.watch?.cancel()
    timers?.watch = reactor.addTimer(afterMilliseconds: pause) { [weak self] in self?.armAgain(slot) }
    flush()
  }

  /// A check against a world that is not watched proves nothing.
  private func cancelForRearming(_ slot: Int) {
    guard scheduler.flags(of: slot).contains(.running) else { return }
    entries[slot]?.ending = .rearming
    entries[slot]?.leader.instance?.cancelCheck()
  }

  private func armAgain(_ slot: Int) {
    entries[slot]?.timers?.watch = nil
    entries[slot]?.timers?.retryAt = 0
    // When its check ends it is armed: `checkEnded`.
    guard !scheduler.flags(of: slot).contains(.running) else { return }
    rearm(slot)
    flush()
  }

  /// Its watch is lost and not being armed.
  func isUnwatched(_ slot: Int) -> Bool { scheduler.flags(of: slot).contains(.watchFailed) }

  func rearm(_ slot: Int) {
    entries[slot]?.ending = .none
    if entries[slot]?.leader.instance == nil, case .failed(let reason) = recreate(slot) { return cannotBeMade(slot, reason) }
    scheduler.watchLost(slot)
    arm(slot)
  }

  /// It could not be made: that is tried again only if the machine was at fault.
  private func cannotBeMade(_ slot: Int, _ reason: Diagnostic) {
    guard !MachineFaults.contains(reason) else { return watchFailed(Place(slot: slot), reason) }
    guard let entry = entries[slot] else { return }
    let reason = entry.masking(reason)
    setFailure(reason, of: slot)
    onEvent(.watchFailed(entry.resource.id, reason, willRetry: false))
    scheduler.watchFailed(slot)
    flush()
  }
}
