// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
public import Reactor

/// Keeps the resources of one graph in their declared state. Made and used on the reactor's thread; what happens is reported
/// to `onEvent`, on that thread, in order.
public final class Engine {
  public var onEvent: (EngineEvent) -> Void = { _ in }
  public let options: EngineOptions

  let reactor: Reactor
  let factory: any InstanceFactory
  var scheduler = Scheduler()
  var entries: [Entry?] = []
  var freeSlots: [Int] = []
  /// Vertices by the names of their leaders.
  var slots: [ResourceID: Int] = [:]
  var memberPlaces: [ResourceID: Place] = [:]
  var hiddenPlaces: [ResourceID: Place] = [:]
  /// Who receives from whom.
  var receivers: [ResourceID: [Place]] = [:]
  /// Pairs of slots, sorted.
  var automaticEdges: [UInt64] = []
  public internal(set) var graphName = ""
  /// Resources that have failed and not succeeded since.
  var failureCount = 0
  var fights = Fights()
  /// Counts changes of resources.
  var changeClock: UInt64 = 0
  /// Those whose watch is lost, until a check succeeds with another one.
  var lostWatches: Set<Int> = []
  var swap: Swap?
  var preparing: Preparation?
  /// Graphs that came while one is on its way in which must not be passed over.
  var waitingGraphs: [ResourceGraph] = []
  var isCommitting = false
  private var converger: Converger
  private var convergeTimer: ReactorTimer?
  private var isFlushing = false
  private var isFlushPlanned = false
  /// A graph runs: the time of quiet counts.
  private var isStarted = false
  /// `pause` was called: graphs may come in, but nothing is checked.
  private(set) var isHeld = false
  private var onDrained: (() -> Void)?
  var settling = Settling()
  var onSettled: [() -> Void] = []
  /// The last attempt to bring what was written to the disk failed.
  public internal(set) var isDiskInDoubt = false

  public init(reactor: Reactor, factory: any InstanceFactory, options: EngineOptions = .init()) {
    self.reactor = reactor
    self.factory = factory
    self.options = options
    converger = Converger(timeoutSeconds: options.convergedTimeout)
  }

  func now() -> UInt64 { monotonicNow() }
  func milliseconds() -> UInt64 { monotonicNow() / 1_000_000 }

  /// Where a resource of the graph is, alone or in a group.
  func place(of id: ResourceID, isHidden: Bool) -> Place? {
    if isHidden { return hiddenPlaces[id] }
    return slots[id].map { Place(slot: $0) } ?? (memberPlaces.isEmpty ? nil : memberPlaces[id])
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
    updateSettling()
    if scheduler.runningCount == 0, let onDrained {
      self.onDrained = nil
      onDrained()
    }
  }

  private func perform(_ action: Scheduler.Action) {
    switch action {
    case .wakeLater(let slot, let pause, let milliseconds): wakeLater(slot, pause, milliseconds)
    case .check(let slot, let refresh): check(slot, refresh: refresh)
    }
  }

  private func wakeLater(_ slot: Int, _ pause: Scheduler.Pause, _ milliseconds: UInt64) {
    let timer = reactor.addTimer(afterMilliseconds: milliseconds) { [weak self] in
      guard let self else { return }
      scheduler.wake(slot, pause)
      flush()
    }
    let timers = timers(of: slot)
    switch pause {
    case .retry:
      timers?.retry?.cancel()
      timers?.retry = timer
      timers?.retryAt = now() + milliseconds * 1_000_000
    case .limit:
      timers?.limit?.cancel()
      timers?.limit = timer
    case .fault:
      timers?.fault?.cancel()
      timers?.fault = timer
      timers?.faultAt = now() + milliseconds * 1_000_000
    case .fight:
      timers?.pace?.cancel()
      timers?.pace = timer
    }
  }

