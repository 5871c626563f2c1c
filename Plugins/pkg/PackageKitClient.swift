// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// Runs transactions of PackageKit, one after the other, over one connection. [reactor]
final class PackageKitClient {
  typealias Outcome = Result<TransactionRecord, TransactionProblem>

  static let name = "org.freedesktop.PackageKit"
  static let path = "/org/freedesktop/PackageKit"
  static let transactionInterface = "org.freedesktop.PackageKit.Transaction"

  /// Signals that packages changed, and that repositories did.
  private static let (updates, repositories) = ("UpdatesChanged", "RepoListChanged")

  /// Repositories changed, or it is not known what did.
  var onChanged: (() -> Void)?
  /// PackageKit says that packages changed, by itself or by others.
  var onUpdates: (() -> Void)?
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

  /// `done` and `progress` will not be called. What changes the system is asked to end if that does no harm, and has its turn until it has
  /// ended: the daemon does nothing else meanwhile. `refused`: it goes on, and why. `afterwards`: what is done when it has ended; nil: what
  /// is known of packages is known no more.
  func cancel(_ ticket: Int, refused: @escaping (String) -> Void = { _ in }, afterwards: ((Outcome) -> Void)? = nil) {
    guard let entry = entries[ticket] else { return }
    if queue.running == ticket, let running {
      // Before the daemon knows of it there is nothing to wait for.
      if entry.request.changes, !running.path.isEmpty {
        entries[ticket]?.done = afterwards ?? { [unowned self] _ in onChanged?() }
        running.progress = { _ in }
        return running.cancel(refused: refused)
      }
      entries[ticket] = nil
      running.cancel()
      running.stop()
      self.running = nil
    }
    entries[ticket] = nil
    queue.remove(ticket)
    startSoon()
  }

  /// Seconds since PackageKit fetched its lists of packages; nil: never, or not known. Starts no transaction.
  func sinceRefresh(_ done: @escaping (UInt32?) -> Void) {
    guard let bus = try? connect() else { return done(nil) }
    let isSent = bus.call(
      destination: Self.name, path: Self.path, interface: Self.name, member: "GetTimeSinceAction",
      [.uint32(TransactionRole.refreshCache)]
    ) { reply in
      var reader = reply.arguments
      let seconds = reply.kind == .methodReturn ? reader.uint32() : nil
      done(seconds == .max ? nil : seconds)
    }
    if !isSent { done(nil) }
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
    for member in [Self.updates, Self.repositories] {
      opened.match("type='signal',sender='\(Self.name)',path='\(Self.path)',member='\(member)'", add: true)
    }
    opened.match(
      "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='\(Self.name)'",
      add: true)
    return opened
  }

  private func lost() {
    bus = nil
    owner = ""
    onLost?()
    running?.fail(.busGone)
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
      if signal.member == Self.updates { onUpdates?() }
      if signal.member == Self.repositories { onChanged?() }
    } else if let running, signal.path == running.path {
      running.received(signal)
    }
  }
}
