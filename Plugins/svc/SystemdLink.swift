// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// The connection to the systemd of one bus: made again when it is lost, and signals asked for whenever systemd comes. While the bus's
/// socket is missing that is left to the resources, who watch it. [reactor]
final class SystemdLink {
  /// Who gets which signals of systemd's; the rule without the sender.
  typealias Signal = (rule: String, handler: (MessageReader) -> Void)

  private let host: Host
  private let isSession: Bool
  private let signals: [Signal]
  /// Nothing that was asked before will be answered any more.
  private let onLoss: (BusError) -> Void
  /// systemd was there and is not any more. Once, until it returns.
  private let onAbsence: () -> Void
  /// systemd is there again after it was not: signals were missed, none is from now on.
  private let onReturn: () -> Void
  private var connection: BusConnection?
  /// Why there is no connection.
  private var failure: BusError?
  private var retry: Source?
  private var pause: UInt64 = firstPause
  /// systemd answered since the connection was made.
  private var isProven = false
  /// When a connection that had worked was lost; nil: never.
  private var lossTime: ContinuousClock.Instant?
  /// There was no connection, or nobody on it, since the last `onReturn`.
  private var wasAway = false
  /// A person was told that it is away.
  private var wasReported = false
  private var isClosed = false
  /// systemd's address on the bus, such as `:1.0`; nil: not known.
  private var systemd: String?

  /// Milliseconds between two attempts to connect: doubled each time.
  private static let firstPause: UInt64 = 100
  private static let longestPause: UInt64 = 5000
  /// While checks wait for its return.
  private static let longestPauseAfterLoss: UInt64 = 400
  /// Milliseconds systemd or the bus may be away, as while it is started anew, before that is a failure.
  static let absence: UInt64 = 3000

  init(
    host: Host, isSession: Bool, signals: [Signal], onLoss: @escaping (BusError) -> Void,
    onAbsence: @escaping () -> Void, onReturn: @escaping () -> Void
  ) {
    self.host = host
    self.isSession = isSession
    self.signals = signals
    self.onLoss = onLoss
    self.onAbsence = onAbsence
    self.onReturn = onReturn
  }

  func close() {
    isClosed = true
    retry?.delete()
    retry = nil
    connection?.close()
    connection = nil
  }

  /// `reply` is called once, later, unless `close` comes first.
  func call(_ call: MethodCall, seconds: UInt64, reply: @escaping (Result<MessageReader, BusError>) -> Void) {
    connect()
    if let connection { return connection.call(call, seconds: seconds, reply: reply) }
    let error = wasLostJustNow ? .disconnected : failure ?? .disconnected
    host.soon { reply(.failure(error)) }
  }

  private var wasLostJustNow: Bool {
    guard let lossTime else { return false }
    return ContinuousClock.now - lossTime < .milliseconds(Self.absence)
  }

  // MARK: Connecting

  func connect() {
    guard connection == nil, retry == nil, !isClosed else { return }
    do throws(BusError) {
      let made = try BusConnection(host: host, isSession: isSession)
      connection = made
      isProven = false
      systemd = nil
      try made.start { [weak self] error in self?.lost(error) }
      try subscribe(made)
    } catch {
      connection?.close()
      connection = nil
      lost(error)
    }
  }

  private func subscribe(_ connection: BusConnection) throws(BusError) {
    for signal in signals {
      try connection.match("type='signal',sender='\(MethodCall.systemd)',\(signal.rule)") { [weak self] message in
        guard let self, isGenuine(message) else { return }
        signal.handler(message)
      }
    }
    try connection.match(
      "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
        + "member='NameOwnerChanged',arg0='\(MethodCall.systemd)'"
    ) { [weak self] in self?.ownerChanged($0) }
    askForSignals()
  }

  /// Anybody may send a signal to this connection alone, past the rules. What systemd says before it is known who it is was so before
  /// the first question was answered.
  private func isGenuine(_ message: MessageReader) -> Bool { systemd != nil && message.sender == systemd }

  /// Lasts as long as the connection, and systemd's own. It overtakes what was not sent yet: what is read afterwards is watched.
  private func askForSignals() {
    connection?.call(.manager("Subscribe"), overtakes: true) { [weak self] result in
      guard let self else { return }
      switch result {
      case .success(let message):
        systemd = message.sender
        answered()
      case .failure(let error) where error.name == "org.freedesktop.systemd1.AlreadySubscribed":
        systemd = error.sender
        answered()
      case .failure(let error):
        wasAway = true
        // It is there, but answers nobody: nothing else would tell when it does.
        if error.isNoReply { return askForSignals() }
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
    if wasAway { returned() }
  }

  private func returned() {
    wasAway = false
    if wasReported { host.log(.info, "systemd is reached again by the \(FailureWords.bus(isSession: isSession))") }
    wasReported = false
    onReturn()
  }

  private func ownerChanged(_ message: MessageReader) {
    guard message.sender == "org.freedesktop.DBus", message.string() == MethodCall.systemd, message.string() != nil,
      let new = message.string()
    else { return }
    wasAway = true
    let wasThere = systemd != nil
    systemd = new.isEmpty ? nil : new
    guard !new.isEmpty else {
      if wasThere { onAbsence() }
      return
    }
    askForSignals()
    returned()
  }

  // MARK: Losing

  private func lost(_ error: BusError) {
    connection = nil
    let wasThere = systemd != nil
    systemd = nil
    // Told once, not with each attempt.
    if isProven || failure == nil {
      let words = FailureWords.connection(error, isSession: isSession)
      host.log(.warning, "\(words.message)\(isWatched(error) ? "" : "; trying again")")
      wasReported = true
    }
    if isProven { lossTime = .now }
    isProven = false
    failure = error
    wasAway = true
    // A check that waits for the bus's return does not look when the socket comes.
    if isWatched(error), !wasLostJustNow { pause = Self.firstPause } else { tryAgain() }
    onLoss(error)
    if wasThere { onAbsence() }
  }

  /// What comes makes a resource look again, which connects: its socket is watched. Where the environment names no bus none will come.
  private func isWatched(_ error: BusError) -> Bool {
    switch error.errno {
    case ENOENT, ENOTDIR: !BusAddress.paths(isSession: isSession).isEmpty
    case ENOMEDIUM: true
    default: false
    }
  }

  private func tryAgain() {
    guard !isClosed, retry == nil else { return }
    let wait = pause
    pause = min(pause * 2, wasLostJustNow ? Self.longestPauseAfterLoss : Self.longestPause)
    do throws(Failure) {
      retry = try host.addTimer(first: wait) { [weak self] in
        guard let self else { return }
        retry?.delete()
        retry = nil
        connect()
      }
    } catch {
      host.log(.error, "\(error.message): the connection to the bus is not made again before the next check")
    }
  }
}

extension Host {
  /// [reactor] After what runs now.
  func soon(_ body: @escaping () -> Void) {
    var timer: Source?
    timer = try? addTimer(first: 0) {
      timer?.delete()
      timer = nil
      body()
    }
    if timer == nil { body() }
  }
}