  private func check(_ slot: Int, refresh: Bool) {
    guard let meta = entries[slot]?.meta, let id = entries[slot]?.resource.id else { return }
    let reason = reason(slot, refresh: refresh)
    entries[slot]?.reason = reason
    entries[slot]?.begunAt = changeClock
    entries[slot]?.ending = .none
    switch receive(slot) {
    case .ready: break
    case .failed(let reason): return checkEnded(Place(slot: slot), CheckOutcome(.failed(reason)))
    case .recreated:
      scheduler.checkEnded(slot, .cancelled, now: milliseconds())
      scheduler.watchLost(slot)
      return arm(slot)
    }
    guard let instance = entries[slot]?.leader.instance else {
      return checkEnded(Place(slot: slot), CheckOutcome(.failed(Diagnostic("resource.create", "it could not be made"))))
    }
    onEvent(.checkStarted(id, apply: !meta.noop))
    if meta.timeout > 0 {
      timers(of: slot)?.timeout = reactor.addTimer(afterMilliseconds: meta.timeout) { [weak self] in self?.timeOut(slot) }
    }
    let records = meta.reverse && !meta.noop && entries[slot]?.hasReversal == false
    instance.check(
      CheckRequest(apply: !meta.noop, refresh: refresh, wantsDiff: options.wantsDiff, recordsReversal: records))
  }

  private func timeOut(_ slot: Int) {
    guard scheduler.flags(of: slot).contains(.running) else { return }
    entries[slot]?.ending = .timedOut
    entries[slot]?.leader.instance?.cancelCheck()
  }

  func startConvergenceClock() {
    isStarted = true
  }

  private func updateConvergence() {
    guard isStarted, !isHeld else { return }
    act(converger.update(stillness, succeeds: isConverged, now: now()))
  }

  /// Nothing is on its way but what is tried again and again.
  var isStill: Bool { stillness != .busy }

  private var stillness: Converger.Stillness {
    guard swap == nil, preparing == nil else { return .busy }
    return scheduler.isQuiet ? .quiet : isHeldUp ? .trying : .busy
  }

  /// Something is not as asked, and will be tried again and again: what happens meanwhile does not put off saying so.
  var isHeldUp: Bool { !fights.isEmpty || !scheduler.patience.isEmpty || !lostWatches.isEmpty }

