// SPDX-License-Identifier: Apache-2.0

/// One check of a unit as a value: each method takes what happened and returns what to do next; nil: it is
/// of no interest any more.
///
///     read -> enable or disable -> daemon-reload -> start or stop -> reload or restart
///
/// After each step the unit is read again; the check is over when nothing is left to do. What was done and is not so after
/// all is a failure. A step is repeated only where it may not have been done: systemd went away meanwhile, or refused because
/// of a job of somebody else. That is told once all the same.
struct CheckMachine: Equatable, Sendable {
  private enum Phase: Equatable, Sendable {
    case reading, changingFiles, reloading
    case queueing(JobKind)
    case waiting, explaining, over
    case away(String, BusError)
  }

  /// Somebody else's jobs that are waited for.
  private static let patience = 8

  private let settings: SvcSettings
  private let applies: Bool
  private let refreshes: Bool
  /// systemd knew the unit in this check or one before.
  private(set) var wasThere: Bool
  private var phase = Phase.reading
  /// Still to be told: taken by whoever carries the actions out.
  private var changes: [Change] = []
  /// Paths of changes that were told or will be.
  private var reported: Set<String> = []
  /// What the job changes that systemd was asked for and has not promised yet.
  private var requested: Change?
  private var hasActed = false
  private var didStartup = false
  private var didReload = false
  private var didJob: JobKind?
  private var waits = 0
  private var lastReading: UnitReading?
  /// The job this check queued, when it was not there before.
  private(set) var ownJob: OwnJob?
  /// It is the end of what this check queued, or joined, that is waited for.
  private var waitsForOwn = false
  private(set) var problem: Problem?

  init(_ settings: SvcSettings, applies: Bool, refreshes: Bool, wasThere: Bool = false) {
    self.settings = settings
    self.applies = applies
    self.refreshes = refreshes
    self.wasThere = wasThere
  }

  var isReloading: Bool { phase == .reloading }
  var isReading: Bool { phase == .reading }
  var reading: UnitReading? { lastReading }

  mutating func takeChanges() -> [Change] {
    defer { changes = [] }
    return changes
  }

  mutating func start() -> Action {
    phase = .reading
    return .read
  }

  // MARK: What happened

  mutating func read(_ reading: UnitReading) -> Action? {
    guard phase == .reading else { return nil }
    lastReading = reading
    if reading.loadState != "not-found" { wasThere = true }
    if let problem = loadProblem(reading) { return reloadStep(reading) ?? explain(problem) }
    if let action = startupStep(reading) { return action }
    if let action = stateStep(reading) { return action }
    if let action = refreshStep(reading) { return action }
    if !changes.isEmpty { return finish(.differs) }
    return finish(hasActed ? .changed : .ok)
  }

  /// `anything`: links were made or removed.
  mutating func filesChanged(anything: Bool) -> Action? {
    guard phase == .changingFiles else { return nil }
    return anything ? reloadDaemon() : readAgain()
  }

  mutating func reloaded() -> Action? {
    guard phase == .reloading else { return nil }
    return readAgain()
  }

  mutating func jobQueued(_ path: String) -> Action? {
    guard case .queueing(let kind) = phase else { return nil }
    reportRequested()
    if lastReading?.job?.path != path { ownJob = OwnJob(kind: kind, path: path) }
    (phase, waitsForOwn) = (.waiting, true)
    return .wait(job: path)
  }

  mutating func jobEnded(result: String) -> Action? {
    guard phase == .waiting else { return nil }
    ownJob = nil
    // Of somebody else's job only the end counts.
    guard waitsForOwn, let kind = didJob else { return readAgain() }
    switch result {
    case "done", "skipped": return readAgain()
    default: return explain(.job(kind, result: result))
    }
  }

  /// It ended, and nobody told how.
  mutating func jobIsGone() -> Action? {
    guard phase == .waiting else { return nil }
    ownJob = nil
    return readAgain()
  }

  mutating func failed(_ what: String, _ error: BusError) -> Action? {
    if phase == .over || phase == .explaining { return nil }
    if requested != nil, error.name == "org.freedesktop.systemd1.TransactionIsDestructive", waits < Self.patience {
      // Somebody queued an opposite job after the unit was read.
      waits += 1
      (requested, didJob) = (nil, nil)
      return readAgain()
    }
    reportRequested()
    if error.isLost || error.isNobodyThere, waits < Self.patience {
      waits += 1
      forgetSteps()
      phase = .away(what, error)
      return .await
    }
    return explain(.bus(what, error))
  }

  mutating func explained() -> Action? {
    guard case .explaining = phase, let problem else { return nil }
    return finish(.failed(problem))
  }

  /// systemd or the bus was started anew: what was asked for may never be answered, or be refused later than this is known, and may
  /// have been done or not.
  mutating func managerReturned() -> Action? {
    switch phase {
    case .explaining, .over: return nil
    default:
      reportRequested()
      forgetSteps()
      return readAgain()
    }
  }

  mutating func managerStaysAway() -> Action? {
    guard case .away(let what, let error) = phase else { return nil }
    return explain(.bus(what, error))
  }

