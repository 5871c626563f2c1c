// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Graph
public import Reactor

/// How an engine treats every graph.
public struct EngineOptions: Sendable {
  /// Check only, whatever the resources say.
  public var noop = false
  /// > 0: at most so many resources are checked at once.
  public var semaphoreSize = 0
  /// Seconds without activity until converged; < 0: never.
  public var convergedTimeout = -1
  /// Changes are reported with their contents.
  public var wantsDiff = false

  public init() {}
}

/// Keeps the resources of one graph in their declared state. Made and used on the reactor's thread; what happens is reported
/// to `onEvent`, on that thread, in order.
public final class Engine {
  public var onEvent: (EngineEvent) -> Void = { _ in }
  public let options: EngineOptions

  let reactor: Reactor
  let factory: any InstanceFactory
  var scheduler = Scheduler()
  var slots: [ResourceID: Int] = [:]
  var entries: [Entry?] = []
  var freeSlots: [Int] = []
  var graphName = ""
  var swap: Swap?
  private var converger: Converger
  private var convergeTimer: ReactorTimer?
  private var isFlushing = false
  private var isFlushPlanned = false
  /// A graph runs: the time of quiet counts.
  private var isStarted = false
  /// `pause` was called: graphs may come in, but nothing is checked.
  private(set) var isHeld = false
  private var onDrained: (() -> Void)?

  /// A running resource.
  struct Entry {
    var resource: Resource
    /// nil: it could not be made.
    var instance: (any ResourceInstance)?
    var failure: Diagnostic?
    var differs = false
    var wasChecked = false
    var changes: UInt32 = 0
    /// The check that runs: is it for a notification, and was the resource as asked before?
    var reason = ChangeReason.intended
  }

  public init(reactor: Reactor, factory: any InstanceFactory, options: EngineOptions = .init()) {
    self.reactor = reactor
    self.factory = factory
    self.options = options
    converger = Converger(timeoutSeconds: options.convergedTimeout)
  }

  // MARK: Running

  /// Does what the scheduler asks for, and tells the converger. After every input.
  func flush() {
    guard !isFlushing else { return }
    isFlushing = true
    while true {
      let actions = scheduler.takeActions()
      if actions.isEmpty { break }
      for action in actions { perform(action) }
    }
    isFlushing = false
    continueSwap()
    updateConvergence()
    if scheduler.runningCount == 0, let onDrained {
      self.onDrained = nil
      onDrained()
    }
  }

  private func perform(_ action: Scheduler.Action) {
    switch action {
    case .wakeLater(let slot, let milliseconds):
      reactor.addTimer(afterMilliseconds: milliseconds) { [weak self] in
        guard let self else { return }
        scheduler.wake(slot)
        flush()
      }
    case .check(let slot, let refresh):
      guard let resource = entries[slot]?.resource, let instance = entries[slot]?.instance else { return }
      let apply = !(options.noop || resource.meta.noop)
      entries[slot]?.reason =
        scheduler.flags(of: slot).contains(.succeededBefore) ? (refresh ? .refresh : .corrective) : .intended
      onEvent(.checkStarted(resource.id, apply: apply))
      instance.check(CheckRequest(apply: apply, refresh: refresh, wantsDiff: options.wantsDiff))
    }
  }

  func startConvergenceClock() {
    isStarted = true
  }

  private func updateConvergence() {
    guard isStarted, !isHeld else { return }
    let quiet = scheduler.isQuiet && swap == nil
    act(converger.update(quiet: quiet, succeeds: scheduler.isConverged, now: monotonicNow()))
  }

  private func act(_ actions: [Converger.Action]) {
    for action in actions {
      switch action {
      case .cancelTimer:
        convergeTimer?.cancel()
        convergeTimer = nil
      case .setTimer(let deadline):
        convergeTimer?.cancel()
        let now = monotonicNow()
        let wait = deadline > now ? (deadline - now + 999_999) / 1_000_000 : 0
        convergeTimer = reactor.addTimer(afterMilliseconds: wait) { [weak self] in
          guard let self else { return }
          act(converger.timerFired(now: monotonicNow()))
        }
      case .report(.converged): onEvent(.converged(true))
      case .report(.unconverged): onEvent(.converged(false))
      case .report(.stalled): onEvent(.stalled)
      }
    }
  }

  // MARK: Ending

  /// Starts no more checks; `drained` is called once those that run have ended.
  public func pause(_ drained: @escaping () -> Void) {
    isHeld = true
    scheduler.pause()
    onDrained = drained
    flush()
  }

