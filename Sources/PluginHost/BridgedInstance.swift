// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Graph
import PluginABI
import Reactor
import Values

/// One resource in its plugin, as the engine sees it. The plugin knows it by a number.
final class BridgedInstance: ResourceInstance {
  let id: UInt
  var place = Place(slot: -1)
  private let resourceID: ResourceID
  private let origin: SourceSpan?
  /// The resource, when what it changes is to be put back one day.
  private let reversible: Boxed<Resource>?
  private let kind: OpenKind
  private let object: UnsafeMutableRawPointer?
  private let runtime: PluginRuntime
  private var call: CallState?
  private(set) var isWatching = false
  private(set) var isReady = false
  /// Its last check on the reactor's thread took well under a millisecond; at first, that is to be found out.
  private var isQuick = true
  private var isOnWorker = false
  private var thread: BlockingWatch?
  private var mustDestroy = false

  init(
    id: UInt, resource: Resource, kind: OpenKind, object: UnsafeMutableRawPointer?, runtime: PluginRuntime
  ) {
    self.id = id
    reversible = resource.meta.reverse ? Boxed(resource) : nil
    resourceID = resource.id
    origin = resource.origin
    self.kind = kind
    self.object = object
    self.runtime = runtime
  }

  var name: String { resourceID.description }
  var context: PluginContext { kind.context }

  func watch() throws(MgmtError) {
    (isWatching, isReady) = (true, false)
    if kind.blocksToWatch { return try startThread() }
    guard let watch = kind.table.pointee.watch else {
      runtime.owner?.ready(place)
      return
    }
    let error = ErrorBox()
    let status = context.onReactor("watch") { watch(object, error.pointer) }
    guard status == mgmt_status(MGMT_OK) else {
      isWatching = false
      throw MgmtError(
        error.diagnostic(
          "resource.watch", resource: name, origin: origin, without: "the plugin could not watch it and did not say why"))
    }
  }

  func unwatch() {
    guard isWatching else { return }
    isWatching = false
    if kind.blocksToWatch {
      thread?.stop()
    } else {
      context.onReactor("unwatch") { kind.table.pointee.unwatch?(object) }
    }
  }

  func check(_ request: CheckRequest) {
    let (name, origin) = (name, origin)
    let call = runtime.shared.calls.add { number in
      CallState(
        id: number, instance: id, resource: name, context: context, kind: kind.table, object: object, request: request,
        schema: kind.schema, recordReversal: request.recordsReversal ? reversalRecorder() : nil
      ) { error, without in
        .failed(error.diagnostic("resource.failed", resource: name, origin: origin, without: without))
      }
    }
    self.call = call
    start(call)
  }

  /// A lone event is answered at once, on the reactor, when the resource was quick before; all else goes to a worker.
  private func start(_ call: CallState) {
    let mayStay = !call.recordsReversal
    if kind.isNonblocking, mayStay { return context.onReactor("check_apply", call.run) }
    if kind.isBrief, isQuick, mayStay, runtime.briefChecks.take(round: runtime.reactor.round) {
      let start = monotonicNow()
      let isDone = call.runBriefly()
      isQuick = monotonicNow() - start < BriefChecks.limit
      if isDone { return }
    }
    isOnWorker = true
    runtime.briefChecks.onWorkers += 1
    runtime.reactor.submit(call)
  }

  func checkEnded() {
    call = nil
    if isOnWorker { runtime.briefChecks.onWorkers -= 1 }
    isOnWorker = false
  }

  func cancelCheck() { call?.cancel() }

  /// What its watching thread still uses is destroyed when that has ended.
  func destroy() {
    guard thread == nil else {
      mustDestroy = true
      return
    }
    context.onReactor("destroy") { kind.table.pointee.destroy(object) }
    runtime.forget(self)
  }

  // MARK: Threads that watch

