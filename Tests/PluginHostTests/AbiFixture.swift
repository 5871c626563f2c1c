// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Foundation
import Glibc
import Graph
import PluginABI
import Reactor
import Synchronization
import Testing
import Values

@testable import PluginHost

/// The bridge between engine and plugin, with a plugin whose methods are closures of the test. One at a time: what plugins call
/// without a host argument belongs to the one runtime of the process.
@Suite(.serialized) struct Abi {}

/// What the plugin under test does. Set before a resource is made.
final class PluginScript: @unchecked Sendable {
  typealias Check = @Sendable (_ call: UInt, _ flags: UInt32, _ error: UInt) -> Int
  // `check` and `cancel` are set before anything runs; the rest locks itself.
  var check: Check = { _, _, _ in MGMT_OK }
  var cancel: @Sendable (_ call: UInt) -> Void = { _ in }
  let host = Mutex<UInt>(0)
  let resources = Mutex<[UInt]>([])
  let calls = Mutex<[String]>([])
  let output = Mutex<[UInt8]>([])

  nonisolated(unsafe) static var current = PluginScript()

  func note(_ text: String) { calls.withLock { $0.append(text) } }
  func count(_ text: String) -> Int { calls.withLock { all in all.count { $0 == text } } }

  /// The functions of the host, from any thread.
  /// Watches with threads end at once.
  let watchBreaks = Mutex(false)

  var table: mgmt_host { host.withLock { UnsafePointer<mgmt_host>(bitPattern: $0)?.pointee ?? mgmt_host() } }
  var hostPointer: UnsafePointer<mgmt_host>? { host.withLock { UnsafePointer(bitPattern: $0) } }
  var resource: OpaquePointer? { resources.withLock { $0.first.flatMap { OpaquePointer(bitPattern: $0) } } }
}

/// What the engine would hear.
final class RecordingOwner: InstanceOwner {
  var readyCount = 0
  var eventCount = 0
  var watchFailures: [Diagnostic] = []
  var outcomes: [(slot: Int, outcome: CheckOutcome)] = []
  var progress: [UInt32] = []
  var logs: [String] = []
  var onCheckEnded: (Int) -> Void = { _ in }

  func ready(_ place: Place) { readyCount += 1 }
  func event(_ place: Place) { eventCount += 1 }
  func watchFailed(_ place: Place, _ reason: Diagnostic) { watchFailures.append(reason) }
  func progress(_ place: Place, permille: UInt32, text: String) { progress.append(permille) }
  func log(_ place: Place?, _ level: LogLevel, _ text: String) { logs.append(text) }
  func checkEnded(_ place: Place, _ outcome: CheckOutcome) {
    outcomes.append((place.slot, outcome))
    onCheckEnded(place.slot)
  }

  var statuses: [String] {
    outcomes.map { outcome in
      switch outcome.outcome.status {
      case .ok: "ok"
      case .changed: "changed"
      case .differs: "differs"
      case .cancelled: "cancelled"
      case .failed(let reason): "failed: \(reason.title)"
      }
    }
  }
}

/// A runtime with one plugin, `test`, whose kind of the same name follows the script. The thread that makes it is the reactor's.
final class Bridge {
  let folder: TestFolder
  let reactor: Reactor
  let runtime: PluginRuntime
  let owner = RecordingOwner()
  let script = PluginScript()

  /// `isBlocking`: its watches have threads.
  init(isBlocking: Bool = false, use: StateDirectory.Use = .plugins) throws {
    PluginScript.current = script
    folder = try TestFolder()
    reactor = try Reactor()
    runtime = PluginRuntime(
      reactor: reactor, registry: try Self.registry(folder, isBlocking), hostname: "h", version: "1",
      stateDirectory: StateDirectory(root: "\(folder.path)/state", use: use))
  }

  private static func registry(_ folder: TestFolder, _ isBlocking: Bool) throws -> PluginRegistry {
    let path = try folder.write("plugins/test.so")
    var status = stat()
    #expect(stat(path, &status) == 0)
    let identity = FileIdentity(status)
    let descriptor = PluginDescriptor(
      name: "test", version: "1", kinds: [.init(schema: KindSchema(name: "test", documentation: "", parameters: []))])
    var cache = PluginCache(directory: nil)
    cache.store(.described(descriptor), path, identity)
    let discovery = PluginDiscovery(
      searchPath: PluginSearchPath(only: ["\(folder.path)/plugins"]), scanner: PluginScanner(executable: "/nonexistent"),
      policy: TrustPolicy())
    let registry = PluginRegistry(discovery, cache)
    registry.refresh()
    let plugin = ForeignPlugin()
    plugin.kind.pointee.param_count = 0
    fill(plugin.kind)
    if isBlocking { makeBlocking(plugin.kind) }
    registry.loaded[path] = LoadedPlugin(
      path: path, descriptor: descriptor, table: UnsafePointer(plugin.table), identity: identity,
      kinds: [UnsafePointer(plugin.kind)])
    return registry
  }

