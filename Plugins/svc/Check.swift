// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// One check of a `svc`: carries out what `CheckMachine` says and ends the call exactly once. [reactor]
final class Check {
  private let settings: SvcSettings
  private let manager: Manager
  private let call: Call
  private let handle: ResourceHandle
  private let applies: Bool
  private var machine: CheckMachine
  private var wait: JobWaits.Token?
  private var ticks: Source?
  private var seconds = 0
  /// Gets each reading, as it comes.
  private let didRead: (UnitReading) -> Void
  /// Runs before the call ends.
  private let willEnd: () -> Void
  private var isOver = false

  /// Seconds after which a person is told what is waited for.
  private static let patience: UInt64 = 10
  /// Milliseconds systemd or the bus may be away, as while it is started anew, before the check fails.
  private static let absence: UInt64 = 3000

  init(
    _ settings: SvcSettings, manager: Manager, handle: ResourceHandle, call: Call, flags: CheckFlags,
    didRead: @escaping (UnitReading) -> Void, willEnd: @escaping () -> Void
  ) {
    self.settings = settings
    self.manager = manager
    self.handle = handle
    self.call = call
    self.didRead = didRead
    self.willEnd = willEnd
    applies = flags.contains(.apply)
    machine = CheckMachine(settings, applies: applies, refreshes: flags.contains(.refresh))
  }

  private var unit: String { settings.unit.text }
  private var words: FailureWords { FailureWords(unit: unit, isSession: settings.isSession) }

  /// Throws when systemd cannot be asked at all; otherwise the call is completed later.
  func start() throws(Failure) {
    manager.began(self)
    do throws(Failure) {
      try carryOut(machine.start())
    } catch {
      end()
      throw error
    }
  }

  func cancel() {
    let job = machine.ownJob
    if let job, job.kind != .refresh {
      // Nobody wants it any more. A restart is left to its end: the unit may be stopped by now.
      try? manager.call(MethodCall(path: job.path, interface: "org.freedesktop.systemd1.Job", member: "Cancel")) { _ in }
    }
    perform(machine.cancel())
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
    do throws(Failure) {
      try carryOut(action)
    } catch {
      finish(.failure(error))
    }
  }

  private func carryOut(_ action: CheckMachine.Action) throws(Failure) {
    for change in machine.takeChanges() { call.change(change.path, was: .string(change.was), will: .string(change.will)) }
    switch action {
    case .read: try read()
    case .changeFiles(let change, let name): try changeFiles(change, name)
    case .reloadDaemon: try reloadDaemon()
    case .queue(let kind): try queue(kind)
    case .wait(let job): wait(for: job)
    case .await: awaitManager()
    case .explain(let problem):
      try DetailsReader(settings, manager: manager).read(problem) { [self] details in
        guard machine.explained() != nil else { return }
        finish(.failure(words.failure(problem, details)))
      }
    case .finish(let outcome): finish(result(of: outcome))
    }
  }

  private func read() throws(Failure) {
    manager.willHearOfJob()
    do throws(Failure) {
      try UnitReader(settings, manager: manager, wantsReload: applies).read { [self] result in
        switch result {
        case .success(let reading):
          didRead(reading)
          perform(machine.read(reading))
        case .failure(let error): perform(machine.failed("\(unit) cannot be looked at", error))
        }
        manager.didHearOfJob()
      }
    } catch {
      manager.didHearOfJob()
      throw error
    }
  }

  private func changeFiles(_ change: CheckMachine.FileChange, _ name: String) throws(Failure) {
    let method: MethodCall
    switch change {
    case .enable: method = .manager("EnableUnitFiles", .strings([name]), .bool(false), .bool(true))
    case .disable(let runtime): method = .manager("DisableUnitFiles", .strings([name]), .bool(runtime))
    }
    let what = change == .enable ? "\(name) cannot be enabled" : "\(name) cannot be disabled"
    manager.willChangeFiles()
    do throws(Failure) {
      try manager.call(method) { [self] result in
        switch result {
        case .success(let message):
          let links = UnitReader.changedLinks(message, afterEnabling: change == .enable)
          manager.didChangeFiles(telling: !links.isEmpty, others: links.contains { !$0.hasSuffix("/\(name)") })
          perform(machine.filesChanged(anything: !links.isEmpty))
        case .failure(let error):
          manager.didChangeFiles(telling: false, others: false)
          perform(machine.failed(what, error))
        }
      }
    } catch {
      manager.didChangeFiles(telling: false, others: false)
      throw error
    }
  }

  private func reloadDaemon() throws(Failure) {
    if machine.reading?.needsReload == true {
      handle.log(.warning, "the file of \(unit) changed on disk: systemd reads its files anew (daemon-reload)")
    }
    try manager.reloadDaemon { [self] result in
      switch result {
      case .success: perform(machine.reloaded())
      case .failure(let error): perform(machine.failed("systemd does not read its files anew (daemon-reload)", error))
      }
    }
  }

  private func queue(_ kind: CheckMachine.JobKind) throws(Failure) {
    let (member, what) =
      switch kind {
      case .start: ("StartUnit", "\(unit) cannot be started")
      case .stop: ("StopUnit", "\(unit) cannot be stopped")
      case .refresh: ("ReloadOrTryRestartUnit", "\(unit) cannot be reloaded or restarted")
      }
    manager.willHearOfJob()
    do throws(Failure) {
      try manager.call(.manager(member, .string(unit), .string("fail"))) { [self] result in
        switch result {
        case .success(let message):
          guard let job = message.objectPath() else {
            perform(machine.failed(what, .system(-EBADMSG, "systemd's answer is not understood")))
            break
          }
          // Cancelled meanwhile: as `cancel` does.
          if isOver, kind != .refresh, machine.reading?.job?.path != job {
            try? manager.call(MethodCall(path: job, interface: "org.freedesktop.systemd1.Job", member: "Cancel")) { _ in }
          }
          perform(machine.jobQueued(job))
        case .failure(let error): perform(machine.failed(what, error))
        }
        manager.didHearOfJob()
      }
    } catch {
      manager.didHearOfJob()
      throw error
    }
  }

  private func wait(for job: String) {
    ticks?.delete()
    ticks = manager.timer(every: Self.patience * 1000) { [self] in tick() }
    wait = manager.wait(job: job) { [self] result in
      stopWaiting()
      switch result {
      case .success(let result): perform(machine.jobEnded(result: result))
      case .failure(let error): perform(machine.failed("the end of a job of \(unit) cannot be waited for", error))
      }
    }
    if machine.isOver || wait == nil { stopWaiting() }
  }

  private func awaitManager() {
    stopWaiting()
    ticks = manager.timer(every: Self.absence) { [self] in
      stopWaiting()
      perform(machine.managerStaysAway())
    }
    if ticks == nil { perform(machine.managerStaysAway()) }
  }

  private func tick() {
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

  private func end() {
    isOver = true
    stopWaiting()
    manager.ended(self)
    // Another check may begin as soon as the call is complete.
    willEnd()
  }

  private func finish(_ result: Result<CheckResult, Failure>) {
    guard !isOver else { return }
    end()
    call.complete(result)
  }
}