  /// Not before the one of the watch before has ended.
  private func startThread() throws(MgmtError) {
    guard thread == nil else { return }
    let call = runtime.shared.calls.add { number in
      CallState(
        id: number, instance: id, resource: name, context: context, kind: kind.table, object: object,
        request: CheckRequest(apply: false, refresh: false, wantsDiff: false), schema: kind.schema
      ) { _, without in .failed(Diagnostic("resource.watch", without)) }
    }
    let watch = BlockingWatch(instance: id, kind: kind.table, object: object, context: context, call: call)
    let error = watch.start()
    guard error == 0 else {
      isWatching = false
      runtime.shared.calls.end(call, context)
      throw MgmtError(
        Diagnostic(
          "resource.watch", "a thread to watch it cannot be started", resource: name,
          labels: origin.map { [.init($0, "declared here")] } ?? [], notes: [systemMessage(error)]))
    }
    thread = watch
  }

  func threadEnded(_ error: ErrorBox, wasCancelled: Bool) {
    thread = nil
    if mustDestroy { return destroy() }
    guard isWatching else { return }
    guard wasCancelled else { return watchBroke(error) }
    // It was watched again before the thread of the watch before had ended.
    do throws(MgmtError) {
      try startThread()
    } catch {
      if let reason = error.diagnostics.first { runtime.owner?.watchFailed(place, reason) }
    }
  }

  var hasThread: Bool { thread.map { !$0.isOver } ?? false }

  /// `host->ready`: once after each watch.
  func becameReady() {
    guard isWatching else { return context.misbehaved("ready was called without a watch", resource: name) }
    guard !isReady else { return context.misbehaved("ready was called twice for one watch", resource: name) }
    isReady = true
    runtime.owner?.ready(place)
  }

  func eventCame() {
    guard isWatching else { return context.misbehaved("event was called after unwatch", resource: name) }
    runtime.owner?.event(place)
  }

  func watchBroke(_ error: ErrorBox) {
    runtime.owner?.watchFailed(
      place,
      error.diagnostic(
        "resource.watch", resource: name, origin: origin, without: "its watch ended and the plugin did not say why"))
  }
}

// MARK: Edges, groups, received values

extension BridgedInstance {
  func identities(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
    guard let uids = kind.table.pointee.uids else { return }
    collect("uids", uids) { body(UnsafeRawBufferPointer($0.space), UnsafeRawBufferPointer($0.key)) }
  }

  func wishes(_ body: (Wish) -> Void) {
    guard let edges = kind.table.pointee.auto_edges else { return }
    collect("auto_edges", edges) { body(Wish($0)) }
  }

  private func collect(
    _ name: String, _ method: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, OpaquePointer?) -> mgmt_status,
    _ body: (mgmt_uid) -> Void
  ) {
    let sink = Sink()
    let error = ErrorBox()
    let status = withoutActuallyEscaping(body) { body in
      sink.onUID = { body($0.pointee) }
      defer { sink.onUID = nil }
      return runtime.shared.sinks.with(sink) { method(object, $0, error.pointer) }
    }
    guard status != mgmt_status(MGMT_OK), status != mgmt_status(MGMT_UNSUPPORTED) else { return }
    let diagnostic = error.diagnostic(
      "resource.edges", resource: self.name, origin: origin, without: "\(name) failed and did not say why")
    context.runtime.tell(.log(id, .warning, "no automatic edges: \(diagnostic.title)"))
  }

  func isSame(as other: any ResourceInstance) -> Bool? {
    guard let compare = kind.table.pointee.cmp, let other = other as? BridgedInstance, other.kind === kind else { return nil }
    return context.onReactor("cmp") { compare(object, other.object) } == 0
  }

  func mayLead(_ member: any ResourceInstance) -> Bool {
    guard let compare = kind.table.pointee.group_cmp, let member = member as? BridgedInstance, member.context === context else {
      return false
    }
    return compare(object, member.object) == mgmt_status(MGMT_OK)
  }

  func lead(_ member: any ResourceInstance) throws(MgmtError) {
    guard let group = kind.table.pointee.group, let member = member as? BridgedInstance, member.context === context else {
      throw MgmtError(Diagnostic("resource.group", "it cannot lead a group", resource: name))
    }
    let status = context.onReactor("group") { group(object, member.object) }
    guard status == mgmt_status(MGMT_OK) else {
      throw MgmtError(
        Diagnostic(
          "resource.group", "\(member.name) cannot join the group of \(name) after all", resource: member.name,
          notes: ["it runs by itself"]))
    }
  }

  func update(_ parameters: [Value], changed: [Bool]) throws(MgmtError) -> UpdateResult {
    guard let update = kind.table.pointee.update else { return .recreate }
    let error = ErrorBox()
    let flags = changed.map { $0 ? UInt8(1) : 0 }
    let status = context.onReactor("update") {
      runtime.arena.lend(parameters) { values in
        flags.withUnsafeBufferPointer { update(object, values, $0.baseAddress, error.pointer) }
      }
    }
    switch Int(status) {
    case MGMT_OK, MGMT_CHANGED: return .updated
    case MGMT_RECREATE, MGMT_UNSUPPORTED: return .recreate
    default:
      throw MgmtError(
        error.diagnostic(
          "resource.update", resource: name, origin: origin,
          without: "the plugin refused the values it received and did not say why"))
    }
  }

  /// What writes down, on a worker, how to put back what is about to be changed. nil from it: done, or nothing to do.
  private func reversalRecorder() -> (@Sendable () -> CheckOutcome.Status?)? {
    guard kind.table.pointee.reverse != nil, let resource = reversible?.value else { return nil }
    let recorder = ReversalRecorder(
      id: resourceID, origin: origin, meta: resource.meta, kind: kind.table, object: object, runtime: runtime.shared)
    return { recorder.record() }
  }
}

