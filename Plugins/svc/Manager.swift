// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// Who wants to hear about a unit. [reactor]
protocol UnitObserver: AnyObject {
  /// Its ActiveState is now this.
  func activeStateBecame(_ state: String)
  /// It was loaded, or is not loaded any more: what it is now has to be asked for.
  func loadedOrUnloaded(isLoaded: Bool)
  func unitChanged(_ news: UnitNews)
}

/// What may be another than before, of any unit.
enum UnitNews {
  /// Which units are enabled.
  case files
  /// systemd has read all files anew.
  case reloaded
  /// systemd or the bus was away: signals were missed.
  case returned
}

/// The systemd of one bus: the connection, made again when it is lost, and who wants to hear what. [reactor]
final class Manager {
  let isSession: Bool
  private let host: Host
  private var connection: BusConnection?
  /// Why there is no connection.
  private var failure: BusError?
  private var retry: Source?
  private var pause: UInt64 = firstPause
  /// systemd answered since the connection was made.
  private var isProven = false
  /// There was no connection, or nobody on it, since observers were last told.
  private var wasAway = false
  private var isClosed = false
  /// By the unit's object path.
  private var observers: [String: [ObjectIdentifier: any UnitObserver]] = [:]
  private var jobs = JobWaits()
  private var fileChanges = OwnFileChanges()
  private var reloads: [(Result<Void, BusError>) -> Void] = []
  private var nextReloads: [(Result<Void, BusError>) -> Void] = []
  private let checks = RunningChecks()

  /// Milliseconds between two attempts to connect: doubled each time.
  private static let firstPause: UInt64 = 100
  private static let longestPause: UInt64 = 5000

  init(host: Host, isSession: Bool) {
    self.host = host
    self.isSession = isSession
  }

  func close() {
    isClosed = true
    retry?.delete()
    retry = nil
    connection?.close()
    connection = nil
    observers = [:]
  }

  // MARK: Observers