  private func act(_ actions: [Converger.Action]) {
    for action in actions {
      switch action {
      case .cancelTimer:
        convergeTimer?.cancel()
        convergeTimer = nil
      case .setTimer(let deadline):
        convergeTimer?.cancel()
        let now = now()
        let wait = deadline > now ? (deadline - now + 999_999) / 1_000_000 : 0
        convergeTimer = reactor.addTimer(afterMilliseconds: wait) { [weak self] in
          guard let self else { return }
          act(converger.timerFired(now: self.now()))
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
    act(converger.pause())
    onDrained = drained
    flush()
  }

  /// Starts no more checks; those that run go on.
  public func hold() {
    isHeld = true
    scheduler.pause()
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
      entry?.leader.instance?.cancelCheck()
    }
  }
}

// MARK: Inputs of instances

extension Engine: InstanceOwner {
  public func ready(_ place: Place) {
    scheduler.ready(place.slot, now: milliseconds())
    flush()
  }

  public func event(_ place: Place) {
    noteDirty(place.slot)
    scheduler.event(place.slot, now: milliseconds())
    guard !isFlushPlanned else { return }
    isFlushPlanned = true
    reactor.afterCallback { [weak self] in
      self?.isFlushPlanned = false
      self?.flush()
    }
  }

  /// From now on counts how long it takes until it is checked.
  func noteDirty(_ slot: Int) {
    guard entries.indices.contains(slot), entries[slot]?.dirtySince == 0 else { return }
    entries[slot]?.dirtySince = now()
  }

  public func checkEnded(_ place: Place, _ outcome: CheckOutcome) {
    let slot = place.slot
    guard let entry = entries[slot] else { return }
    entry.timers?.timeout?.cancel()
    entry.timers?.timeout = nil
    let outcome = interpret(outcome, entry)
    let masked = entry.masking(outcome)
    let end = now()
    let isKnown = isKnown(masked, entry)
    let hasSucceeded = record(masked, slot: slot, at: end)
    if hasSucceeded {
      forgetChanges(slot)
      if !outcome.sent.isEmpty { sent(outcome.sent, from: slot) }
      if entry.isReversal, !entry.meta.noop { putBack(entry) }
    }
    scheduler.checkEnded(slot, result(of: outcome.status), now: end / 1_000_000)
    if case .changed = outcome.status {
      if !isHeldUp { act(converger.activity()) }
      settling.changed(entry.resource.id.kind)
    }
    let willRetry =
      !hasSucceeded
      && (scheduler.patience[slot] != nil || !scheduler.flags(of: slot).isDisjoint(with: [.retrying, .wakePending]))
    let latency = entry.dirtySince > 0 ? end - entry.dirtySince : outcome.duration
    entries[slot]?.dirtySince = scheduler.flags(of: slot).contains(.dirty) ? end : 0
    let isOpen = !hasSucceeded && entry.meta.noop && !differing(before: slot).isEmpty
    onEvent(
      .checkEnded(
        entry.resource.id, options.showsSecrets ? outcome : masked,
        CheckContext(
          reason: entry.reason, apply: !entry.meta.noop, willRetry: willRetry, isKnown: isKnown, isOpen: isOpen,
          latency: latency)))
    if case .changed = outcome.status { noteChange(slot, outcome, at: end) }
    if let timers = entry.timers, timers.watch == nil, entry.ending == .rearming || isUnwatched(slot) { rearm(slot) }
    flush()
  }

  /// It failed as it did before, and was only tried again because time had passed.
  private func isKnown(_ outcome: CheckOutcome, _ entry: Entry) -> Bool {
    guard case .failed(let reason) = outcome.status else { return false }
    return reason == entry.failure && MachineFaults.contains(reason)
  }

  /// A reversal is done once: what happens there from now on is not for it to mend. It leaves with the next graph.
  private func putBack(_ entry: Entry) {
    factory.forgetReversal(of: entry.resource.id)
    entry.leader.instance?.unwatch()
    entry.timers?.poll?.cancel()
  }

  /// The outcome as the engine sees it: with why it was cancelled.
  private func interpret(_ outcome: CheckOutcome, _ entry: Entry) -> CheckOutcome {
    var outcome = outcome
    switch (entry.ending, outcome.status) {
    case (.timedOut, .cancelled), (.timedOut, .failed):
      let seconds = Double(entry.meta.timeout) / 1000
      outcome.status = .failed(
        Diagnostic(
          "resource.timeout", "timeout after \(seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)") seconds",
          resource: entry.resource.id.description, labels: entry.resource.origin.map { [.init($0)] } ?? [],
          hint: "the meta parameter timeout says how long a check may take"))
    case (.rearming, .failed): outcome.status = .cancelled
    default: break
    }
    return outcome
  }

  private func result(of status: CheckOutcome.Status) -> Scheduler.Result {
    switch status {
    case .ok: .success(changed: false)
    case .differs: .differs
    case .changed: .success(changed: true)
    case .failed(let reason): MachineFaults.contains(reason) ? .fault : .failure
    case .cancelled: .cancelled
    }
  }

  /// Whether it succeeded.
  private func record(_ outcome: CheckOutcome, slot: Int, at time: UInt64) -> Bool {
    switch outcome.status {
    case .cancelled:
      let isRearming = entries[slot]?.ending == .rearming
      entries[slot]?.wasCancelled = !isRearming
      return false
    case .failed(let reason): setFailure(reason, of: slot)
    case .ok, .changed, .differs:
      // Without a watch what was seen may be over already.
      if !isUnwatched(slot) {
        setFailure(nil, of: slot)
        lostWatches.remove(slot)
      }
      entries[slot]?.hasReversal = true
      entries[slot]?.differs = if case .differs = outcome.status { true } else { false }
    }
    entries[slot]?.lastCheck = time
    entries[slot]?.wasChecked = true
    entries[slot]?.wasCancelled = false
    if case .failed = outcome.status { return false }
    entries[slot]?.noteSuccess()
    if case .changed = outcome.status {
      changeClock += 1
      entries[slot]?.noteChange(at: time, changeClock)
    }
    return true
  }

  /// A failure stays one until a check succeeds, whatever the resource waits for meanwhile.
  func setFailure(_ reason: Diagnostic?, of slot: Int) {
    guard let before = entries[slot]?.failure else {
      guard reason != nil else { return }
      failureCount += 1
      entries[slot]?.failure = reason
      return
    }
    guard reason != before else { return }
    if reason == nil { failureCount -= 1 }
    entries[slot]?.failure = reason
  }

  public func progress(_ place: Place, permille: UInt32, text: String) {
    guard let entry = entries[place.slot], let id = entry[place.part]?.resource.id else { return }
    onEvent(.progress(id, permille: permille, text: options.showsSecrets ? text : entry.masking(text)))
  }

  public func log(_ place: Place?, _ level: LogLevel, _ text: String) {
    let entry = place.flatMap { entries.indices.contains($0.slot) ? entries[$0.slot] : nil }
    let id = place.flatMap { entry?[$0.part]?.resource.id }
    onEvent(.log(level, id, options.showsSecrets ? text : entry?.masking(text) ?? text))
  }
}
