// SPDX-License-Identifier: Apache-2.0

import Engine
import Glibc
import Graph
import PluginABI
import Reactor
import Synchronization
import Values

/// One loaded plugin: the host table it was given points here. Shared by the reactor and the workers.
final class PluginContext: @unchecked Sendable {
  // Pointers to static data, and tables that lock themselves.
  let name: String
  /// For ever, as the plugin.
  private let permanentName: UnsafePointer<CChar>
  let runtime: RuntimeShared
  let table: UnsafeMutablePointer<mgmt_host>
  private let reported = Mutex<Set<String>>([])
  /// The plugin's own, from its `init`; used on the reactor's thread only.
  var state: UnsafeMutableRawPointer?
  var deinitialise: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?

  init(name: String, runtime: RuntimeShared) {
    self.name = name
    self.runtime = runtime
    permanentName = Self.permanent(name)
    table = .allocate(capacity: 1)
    table.initialize(to: HostTable.make(runtime))
    table.pointee.impl = Unmanaged.passUnretained(self).toOpaque()
  }

  static func from(_ host: UnsafePointer<mgmt_host>?) -> PluginContext? {
    host?.pointee.impl.map { Unmanaged<PluginContext>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Says once per rule that the plugin broke it.
  func misbehaved(_ rule: String, resource: String? = nil) {
    guard reported.withLock({ $0.insert(rule).inserted }) else { return }
    let place = resource.map { " (\($0))" } ?? ""
    runtime.tell(.log(nil, .warning, "plugin \"\(name)\" broke a rule of the ABI\(place): \(rule)"))
  }

  private static func permanent(_ text: String) -> UnsafePointer<CChar> {
    let bytes = text.utf8CString
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (position, byte) in bytes.enumerated() { memory[position] = byte }
    return UnsafePointer(memory)
  }

  /// Runs the plugin's code: all of it passes here, so that it is known who runs what. `kind` and `name`: of the resource.
  func calling<Result>(_ method: StaticString, kind: String = "", name: String = "", _ body: () -> Result) -> Result {
    ForeignCall.run(permanentName, method, kind: kind, name: name, body)
  }

  func calling<Result>(_ method: StaticString, _ id: ResourceID, _ body: () -> Result) -> Result {
    calling(method, kind: id.kind, name: id.name, body)
  }

  /// Runs a [reactor] method of the plugin and reports one that takes too long.
  func onReactor<Result>(_ method: StaticString, _ id: ResourceID, _ body: () -> Result) -> Result {
    onReactor(method, kind: id.kind, name: id.name, body)
  }

  func onReactor<Result>(_ method: StaticString, kind: String = "", name: String = "", _ body: () -> Result) -> Result {
    let start = monotonicNow()
    let result = calling(method, kind: kind, name: name, body)
    let took = monotonicNow() - start
    if took > Reactor.slowCallback, !runtime.reactor.wasPreempted {
      misbehaved("\(method) blocked the reactor for more than \(Reactor.slowCallback / 1_000_000) ms")
    }
    return result
  }
}

/// What a plugin may ask from any thread, on its way to the reactor.
enum RuntimeMessage: Sendable {
  case ready(UInt)
  case event(UInt)
  case watchFailed(UInt, ErrorBox)
  case log(UInt?, LogLevel, String)
  case progress(UInt, permille: UInt32, String)
  /// With what was sent, by the numbers of the resources.
  case checkEnded(UInt, CheckOutcome, [UInt: SentFields])
  case spawn(UInt)
  /// With the number of the call.
  case prepared(kind: String, UInt, CheckOutcome.Status)
  case settled(UInt, CheckOutcome.Status)
  case watchThreadEnded(UInt, ErrorBox, wasCancelled: Bool)
}

/// What is known about a resource outside the reactor's thread.
struct InstanceInfo: Sendable {
  var kind: String
  var name: String
}

/// The part of the runtime that all threads share.
final class RuntimeShared: @unchecked Sendable {
  // `mailbox` is set once, before any plugin is loaded; the tables lock themselves.
  private let reactorThread: pthread_t
  private(set) var mailbox: Mailbox<RuntimeMessage>?
  /// Handles messages of the reactor's own thread without a detour; set with `mailbox`.
  private var direct: ((RuntimeMessage) -> Void)?
  let calls = CallTable()
  let sources = SourceTable()
  let sinks = SinkTable()
  let reversals: ReversalStore
  /// For the reactor's thread only.
  let reactor: Reactor
  let hostname: String
  let version: String
  let stateDirectory: StateDirectory
  /// Values that plugins mark as secret are kept as they are: a view shows them.
  let showsSecrets: Bool
  private let instances = Mutex<[UInt: InstanceInfo]>([:])

  init(reactor: Reactor, hostname: String, version: String, stateDirectory: StateDirectory, showsSecrets: Bool) {
    reactorThread = pthread_self()
    self.reactor = reactor
    self.hostname = hostname
    self.version = version
    self.stateDirectory = stateDirectory
    self.showsSecrets = showsSecrets
    reversals = ReversalStore(directory: stateDirectory)
  }

  func connect(_ mailbox: Mailbox<RuntimeMessage>, direct: @escaping (RuntimeMessage) -> Void) {
    self.mailbox = mailbox
    self.direct = direct
  }

  var isOnReactor: Bool { pthread_equal(pthread_self(), reactorThread) != 0 }

  /// At once on the reactor's thread, by mail from others.
  func tell(_ message: RuntimeMessage) {
    if isOnReactor { direct?(message) } else { mailbox?.send(message) }
  }

  func info(_ id: UInt) -> InstanceInfo? { instances.withLock { $0[id] } }

  func setInfo(_ id: UInt, _ info: InstanceInfo?) { instances.withLock { $0[id] = info } }
}