  func add(_ observer: any UnitObserver, path: String) {
    observers[path, default: [:]][ObjectIdentifier(observer)] = observer
    connect()
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

  // MARK: The connection

  private func connect() {
    guard connection == nil, retry == nil, !isClosed else { return }
    do throws(BusError) {
      let made = try BusConnection(host: host, isSession: isSession)
      connection = made
      isProven = false
      try made.start { [weak self] error in self?.lost(error) }
      try subscribe(made)
    } catch {
      connection?.close()
      connection = nil
      lost(error)
    }
  }

  private func subscribe(_ connection: BusConnection) throws(BusError) {
    let sender = "type='signal',sender='\(MethodCall.systemd)'"
    let manager = "\(sender),path='\(MethodCall.managerPath)',interface='org.freedesktop.systemd1.Manager'"
    try connection.match(
      "\(sender),interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
        + "path_namespace='\(MethodCall.managerPath)/unit',arg0='org.freedesktop.systemd1.Unit'"
    ) { [weak self] in self?.propertiesChanged($0) }
    try connection.match("\(manager),member='UnitNew'") { [weak self] in self?.loadedOrUnloaded($0, isLoaded: true) }
    try connection.match("\(manager),member='UnitRemoved'") { [weak self] in self?.loadedOrUnloaded($0, isLoaded: false) }
    try connection.match("\(manager),member='JobRemoved'") { [weak self] in self?.jobRemoved($0) }
    try connection.match("\(manager),member='UnitFilesChanged'") { [weak self] _ in self?.unitFilesChanged() }
    try connection.match("\(manager),member='Reloading'") { [weak self] in self?.reloading($0) }
    try connection.match(
      "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
        + "member='NameOwnerChanged',arg0='\(MethodCall.systemd)'"
    ) { [weak self] in self?.ownerChanged($0) }
    askForSignals()
  }

  /// Lasts as long as the connection, and systemd's own.
  private func askForSignals() {
    connection?.call(.manager("Subscribe")) { [weak self] result in
      guard let self else { return }
      switch result {
      case .success: answered()
      case .failure(let error) where error.name == "org.freedesktop.systemd1.AlreadySubscribed": answered()
      case .failure(let error):
        wasAway = true
        if !error.isNobodyThere, !error.isLost {
          host.log(.warning, "systemd refuses to tell what changes, so changes will be missed: \(error.text)")
        }
      }
    }
  }

  private func answered() {
    isProven = true
    pause = Self.firstPause
    failure = nil
    guard wasAway else { return }
    wasAway = false
    checks.managerReturned()
    tellAll(.returned)
  }

  private func lost(_ error: BusError) {
    connection = nil
    // Told once, not with each attempt.
    if isProven || failure == nil {
      let words = FailureWords.connection(error, isSession: isSession)
      host.log(.warning, "\(words.message); trying again")
    }
    isProven = false
    failure = error
    wasAway = true
    for ended in jobs.takeAll() { ended(.failure(error)) }
    fileChanges = OwnFileChanges()
    let waiting = reloads + nextReloads
    (reloads, nextReloads) = ([], [])
    for answer in waiting { answer(.failure(error)) }
    guard !isClosed, retry == nil else { return }
    let wait = pause
    pause = min(pause * 2, Self.longestPause)
    do throws(Failure) {
      retry = try host.addTimer(first: wait) { [weak self] in
        guard let self else { return }
        retry?.delete()
        retry = nil
        connect()
      }
    } catch {
      host.log(.error, "\(error.message): the connection to the bus is not made again")
    }
  }

  private func ownerChanged(_ message: MessageReader) {
    guard message.string() != nil, message.string() != nil, let new = message.string() else { return }
    wasAway = true
    if !new.isEmpty { askForSignals() }
  }

  /// Throws when nobody can be asked. The reply comes once.
  func call(
    _ call: MethodCall, seconds: UInt64 = 25, reply: @escaping (Result<MessageReader, BusError>) -> Void
  ) throws(Failure) {
    connect()
    guard let connection else { throw FailureWords.connection(failure ?? .disconnected, isSession: isSession) }
    connection.call(call, seconds: seconds, reply: reply)
  }

  // MARK: Checks that run

  func began(_ check: Check) { checks.add(check) }
  func ended(_ check: Check) { checks.remove(check) }

  /// The host's timer, for what takes long.
  func timer(every milliseconds: UInt64, _ body: @escaping () -> Void) -> Source? {
    try? host.addTimer(first: milliseconds, every: milliseconds, body)
  }

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

  private func jobRemoved(_ message: MessageReader) {
    guard message.uint32() != nil, let job = message.objectPath(), message.string() != nil, let result = message.string() else {
      return
    }
    for ended in jobs.take(job, result) { ended(.success(result)) }
  }

  // MARK: Unit files

  func willChangeFiles() { fileChanges.began() }

  /// `telling`: systemd tells everybody; `others`: other units than the one that was meant are concerned.
  func didChangeFiles(telling: Bool, others: Bool) {
    if fileChanges.ended(telling: telling) || others { tellAll(.files) }
  }

  private func unitFilesChanged() {
    if fileChanges.signalled() { tellAll(.files) }
  }

  // MARK: daemon-reload

  /// One at a time: those who ask while one runs share the next.
  func reloadDaemon(_ answer: @escaping (Result<Void, BusError>) -> Void) throws(Failure) {
    guard reloads.isEmpty else {
      nextReloads.append(answer)
      return
    }
    try call(.manager("Reload"), seconds: 180) { [weak self] result in
      guard let self else { return }
      let done = reloads
      reloads = []
      for answer in done { answer(result.map { _ in () }) }
      let next = nextReloads
      nextReloads = []
      for answer in next {
        do throws(Failure) { try reloadDaemon(answer) } catch { answer(.failure(.disconnected)) }
      }
    }
    reloads.append(answer)
  }

  private func reloading(_ message: MessageReader) {
    guard message.bool() == false else { return }
    tellAll(.reloaded)
  }

  // MARK: Units

  private func propertiesChanged(_ message: MessageReader) {
    let path = message.path
    guard observers[path] != nil, message.string() != nil, let changed = message.properties(["ActiveState"]),
      let state = changed["ActiveState"]
    else { return }
    tell(path) { $0.activeStateBecame(state) }
  }

  private func loadedOrUnloaded(_ message: MessageReader, isLoaded: Bool) {
    guard message.string() != nil, let path = message.objectPath() else { return }
    tell(path) { $0.loadedOrUnloaded(isLoaded: isLoaded) }
  }
}

/// The checks that wait for something of one systemd.
final class RunningChecks {
  private var checks: [ObjectIdentifier: Check] = [:]

  func add(_ check: Check) { checks[ObjectIdentifier(check)] = check }
  func remove(_ check: Check) { checks[ObjectIdentifier(check)] = nil }
  func managerReturned() { for check in checks.values { check.managerReturned() } }
}
