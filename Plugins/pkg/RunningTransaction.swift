// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// The transaction whose turn it is: made, told what to do, and listened to until it ends. [reactor]
final class RunningTransaction {
  private let request: TransactionRequest
  private let host: Host
  private let bus: BusConnection
  /// Permille.
  var progress: (UInt32) -> Void
  private var done: ((PackageKitClient.Outcome) -> Void)?
  private var record = TransactionRecord()
  private var watchdog: Source?
  /// Its own last signal, and the last sign that it is there.
  private var lastWord = monotonicSeconds()
  private var lastSign = monotonicSeconds()
  /// It told something of its own: from then on it is its turn in the daemon.
  private var hasSpoken = false
  /// It has begun to change the system.
  private var isChanging: Bool
  private var permille: UInt32 = 0
  /// The object and the unique name of its daemon; "" before it is made.
  private(set) var path = ""
  private(set) var owner = ""

  /// A transaction may be quiet for this long while it waits for those of others, which the daemon does one after the other, and
  /// while a script of a package runs.
  private static let patience = 1800
  private static let unsent = TransactionProblem.refused("", "the call cannot be sent")
  /// Between two signs of life.
  private static let silence = 60

  init(
    _ request: TransactionRequest, host: Host, bus: BusConnection, progress: @escaping (UInt32) -> Void,
    done: @escaping (PackageKitClient.Outcome) -> Void
  ) {
    self.request = request
    isChanging = request == .repair
    self.host = host
    self.bus = bus
    self.progress = progress
    self.done = done
  }

  /// `found` gets the unique name of the daemon.
  func start(_ found: @escaping (String) -> Void) {
    watch(after: Self.silence)
    let isSent = bus.call(
      destination: PackageKitClient.name, path: PackageKitClient.path, interface: PackageKitClient.name,
      member: "CreateTransaction"
    ) { [weak self] reply in
      guard let self, done != nil else { return }
      var reader = reply.arguments
      guard reply.kind == .methodReturn else { return fail(.refused(reply.errorName, reader.string() ?? "")) }
      guard let path = reader.objectPath() else { return fail(.refused("", "PackageKit made no transaction")) }
      // libdbus ends the process over a call without a destination.
      guard !reply.sender.isEmpty else { return fail(.refused("", "what answers at this address is no message bus")) }
      self.path = path
      owner = reply.sender
      found(owner)
      begin()
    }
    if !isSent { fail(Self.unsent) }
  }

  private func begin() {
    // The bus handles these in their order: no signal is missed.
    bus.match(rule, add: true)
    call("SetHints", [.strings(["background=false", "interactive=false", "supports-plural-signals=true"])]) { _ in }
    let isSent = call(request.method, request.arguments) { [weak self] reply in
      guard let self else { return }
      alive()
      guard reply.kind == .error else { return }
      var reader = reply.arguments
      fail(.refused(reply.errorName, reader.string() ?? ""))
    }
    if !isSent { fail(Self.unsent) }
  }

  private var rule: String { "type='signal',sender='\(PackageKitClient.name)',path='\(path)'" }

  @discardableResult private func call(
    _ member: String, _ arguments: [BusValue] = [], reply: @escaping (BusMessage) -> Void
  ) -> Bool {
    bus.call(
      destination: owner, path: path, interface: PackageKitClient.transactionInterface, member: member, arguments, reply: reply)
  }

  func received(_ message: BusMessage) {
    guard done != nil else { return }
    alive()
    lastWord = lastSign
    let signal = PackageKitSignal(message)
    if case .packages(let packages) = signal, request.changes,
      packages.contains(where: { PackageInfo.changing.contains($0.info) })
    {
      isChanging = true
    }
    if signal != .other, signal != .progress(0) { hasSpoken = true }
    switch signal {
    // Some backends begin anew for each step, and the whole is done only when it is finished.
    case .progress(let percent) where percent * 10 > permille && percent < 100:
      permille = percent * 10
      progress(permille)
    default: break
    }
    guard record.take(signal) else { return }
    finish(record.problem.map { .failure($0) } ?? .success(record))
  }

  func fail(_ problem: TransactionProblem) { finish(.failure(problem)) }

  /// PackageKit ends it, unless that would leave packages half installed: apt's backend kills dpkg. `refused`: why it goes on.
  func cancel(refused: @escaping (String) -> Void = { _ in }) {
    guard !path.isEmpty else { return fail(.cancelled) }
    guard !isChanging else { return refused("it is in the middle of it, and ending it would leave packages half installed") }
    call("Cancel") { reply in
      var reader = reply.arguments
      if reply.kind == .error { refused(reader.string() ?? reply.errorName) }
    }
  }

  /// Nothing is called back any more.
  func stop() {
    done = nil
    watchdog?.delete()
    watchdog = nil
    if !path.isEmpty { bus.match(rule, add: false) }
    path = ""
  }

  private func finish(_ outcome: PackageKitClient.Outcome) {
    guard let done else { return }
    self.done = nil
    done(outcome)
  }

  private func alive() { lastSign = monotonicSeconds() }

  private func watch(after seconds: Int) {
    watchdog?.delete()
    watchdog = try? host.addTimer(first: UInt64(max(1, seconds)) * 1000) { [weak self] in self?.look() }
  }

  private func look() {
    let silent = monotonicSeconds() - lastSign
    guard silent >= Self.silence else { return watch(after: Self.silence - silent) }
    guard !hasSpoken || isChanging, !path.isEmpty, monotonicSeconds() - lastWord < Self.patience else { return giveUp() }
    watch(after: Self.silence)
    let isSent = bus.call(
      destination: owner, path: PackageKitClient.path, interface: PackageKitClient.name, member: "GetTransactionList"
    ) { [weak self] reply in
      guard let self, done != nil else { return }
      var reader = reply.arguments
      let listed = reply.kind == .methodReturn ? reader.array { $0.objectPath() } ?? [] : []
      if Self.mayBeQuiet(path, isChanging: isChanging, listed: listed) { alive() } else { giveUp() }
    }
    if !isSent { giveUp() }
  }

  /// Whether a transaction that says nothing is to be waited for. `listed`: those that the daemon does or will do.
  static func mayBeQuiet(_ path: String, isChanging: Bool, listed: [String]) -> Bool {
    // A package manager says nothing while a script of a package runs.
    isChanging ? listed.contains(path) : listed.contains { $0 != path }
  }

  private func giveUp() {
    cancel()
    fail(.silent(seconds: monotonicSeconds() - lastWord))
  }
}