  private static func makeBlocking(_ kind: UnsafeMutablePointer<mgmt_kind>) {
    kind.pointee.flags |= UInt32(MGMT_KIND_BLOCKING_WATCH)
    kind.pointee.watch = nil
    kind.pointee.unwatch = nil
    kind.pointee.watch_blocking = { object, call, error in
      let table = PluginScript.current.table
      let resource = object.map { OpaquePointer($0) }
      table.ready(resource)
      table.event(resource)
      var wait = pollfd(fd: table.cancel_fd(call), events: Int16(POLLIN), revents: 0)
      guard !PluginScript.current.watchBreaks.withLock({ $0 }) else { return mgmt_status(MGMT_FAILED) }
      _ = poll(&wait, 1, 30_000)
      PluginScript.current.note(wait.revents & Int16(POLLIN) != 0 ? "cancelled" : "late")
      return mgmt_status(MGMT_CANCELLED)
    }
  }

  private static func fill(_ kind: UnsafeMutablePointer<mgmt_kind>) {
    kind.pointee.open = { _, _, host, _, _ in
      PluginScript.current.host.withLock { $0 = UInt(bitPattern: host) }
      return mgmt_status(MGMT_OK)
    }
    kind.pointee.close = { _ in PluginScript.current.note("close") }
    kind.pointee.create = { _, resource, _, _, object, _ in
      PluginScript.current.resources.withLock { $0.append(UInt(bitPattern: resource)) }
      object?.pointee = UnsafeMutableRawPointer(resource)
      return mgmt_status(MGMT_OK)
    }
    kind.pointee.destroy = { _ in PluginScript.current.note("destroy") }
    kind.pointee.watch = { object, _ in
      PluginScript.current.table.ready(object.map { OpaquePointer($0) })
      return mgmt_status(MGMT_OK)
    }
    kind.pointee.unwatch = { _ in PluginScript.current.note("unwatch") }
    kind.pointee.check_apply = { _, call, flags, error in
      mgmt_status(PluginScript.current.check(UInt(bitPattern: call), flags, UInt(bitPattern: error)))
    }
    kind.pointee.prepare = { _, call, flags, error in
      PluginScript.current.note(flags == UInt32(MGMT_PREPARE_EDGES) ? "prepare for edges" : "prepare")
      return mgmt_status(PluginScript.current.check(UInt(bitPattern: call), flags, UInt(bitPattern: error)))
    }
    kind.pointee.cancel = { _, call in
      PluginScript.current.note("cancel")
      PluginScript.current.cancel(UInt(bitPattern: call))
    }
  }

  func make(_ slot: Int = 0) throws -> any ResourceInstance {
    let instance = try runtime.make(
      Resource(id: ResourceID(kind: "test", name: "r\(slot)"), parameters: []), owner: owner)
    instance.place = Place(slot: slot)
    return instance
  }

  /// A check; the loop has to be turned for its end.
  func check(_ instance: any ResourceInstance, apply: Bool = true) {
    instance.check(CheckRequest(apply: apply, refresh: false, wantsDiff: true))
  }

  /// Turns the loop until something is so; false after a bound.
  func turn(until done: () -> Bool) throws -> Bool {
    let end = monotonicNow() + 30_000_000_000
    while !done() {
      guard monotonicNow() < end else { return false }
      try reactor.runOnce(maximumWait: 20)
    }
    return true
  }

  /// Waits for the only outcome there is to be, and that no other follows.
  func onlyStatus() throws -> String? {
    #expect(try turn { !owner.outcomes.isEmpty })
    for _ in 0..<5 { try reactor.runOnce(maximumWait: 1) }
    #expect(owner.outcomes.count == 1)
    return owner.statuses.first
  }

  func rules() -> [String] { owner.logs.filter { $0.hasPrefix("plugin \"test\" broke a rule of the ABI") } }
}

/// Runs something on so many new threads.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  for number in 0..<count { Thread.detachNewThread { body(number) } }
}

extension UInt {
  /// A handle as the host's functions take it.
  var handle: OpaquePointer? { OpaquePointer(bitPattern: self) }
}
