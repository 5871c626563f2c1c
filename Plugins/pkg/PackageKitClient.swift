// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// Runs transactions of PackageKit, one after the other, over one connection. [reactor]
final class PackageKitClient {
  typealias Outcome = Result<TransactionRecord, TransactionProblem>

  static let name = "org.freedesktop.PackageKit"
  static let path = "/org/freedesktop/PackageKit"
  static let transactionInterface = "org.freedesktop.PackageKit.Transaction"

  /// PackageKit says that packages or repositories changed, or it is back after the bus was gone.
  var onChanged: (() -> Void)?
  /// The bus is gone. The next transaction looks for it again.
  var onLost: (() -> Void)?

  private let host: Host
  private var bus: BusConnection?
  private var queue = TransactionQueue()
  private var entries: [Int: Entry] = [:]
  private var running: RunningTransaction?
  /// The unique name of the daemon, once it has answered; "": none that we know.
  private var owner = ""
  private var turn: Source?

  private struct Entry {
    var request: TransactionRequest
    var progress: (UInt32) -> Void
    var done: (Outcome) -> Void
  }

  init(host: Host) { self.host = host }

  func close() {
    turn?.delete()
    turn = nil
    running?.stop()
    running = nil
    entries = [:]
    bus?.close()
    bus = nil
  }

  /// `progress`: permille. `done` is called once and later, never before this returns, unless it is cancelled.
  @discardableResult func run(
    _ request: TransactionRequest, progress: @escaping (UInt32) -> Void = { _ in },
    done: @escaping (Outcome) -> Void
  ) -> Int {
    let ticket = queue.add()
    entries[ticket] = Entry(request: request, progress: progress, done: done)
    startSoon()
    return ticket
  }

  /// `done` will not be called. What already changes the system is asked to end.
  func cancel(_ ticket: Int) {
    guard entries.removeValue(forKey: ticket) != nil else { return }
    if queue.running == ticket {
      running?.cancel()
      running?.stop()
      running = nil
    }
    queue.remove(ticket)
    startSoon()
  }

  /// Seconds since PackageKit fetched its lists of packages; nil: never, or not known. Starts no transaction.
  func sinceRefresh(_ done: @escaping (UInt32?) -> Void) {
    guard let bus = try? connect() else { return done(nil) }
    bus.call(
      destination: Self.name, path: Self.path, interface: Self.name, member: "GetTimeSinceAction",
      [.uint32(TransactionRole.refreshCache)]
    ) { reply in
      var reader = reply.arguments
      let seconds = reply.kind == .methodReturn ? reader.uint32() : nil
      done(seconds == .max ? nil : seconds)
    }
  }

  private func startSoon() {
    guard turn == nil, running == nil, !entries.isEmpty else { return }
    turn = try? host.addTimer(first: 0) { [unowned self] in
      turn?.delete()
      turn = nil
      startNext()
    }
  }

  private func startNext() {
    guard running == nil, let ticket = queue.start(), let entry = entries[ticket] else { return }
    let finish: (Outcome) -> Void = { [unowned self] outcome in finished(ticket, outcome) }
    do throws(Failure) {
      let transaction = RunningTransaction(
        entry.request, host: host, bus: try connect(), progress: entry.progress, done: finish)
      running = transaction
      transaction.start { [unowned self] in owner = $0 }
    } catch {
      finish(.failure(.noBus(error.message, hint: error.hint)))
    }
  }

  private func finished(_ ticket: Int, _ outcome: Outcome) {
    running?.stop()
    running = nil
    queue.remove(ticket)
    let entry = entries.removeValue(forKey: ticket)
    startSoon()
    entry?.done(outcome)
  }

  private func connect() throws(Failure) -> BusConnection {
    if let bus, bus.isOpen { return bus }
    let opened = BusConnection(host: host)
    opened.onSignal = { [unowned self] in received($0) }
    opened.onLost = { [unowned self] in lost() }
    try opened.open()
    bus = opened
    owner = ""
    opened.match("type='signal',sender='\(Self.name)',path='\(Self.path)',interface='\(Self.name)'", add: true)
    opened.match(
      "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='\(Self.name)'",
      add: true)
    return opened
  }

  private func lost() {
    bus = nil
    owner = ""
    running?.fail(.busGone("the system bus went away in the middle of it"))
    onLost?()
  }

  /// Anyone may send us a signal: only the bus itself and the daemon are believed.
  private func received(_ signal: BusMessage) {
    if signal.sender == "org.freedesktop.DBus" {
      guard signal.interface == "org.freedesktop.DBus", signal.member == "NameOwnerChanged" else { return }
      var reader = signal.arguments
      guard reader.string() == Self.name, let before = reader.string(), let now = reader.string() else { return }
      owner = now
      if running?.owner == before, !before.isEmpty { running?.fail(.daemonGone) }
      return
    }
    guard !owner.isEmpty, signal.sender == owner else { return }
    if signal.path == Self.path {
      if signal.member == "UpdatesChanged" || signal.member == "RepoListChanged" { onChanged?() }
    } else if let running, signal.path == running.path {
      running.received(signal)
    }
  }
}
