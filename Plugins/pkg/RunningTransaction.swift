// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// The transaction whose turn it is: made, told what to do, and listened to until it ends. [reactor]
final class RunningTransaction {
  private let request: TransactionRequest
  private let host: Host
  private let bus: BusConnection
  private let progress: (UInt32) -> Void
  private var done: ((PackageKitClient.Outcome) -> Void)?
  private var record = TransactionRecord()
  private var watchdog: Source?
  private var lastSign = monotonicSeconds()
  private var hasSpoken = false
  private var permille: UInt32 = 0
  /// The object and the unique name of its daemon; "" before it is made.
  private(set) var path = ""
  private(set) var owner = ""

  /// A transaction may wait this long for those of others.
  private static let patience = 1800
  /// Between two signs of life.
  private static let silence = 60

  init(
    _ request: TransactionRequest, host: Host, bus: BusConnection, progress: @escaping (UInt32) -> Void,
    done: @escaping (PackageKitClient.Outcome) -> Void
  ) {
    self.request = request
    self.host = host
    self.bus = bus
    self.progress = progress
    self.done = done
  }

  /// `found` gets the unique name of the daemon.
  func start(_ found: @escaping (String) -> Void) {
    watch(after: Self.silence)
    bus.call(
      destination: PackageKitClient.name, path: PackageKitClient.path, interface: PackageKitClient.name,
      member: "CreateTransaction"
    ) { [weak self] reply in
      guard let self, done != nil else { return }
      var reader = reply.arguments
      guard reply.kind == .methodReturn else { return fail(.refused(reply.errorName, reader.string() ?? "")) }
      guard let path = reader.objectPath() else { return fail(.refused("", "PackageKit made no transaction")) }
      self.path = path
      owner = reply.sender
      found(owner)
      begin()
    }
  }

  private func begin() {
    // The bus handles these in their order: no signal is missed.
    bus.match(rule, add: true)
    call("SetHints", [.strings(["background=false", "interactive=false", "supports-plural-signals=true"])]) { _ in }
    call(request.method, request.arguments) { [weak self] reply in
      guard let self else { return }
      alive()
      guard reply.kind == .error else { return }
      var reader = reply.arguments
      fail(.refused(reply.errorName, reader.string() ?? ""))
    }
  }

  private var rule: String { "type='signal',sender='\(PackageKitClient.name)',path='\(path)'" }

  private func call(_ member: String, _ arguments: [BusValue] = [], reply: @escaping (BusMessage) -> Void) {
    bus.call(
      destination: owner, path: path, interface: PackageKitClient.transactionInterface, member: member, arguments, reply: reply)
  }

  func received(_ message: BusMessage) {
    guard done != nil else { return }
    alive()
    hasSpoken = true
    let signal = PackageKitSignal(message)
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

  /// PackageKit ends it if it still can.
  func cancel() {
    if !path.isEmpty { call("Cancel") { _ in } }
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
    // Before its first word it waits for its turn in the daemon.
    let bound = request.changes && !hasSpoken && !path.isEmpty ? Self.patience : Self.silence
    let silent = monotonicSeconds() - lastSign
    guard silent >= bound else { return watch(after: bound - silent) }
    cancel()
    fail(.silent(seconds: silent))
  }
}

func monotonicMicroseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
}

func monotonicSeconds() -> Int { monotonicMicroseconds() / 1_000_000 }