/// What few instances have, so that it costs the others a pointer only.
private final class Boxed<Value> {
  let value: Value
  init(_ value: Value) { self.value = value }
}

/// A kind that is in use: its plugin's table and the state its instances share.
final class OpenKind {
  let context: PluginContext
  let table: UnsafePointer<mgmt_kind>
  let schema: KindSchema
  let shared: UnsafeMutableRawPointer?
  let isNonblocking: Bool
  /// Understands `MGMT_CHECK_BRIEF`.
  let isBrief: Bool
  /// Each watch has a thread.
  let blocksToWatch: Bool

  /// What its table offers.
  var traits: KindTraits {
    var traits: KindTraits = []
    if table.pointee.uids != nil { traits.insert(.identifies) }
    if table.pointee.auto_edges != nil { traits.insert(.wishes) }
    if table.pointee.group_cmp != nil, table.pointee.group != nil { traits.insert(.leads) }
    if table.pointee.reverse != nil { traits.insert(.reverses) }
    if table.pointee.cmp != nil { traits.insert(.compares) }
    if table.pointee.prepare != nil { traits.insert(.prepares) }
    return traits
  }

  init(context: PluginContext, table: UnsafePointer<mgmt_kind>, schema: KindSchema, shared: UnsafeMutableRawPointer?) {
    self.context = context
    self.table = table
    self.schema = schema
    self.shared = shared
    isNonblocking = table.pointee.flags & UInt32(MGMT_KIND_NONBLOCKING) != 0
    isBrief = table.pointee.flags & UInt32(MGMT_KIND_BRIEF) != 0
    blocksToWatch = table.pointee.flags & UInt32(MGMT_KIND_BLOCKING_WATCH) != 0 && table.pointee.watch_blocking != nil
  }
}

/// Decides which checks may run on the reactor's thread: few at a time, and none while workers have some, so that a burst runs in
/// parallel and a lone event is answered without a hop between threads.
struct BriefChecks {
  /// Nanoseconds a check may take to be tried on the reactor again.
  static let limit: UInt64 = 2_000_000
  private static let perRound = 2
  /// Checks given to workers that have not ended.
  var onWorkers = 0
  private var round: UInt64 = 0
  private var taken = 0

  /// `round`: of the reactor's loop.
  mutating func take(round: UInt64) -> Bool {
    if self.round != round { (self.round, taken) = (round, 0) }
    guard onWorkers == 0, taken < Self.perRound else { return false }
    taken += 1
    return true
  }
}
