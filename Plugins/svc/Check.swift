// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// Who has the check made. [reactor]
protocol CheckOwner: AnyObject {
  /// The unit was there, in one of this resource's checks.
  var wasThere: Bool { get }
  func didRead(_ reading: UnitReading)
  /// The unit is in this state after a job failed.
  func didSee(activeState: String)
  /// Before the call ends.
  func checkEnds()
}

/// One check of a `svc`: carries out what `CheckMachine` says and ends the call exactly once. [reactor]
final class Check {
  private let settings: SvcSettings
  private let manager: Manager
  private let call: Call
  private let handle: ResourceHandle
  /// Whether the unit's files changed matters: each question about a unit that does not run has systemd load it.
  private let wantsReload: Bool
  private weak var owner: (any CheckOwner)?
  private var machine: CheckMachine
  /// Counts the actions: an answer to one that is not the latest is of no interest any more.
  private var turn = 0
  private var wait: JobWaits.Token?
  private var ticks: Source?
  private var seconds = 0
  private var isAskingForJob = false
  private var isOver = false

  /// Seconds after which a person is told what is waited for.
  private static let patience: UInt64 = 10

  init(
    _ settings: SvcSettings, manager: Manager, handle: ResourceHandle, call: Call, flags: CheckFlags, owner: any CheckOwner
  ) {
    self.settings = settings
    self.manager = manager
    self.handle = handle
    self.call = call
    self.owner = owner
    let (applies, refreshes) = (flags.contains(.apply), flags.contains(.refresh))
    wantsReload = applies && (settings.state == .running || settings.startup == .enabled || refreshes)
    machine = CheckMachine(settings, applies: applies, refreshes: refreshes, wasThere: owner.wasThere)
  }

  private var unit: String { settings.unit.text }
  private var words: FailureWords { FailureWords(unit: unit, isSession: settings.isSession) }

  /// The call is completed later.
  func start() {
    manager.began(self)
    perform(machine.start())
  }

  func cancel() {
    // Nobody wants it any more. A restart is left to its end: the unit may be stopped by now.
    if let job = machine.ownJob, job.kind != .refresh { cancelJob(job.path) }
    perform(machine.cancel())
  }

  private func cancelJob(_ path: String) {
    manager.call(MethodCall(path: path, interface: "org.freedesktop.systemd1.Job", member: "Cancel")) { _ in }
  }

  /// systemd is there again after it was not.
  func managerReturned() {
    guard let action = machine.managerReturned() else { return }
    stopWaiting()
    perform(action)
  }

  /// The unit will be read after what systemd does now.
  var isReloading: Bool { machine.isReloading }
  var isReading: Bool { machine.isReading }

  // MARK: Actions

  private func perform(_ action: CheckMachine.Action?) {
    guard let action, !isOver else { return }
    turn += 1
    for change in machine.takeChanges() { call.change(change.path, was: .string(change.was), will: .string(change.will)) }
    switch action {
    case .read: read()
    case .changeFiles(let change, let name): changeFiles(change, name)
    case .reloadDaemon: reloadDaemon()
    case .queue(let kind): queue(kind)
    case .wait(let job): wait(for: job)
    case .await: awaitManager()
    case .explain(let problem): explain(problem)
    case .finish(let outcome): finish(result(of: outcome))
    }
  }

  private func read() {
    let asked = turn
    manager.willHearOfJob()
    UnitReader(settings, manager: manager, wantsReload: wantsReload).read { [self] result in
      defer { manager.didHearOfJob() }
      guard asked == turn else { return }
      switch result {
      case .success(let reading):
        owner?.didRead(reading)
        perform(machine.read(reading))
      case .failure(let error): perform(machine.failed("\(unit) cannot be looked at", error))
      }
    }
  }

  private func changeFiles(_ change: CheckMachine.FileChange, _ name: String) {
    let method: MethodCall
    switch change {
    case .enable: method = .manager("EnableUnitFiles", .strings([name]), .bool(false), .bool(true))
    case .disable(let runtime): method = .manager("DisableUnitFiles", .strings([name]), .bool(runtime))
    }
    let what = change == .enable ? "\(name) cannot be enabled" : "\(name) cannot be disabled"
    let asked = turn
    manager.willChangeFiles()
    manager.call(method) { [self] result in
      switch result {
      case .success(let message):
        let links = UnitReader.changedLinks(message, afterEnabling: change == .enable)
        manager.didChangeFiles(telling: !links.isEmpty, others: links.contains { !$0.hasSuffix("/\(name)") })
        if asked == turn { perform(machine.filesChanged(anything: !links.isEmpty)) }
      case .failure(let error):
        manager.didChangeFiles(telling: false, others: false)
        if asked == turn { perform(machine.failed(what, error)) }
      }
    }
  }