  mutating func cancel() -> Action {
    reportRequested()
    return finish(.cancelled)
  }

  // MARK: The steps

  private func loadProblem(_ reading: UnitReading) -> Problem? {
    let wantsUp = settings.state == .running && !reading.isUp
    switch reading.loadState {
    case "not-found":
      // A transient unit is gone when it is stopped. One that was never there is rather a wrong name.
      guard settings.state == .stopped, settings.startup != .enabled, !reading.isDown || wasThere else { return .notFound }
      return nil
    case "masked": return wantsUp ? .masked : nil
    case "bad-setting", "error": return wantsUp || settings.startup == .enabled ? .unusable(reading.loadState) : nil
    default: return nil
    }
  }

  private mutating func startupStep(_ reading: UnitReading) -> Action? {
    guard let wanted = settings.startup, reading.loadState != "not-found" else { return nil }
    if let error = reading.fileStateError {
      return explain(.bus("systemd does not tell whether \(settings.unit.text) is \(wanted.rawValue)", error))
    }
    let rule = StartupRule(
      wanted, state: reading.fileState, unit: reading.fileName, user: settings.isSession ? "--user " : "")
    let change: FileChange
    switch rule {
    case .fine: return nil
    case .impossible(let reason, let hint): return explain(.startup(reason, hint: hint))
    case .enable: change = .enable
    case .disable(let runtime): change = .disable(runtime: runtime)
    }
    if didStartup { return explain(.startupStayed(reading.fileState ?? "without a unit file")) }
    report(Change(path: "startup", was: reading.fileState ?? "disabled", will: wanted.rawValue))
    guard applies else { return nil }
    (didStartup, hasActed) = (true, true)
    phase = .changingFiles
    return .changeFiles(change, name: reading.fileName)
  }

  private mutating func stateStep(_ reading: UnitReading) -> Action? {
    let kind: JobKind
    switch settings.state {
    case .running where !reading.isUp: kind = .start
    case .stopped where !reading.isDown: kind = .stop
    default: return nil
    }
    if let didJob { return explain(.stateStayed(didJob, reading.stateText)) }
    guard applies else {
      report(change(of: kind, reading))
      return nil
    }
    if let job = reading.job, isOpposite(job, to: kind) { return waitForOther(job) }
    if kind == .start, let action = reloadStep(reading) { return action }
    return queue(kind, reading)
  }

  private mutating func refreshStep(_ reading: UnitReading) -> Action? {
    guard refreshes, didJob == nil, reading.isUp, settings.state != .stopped else { return nil }
    guard applies else {
      report(change(of: .refresh, reading))
      return nil
    }
    if let job = reading.job, isOpposite(job, to: .refresh) { return waitForOther(job) }
    if let action = reloadStep(reading) { return action }
    return queue(.refresh, reading)
  }

  /// A job would use the files as systemd knows them.
  private mutating func reloadStep(_ reading: UnitReading) -> Action? {
    reading.needsReload && !didReload ? reloadDaemon() : nil
  }

  private func isOpposite(_ job: UnitReading.Job, to kind: JobKind) -> Bool {
    kind == .stop ? job.type != "stop" : job.type == "stop"
  }

  private mutating func waitForOther(_ job: UnitReading.Job) -> Action {
    guard waits < Self.patience else { return explain(.busy(job)) }
    waits += 1
    (phase, waitsForOwn) = (.waiting, false)
    return .wait(job: job.path)
  }

  private func change(of kind: JobKind, _ reading: UnitReading) -> Change {
    switch kind {
    case .start:
      Change(
        path: "state", was: reading.isDown && reading.activeState != "failed" ? "stopped" : reading.stateText, will: "running")
    case .stop: Change(path: "state", was: reading.activeState == "active" ? "running" : reading.stateText, will: "stopped")
    case .refresh: Change(path: "state", was: "running", will: "reloaded or restarted")
    }
  }

  // MARK: Ways

  private mutating func queue(_ kind: JobKind, _ reading: UnitReading) -> Action {
    (didJob, requested) = (kind, change(of: kind, reading))
    phase = .queueing(kind)
    return .queue(kind)
  }

  private mutating func reportRequested() {
    guard let change = requested else { return }
    (requested, hasActed) = (nil, true)
    report(change)
  }

  private mutating func report(_ change: Change) {
    if reported.insert(change.path).inserted { changes.append(change) }
  }

  private mutating func reloadDaemon() -> Action {
    didReload = true
    phase = .reloading
    return .reloadDaemon
  }

  private mutating func readAgain() -> Action {
    phase = .reading
    return .read
  }

  private mutating func forgetSteps() {
    (didStartup, didReload, didJob, ownJob) = (false, false, nil, nil)
  }

  private mutating func explain(_ problem: Problem) -> Action {
    self.problem = problem
    phase = .explaining
    return .explain(problem)
  }

  private mutating func finish(_ outcome: Outcome) -> Action {
    phase = .over
    return .finish(outcome)
  }
}
