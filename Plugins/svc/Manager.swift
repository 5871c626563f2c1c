// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// Who wants to hear about a unit. [reactor]
protocol UnitObserver: AnyObject {
  /// Its ActiveState is now this.
  func activeStateBecame(_ state: String)
  /// It is not loaded any more.
  func unloaded()
  func unitChanged(_ news: UnitNews)
}

/// What may be another than before, of any unit.
enum UnitNews {
  /// Which units are enabled.
  case files
  /// systemd has read all files anew.
  case reloaded
  /// systemd or the bus is gone.
  case lost
  /// systemd or the bus was away: signals were missed.
  case returned
}

/// The systemd of one bus, for all resources: one connection, and who wants to hear what. [reactor]
final class Manager {
  let isSession: Bool
  private let host: Host
  /// By the unit's object path.
  private var observers: [String: [ObjectIdentifier: any UnitObserver]] = [:]
  private var jobs = JobWaits()
  private var fileChanges = OwnFileChanges()
  private var reloads = SharedReloads()
  private var loadedUnits = LoadedUnits()
  private var fileNames = UnitFileNames()
  private var checks: [ObjectIdentifier: Check] = [:]

  private lazy var link = SystemdLink(
    host: host, isSession: isSession,
    signals: [
      (
        "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='\(MethodCall.managerPath)/unit',"
          + "arg0='org.freedesktop.systemd1.Unit'", { [weak self] in self?.propertiesChanged($0) }
      ),
      (
        "interface='org.freedesktop.systemd1.Manager',path='\(MethodCall.managerPath)'",
        { [weak self] in self?.managerSaid($0) }
      ),
    ],
    onLoss: { [weak self] in self?.lost($0) }, onAbsence: { [weak self] in self?.isAway() },
    onReturn: { [weak self] in self?.returned() })

  init(host: Host, isSession: Bool) {
    self.host = host
    self.isSession = isSession
  }

  func close() {
    link.close()
    observers = [:]
  }

  /// The reply comes once, later.
  func call(_ call: MethodCall, seconds: UInt64 = 25, reply: @escaping (Result<MessageReader, BusError>) -> Void) {
    link.call(call, seconds: seconds, reply: reply)
  }

  /// The host's timer, for what takes long.
  func timer(every milliseconds: UInt64, _ body: @escaping () -> Void) -> Source? {
    try? host.addTimer(first: milliseconds, every: milliseconds, body)
  }

  private func lost(_ error: BusError) {
    fileChanges = OwnFileChanges()
    loadedUnits.giveUp()
    fileNames.forget()
    for answer in jobs.takeAll() { answer(.failure(error)) }
    for answer in reloads.takeAll() { answer(.failure(error)) }
  }

  private func isAway() {
    fileNames.forget()
    tellAll(.lost)
  }

  private func returned() {
    fileNames.forget()
    for check in checks.values { check.managerReturned() }
    tellAll(.returned)
  }

  // MARK: Observers

  func add(_ observer: any UnitObserver, path: String) {
    observers[path, default: [:]][ObjectIdentifier(observer)] = observer
    link.connect()
  }

  func remove(_ observer: any UnitObserver, path: String) {
    observers[path]?[ObjectIdentifier(observer)] = nil
    if observers[path]?.isEmpty == true { observers[path] = nil }
  }

  private func tellAll(_ news: UnitNews) {
    var told: Set<ObjectIdentifier> = []
    let all = observers.values
    for group in all {
      for (id, observer) in group where told.insert(id).inserted { observer.unitChanged(news) }
    }
  }

  private func tell(_ path: String, _ body: (any UnitObserver) -> Void) {
    guard let group = observers[path] else { return }
    for observer in group.values { body(observer) }
  }

  // MARK: Checks that run

  func began(_ check: Check) { checks[ObjectIdentifier(check)] = check }
  func ended(_ check: Check) { checks[ObjectIdentifier(check)] = nil }

  // MARK: Jobs

  /// From before systemd is asked until a job it names is waited for: one that ends at once is not missed.
  func willHearOfJob() { jobs.willHear() }
  func didHearOfJob() { jobs.didHear() }