  private func reloadDaemon() {
    if machine.reading?.needsReload == true {
      handle.log(.warning, "the file of \(unit) changed on disk: systemd reads its files anew (daemon-reload)")
    }
    let asked = turn
    manager.reloadDaemon { [self] result in
      guard asked == turn else { return }
      switch result {
      case .success: perform(machine.reloaded())
      case .failure(let error): perform(machine.failed("systemd does not read its files anew (daemon-reload)", error))
      }
    }
  }

  private func queue(_ kind: CheckMachine.JobKind) {
    let (member, what) =
      switch kind {
      case .start: ("StartUnit", "\(unit) cannot be started")
      case .stop: ("StopUnit", "\(unit) cannot be stopped")
      case .refresh: ("ReloadOrTryRestartUnit", "\(unit) cannot be reloaded or restarted")
      }
    let asked = turn
    manager.willHearOfJob()
    manager.call(.manager(member, .string(unit), .string("fail"))) { [self] result in
      defer { manager.didHearOfJob() }
      let job = result.message?.objectPath()
      guard asked == turn else {
        // Cancelled meanwhile: as `cancel` does.
        if isOver, let job, kind != .refresh, machine.reading?.job?.path != job { cancelJob(job) }
        return
      }
      switch (result, job) {
      case (.success, let job?): perform(machine.jobQueued(job))
      case (.success, nil): perform(machine.failed(what, .system(-EBADMSG, "systemd's answer is not understood")))
      case (.failure(let error), _): perform(machine.failed(what, error))
      }
    }
  }

  private func explain(_ problem: CheckMachine.Problem) {
    let asked = turn
    DetailsReader(settings, manager: manager).read(problem) { [self] details in
      guard asked == turn, machine.explained() != nil else { return }
      if let state = details.activeState { owner?.didSee(activeState: state) }
      finish(.failure(words.failure(problem, details)))
    }
  }

  // MARK: Waiting

  private func wait(for job: String) {
    stopWaiting()
    let asked = turn
    ticks = manager.timer(every: Self.patience * 1000) { [self] in tick(job) }
    wait = manager.wait(job: job) { [self] result in
      guard asked == turn else { return }
      stopWaiting()
      switch result {
      case .success(let result): perform(machine.jobEnded(result: result))
      case .failure(let error): perform(machine.failed("the end of a job of \(unit) cannot be waited for", error))
      }
    }
  }

  private func awaitManager() {
    stopWaiting()
    ticks = manager.timer(every: SystemdLink.absence) { [self] in
      stopWaiting()
      perform(machine.managerStaysAway())
    }
    if ticks == nil { perform(machine.managerStaysAway()) }
  }

  private func tick(_ job: String) {
    lookForJob(job)
    seconds += Int(Self.patience)
    let what =
      switch machine.ownJob?.kind {
      case .start: "\(unit) has been starting for \(seconds) s"
      case .stop: "\(unit) has been stopping for \(seconds) s"
      case .refresh: "\(unit) has been reloading or restarting for \(seconds) s"
      case nil: "waiting for a job of \(unit) for \(seconds) s"
      }
    call.progress(permille: 0, what)
  }

  /// Its end may be missed: a wait for what is not there any more would be one for ever.
  private func lookForJob(_ job: String) {
    guard !isAskingForJob else { return }
    isAskingForJob = true
    let asked = turn
    manager.call(.manager("ListUnitsByNames", .strings([unit]))) { [self] result in
      isAskingForJob = false
      guard asked == turn else { return }
      switch result {
      case .success(let message):
        guard let reading = UnitReader.list(message)?.first, reading.job?.path != job else { return }
        stopWaiting()
        perform(machine.jobIsGone())
      case .failure(let error):
        stopWaiting()
        perform(machine.failed("the end of a job of \(unit) cannot be waited for", error))
      }
    }
  }

  private func stopWaiting() {
    ticks?.delete()
    ticks = nil
    if let wait { manager.stopWaiting(wait) }
    wait = nil
  }

  // MARK: The end

  private func result(of outcome: CheckMachine.Outcome) -> Result<CheckResult, Failure> {
    switch outcome {
    case .ok: .success(.ok)
    case .changed: .success(.changed)
    case .differs: .success(.differs)
    case .cancelled: .failure(.cancelled)
    case .failed(let problem): .failure(words.failure(problem, UnitDetails()))
    }
  }

  private func finish(_ result: Result<CheckResult, Failure>) {
    guard !isOver else { return }
    isOver = true
    stopWaiting()
    manager.ended(self)
    // Another check may begin as soon as the call is complete.
    owner?.checkEnds()
    call.complete(result)
  }
}