  /// Goes on after `pause`.
  public func resume() {
    onDrained = nil
    isHeld = false
    scheduler.resume()
    flush()
  }

  /// Asks every running check to end soon.
  public func cancelChecks() {
    for (slot, entry) in entries.enumerated() where scheduler.flags(of: slot).contains(.running) {
      entry?.instance?.cancelCheck()
    }
  }

  // MARK: Looking

  public var counts: EngineCounts {
    var counts = EngineCounts()
    counts.total = scheduler.vertexCount
    counts.running = scheduler.runningCount
    counts.pending = max(0, scheduler.dirtyCount + scheduler.vertexCount - scheduler.startedCount - scheduler.failedCount)
    counts.failed = scheduler.failedCount
    return counts
  }

  /// Every resource, sorted by name.
  public func status() -> [ResourceStatus] {
    entries.indices.compactMap(status(slot:)).sorted { ($0.id.kind, $0.id.name) < ($1.id.kind, $1.id.name) }
  }

  /// Every resource, in no order.
  public func visitStatus(_ body: (ResourceStatus) -> Void) {
    for slot in entries.indices {
      if let status = status(slot: slot) { body(status) }
    }
  }

  private func status(slot: Int) -> ResourceStatus? {
    guard let entry = entries[slot] else { return nil }
    let flags = scheduler.flags(of: slot)
    let blockers = scheduler.blockers(of: slot)
    let phase: ResourceStatus.Phase =
      if flags.contains(.failed) {
        .failed
      } else if flags.contains(.running) {
        .running
      } else if !flags.contains(.started) {
        .starting
      } else if !flags.contains(.dirty) {
        entry.differs ? .differs : .ok
      } else {
        scheduler.isQuiet && !blockers.isEmpty ? .blocked : .waiting
      }
    return ResourceStatus(
      id: entry.resource.id, phase: phase, wasChecked: entry.wasChecked,
      waitsFor: blockers.compactMap { entries[$0]?.resource.id },
      failure: entry.failure, changes: entry.changes)
  }
}

// MARK: Inputs of instances

extension Engine: InstanceOwner {
  public func ready(slot: Int) {
    scheduler.ready(slot)
    flush()
  }

  public func event(slot: Int) {
    scheduler.event(slot, now: monotonicNow() / 1_000_000)
    guard !isFlushPlanned else { return }
    isFlushPlanned = true
    reactor.afterCallback { [weak self] in
      self?.isFlushPlanned = false
      self?.flush()
    }
  }

  public func watchFailed(slot: Int, _ reason: Diagnostic) {
    guard let id = entries[slot]?.resource.id else { return }
    entries[slot]?.failure = reason
    onEvent(.watchFailed(id, reason, willRetry: false))
    scheduler.watchFailed(slot)
    flush()
  }

  public func checkEnded(slot: Int, _ outcome: CheckOutcome) {
    guard let entry = entries[slot] else { return }
    var outcome = outcome
    outcome.changes = outcome.changes.masked(by: factory.schema(of: entry.resource.id.kind))
    let result: Scheduler.Result
    switch outcome.status {
    case .ok: result = .success(changed: false)
    case .changed: result = .success(changed: true)
    case .differs: result = .success(changed: false)
    case .failed: result = .failure
    case .cancelled: result = .cancelled
    }
    record(outcome, slot: slot)
    onEvent(.checkEnded(entry.resource.id, outcome, CheckContext(reason: entry.reason, apply: true)))
    if case .changed = outcome.status { act(converger.activity()) }
    scheduler.checkEnded(slot, result, now: monotonicNow() / 1_000_000)
    flush()
  }

  private func record(_ outcome: CheckOutcome, slot: Int) {
    switch outcome.status {
    case .failed(let reason): entries[slot]?.failure = reason
    case .cancelled: return
    case .ok, .changed, .differs:
      entries[slot]?.failure = nil
      entries[slot]?.differs = if case .differs = outcome.status { true } else { false }
    }
    if case .changed = outcome.status { entries[slot]?.changes += 1 }
    entries[slot]?.wasChecked = true
  }

  public func progress(slot: Int, permille: UInt32, text: String) {
    guard let id = entries[slot]?.resource.id else { return }
    onEvent(.progress(id, permille: permille, text: text))
  }

  public func log(slot: Int?, _ level: LogLevel, _ text: String) {
    onEvent(.log(level, slot.flatMap { entries.indices.contains($0) ? entries[$0]?.resource.id : nil }, text))
  }
}