  /// `ended` gets the job's result once, or why nobody can tell any more. nil: it had ended, and `ended` was called.
  func wait(job: String, _ ended: @escaping (Result<String, BusError>) -> Void) -> JobWaits.Token? {
    if let token = jobs.wait(job, ended) { return token }
    ended(jobs.result(of: job).map { .success($0) } ?? .failure(.disconnected))
    return nil
  }

  func stopWaiting(_ token: JobWaits.Token) { jobs.remove(token) }

  // MARK: Unit files

  func willChangeFiles() { fileChanges.began() }

  /// `telling`: systemd tells everybody; `others`: other units than the one that was meant are concerned.
  func didChangeFiles(telling: Bool, others: Bool) {
    if fileChanges.ended(telling: telling) || others { tellAll(.files) }
  }

  /// systemd reads its files anew. One at a time: those who ask while one runs share the next.
  func reloadDaemon(_ answer: @escaping SharedReloads.Answer) {
    guard let number = reloads.ask(answer) else { return }
    runReload(number)
  }

  private func runReload(_ number: Int) {
    call(.manager("Reload"), seconds: 180) { [weak self] result in
      guard let self, let (answers, next) = reloads.ended(number) else { return }
      for answer in answers { answer(result.map { _ in () }) }
      if let next { runReload(next) }
    }
  }

  /// `answer` gets the names of all unit files, now or later; none: systemd did not say.
  func unitFileNames(_ answer: @escaping UnitFileNames.Answer) {
    switch fileNames.ask(now: monotonicSeconds(), answer) {
    case .known(let names): answer(names)
    case .shared: return
    case .ask:
      call(.manager("ListUnitFiles")) { [weak self] result in
        guard let self else { return }
        let names = result.message.flatMap { message in
          message.structures("ss") { () -> String? in
            guard let path = message.string(), message.string() != nil else { return nil }
            return path.split(separator: "/").last.map(String.init)
          }
        }
        for answer in fileNames.answered(names, now: monotonicSeconds()) { answer(names ?? []) }
      }
    }
  }

  // MARK: What systemd says

  private func propertiesChanged(_ message: MessageReader) {
    let path = message.path
    guard observers[path] != nil, message.string() != nil, let changed = message.properties(["ActiveState"]),
      let state = changed["ActiveState"]
    else { return }
    tell(path) { $0.activeStateBecame(state) }
  }

  private func managerSaid(_ message: MessageReader) {
    switch message.member {
    case "UnitNew":
      guard let name = message.string(), let path = message.objectPath(), observers[path] != nil else { return }
      if loadedUnits.add(name) { askForLoadedUnits() }
    case "UnitRemoved":
      guard message.string() != nil, let path = message.objectPath() else { return }
      tell(path) { $0.unloaded() }
    case "JobRemoved":
      guard message.uint32() != nil, let job = message.objectPath(), message.string() != nil, let result = message.string()
      else { return }
      for ended in jobs.take(job, result) { ended(.success(result)) }
    case "UnitFilesChanged":
      fileNames.forget()
      if fileChanges.signalled() { tellAll(.files) }
    case "Reloading":
      guard message.bool() == false else { return }
      fileNames.forget()
      tellAll(.reloaded)
    default: break
    }
  }

  /// What is loaded may be started in the same moment, without another signal. Most often it is only looked at, by us too: asking the
  /// list of what is loaded does not load anything, so it causes no further signals.
  private func askForLoadedUnits() {
    let (number, names) = loadedUnits.ask()
    guard !names.isEmpty else { return }
    let patterns = names.map { $0.replacing("\\", with: "\\\\") }
    call(.manager("ListUnitsByPatterns", .strings(LoadedUnits.states), .strings(patterns))) { [weak self] result in
      guard let self, let isMore = loadedUnits.answered(number) else { return }
      for unit in result.message.flatMap({ UnitReader.list($0) }) ?? [] {
        tell(unit.path) { $0.activeStateBecame(unit.activeState) }
      }
      if isMore { askForLoadedUnits() }
    }
  }
}

private func monotonicSeconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(clamping: time.tv_sec)
}
