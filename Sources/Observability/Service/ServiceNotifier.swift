// SPDX-License-Identifier: Apache-2.0

import Glibc
import ObservabilityShims
public import Reactor
import Values

/// What the service manager gave the agent on its way: sd_notify(3), sd_watchdog_enabled(3).
public struct ServiceEnvironment: Sendable, Equatable {
  /// A path, or an abstract name that begins with "@".
  public var socket: String
  /// Milliseconds between two signs of life; nil: none is wanted.
  public var watchdogMilliseconds: UInt64?

  /// nil: there is no service manager that wants to hear.
  public init?(socket: String?, watchdogMicroseconds: String? = nil, watchdogPID: String? = nil, pid: Int32) {
    guard let socket, socket.utf8.count > 1, socket.hasPrefix("/") || socket.hasPrefix("@") else { return nil }
    self.socket = socket
    guard let period = watchdogMicroseconds.flatMap({ UInt64($0) }), period > 0, period < UInt64.max / 2 else { return }
    if let watchdogPID, !watchdogPID.isEmpty, Int32(watchdogPID) != pid { return }
    // Half of the period, so that one that is late is no harm.
    watchdogMilliseconds = max(1, period / 2000)
  }

  /// Takes the variables out of the environment: they are not for those the agent starts. Before there are other threads.
  public static func take() -> ServiceEnvironment? {
    let names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]
    let values = names.map { name in getenv(name).map { String(cString: $0) } }
    for name in names { unsetenv(name) }
    return ServiceEnvironment(socket: values[0], watchdogMicroseconds: values[1], watchdogPID: values[2], pid: getpid())
  }
}

/// What is said to the service manager.
enum ServiceMessage {
  case ready
  case status(String)
  case stopping
  case watchdog

  var text: String {
    switch self {
    case .ready: "READY=1\n"
    case .status(let words): "STATUS=\(Visible.line(words))\n"
    case .stopping: "STOPPING=1\n"
    case .watchdog: "WATCHDOG=1\n"
    }
  }
}

/// Tells the service manager how the agent is. The signs of life come from the reactor: when it hangs they fail to appear.
public final class ServiceNotifier {
  private let environment: ServiceEnvironment
  private let reactor: Reactor
  private let fd: Int32
  private var waiting: [ServiceMessage] = []
  private var retry: ReactorTimer?
  private var isReady = false
  private var isStopping = false
  /// How the agent is, for the status line.
  public var words: () -> String = { "" }
  private var said = ""
  private var statusTimer: ReactorTimer?

  private static let statusMilliseconds: UInt64 = 1000
  private static let retryMilliseconds: UInt64 = 100
  private static let maximumWaiting = 16

  /// nil: no socket can be had.
  public init?(_ environment: ServiceEnvironment, reactor: Reactor) {
    fd = shim_unix_socket(Int32(SHIM_DATAGRAM))
    guard fd >= 0 else { return nil }
    self.environment = environment
    self.reactor = reactor
    if let period = environment.watchdogMilliseconds { signOfLife(every: period) }
  }

  deinit { close(fd) }

  /// The agent does what it is for.
  public func ready() {
    guard !isReady else { return }
    isReady = true
    say(.ready)
  }

  public func stopping() {
    guard !isStopping else { return }
    isStopping = true
    say(.stopping)
  }

  /// Something may have changed: at most once a second `words` is asked what, and what is new is said.
  public func changed() {
    guard statusTimer == nil, !isStopping else { return }
    statusTimer = reactor.addTimer(afterMilliseconds: Self.statusMilliseconds) { [unowned self] in
      statusTimer = nil
      let text = words()
      guard text != said, !isStopping else { return }
      said = text
      say(.status(text))
    }
  }

  private func signOfLife(every milliseconds: UInt64) {
    say(.watchdog)
    reactor.addTimer(afterMilliseconds: milliseconds) { [weak self] in self?.signOfLife(every: milliseconds) }
  }

  // MARK: Sending

  private func say(_ message: ServiceMessage) {
    if case .watchdog = message, !waiting.isEmpty { return }
    waiting.append(message)
    if waiting.count > Self.maximumWaiting { waiting.removeFirst() }
    send()
  }

  /// When the manager is too busy it is tried again; when it is gone nobody misses the message.
  private func send() {
    while let message = waiting.first {
      let text = Array(message.text.utf8)
      let result = text.withUnsafeBytes { shim_unix_send(fd, environment.socket, $0.baseAddress, $0.count) }
      if result != 0, errno == EAGAIN || errno == ENOBUFS { return sendLater() }
      if result != 0, errno == EINTR { continue }
      waiting.removeFirst()
    }
  }

  private func sendLater() {
    guard retry == nil else { return }
    retry = reactor.addTimer(afterMilliseconds: Self.retryMilliseconds) { [weak self] in
      self?.retry = nil
      self?.send()
    }
  }
}
