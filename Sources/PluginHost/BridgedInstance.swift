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
  let resourceID: ResourceID
  let origin: SourceSpan?
  /// The resource, when what it changes is to be put back one day.
  let reversible: Boxed<Resource>?
  let kind: OpenKind
  let object: UnsafeMutableRawPointer?
  let runtime: PluginRuntime
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
    let status = context.onReactor("watch", resourceID) { watch(object, error.pointer) }
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
      context.onReactor("unwatch", resourceID) { kind.table.pointee.unwatch?(object) }
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
    runtime.reactor.submit(call, to: .checks)
  }

  /// False: the engine does not want to hear of it any more.
  func checkEnded() -> Bool {
    call = nil
    if isOnWorker { runtime.briefChecks.onWorkers -= 1 }
    isOnWorker = false
    if mustDestroy { destroy() }
    return !mustDestroy
  }

  func cancelCheck() { call?.cancel() }

  /// What its check or its watching thread still uses is destroyed when those have ended.
  func destroy() {
    guard thread == nil, call == nil else {
      mustDestroy = true
      return
    }
    context.onReactor("destroy", resourceID) { kind.table.pointee.destroy(object) }
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
      var reason = Diagnostic(
        "resource.watch", "a thread to watch it cannot be started", resource: name,
        labels: origin.map { [.init($0, "declared here")] } ?? [], notes: [systemMessage(error)])
      reason.systemError = error
      throw MgmtError(reason)
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

  var isWatchedByThread: Bool { thread.map { !$0.isOver } ?? false }
  /// Other threads run the plugin's code for it.
  var isInUse: Bool { call != nil || isWatchedByThread }

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

/// What few instances have, so that it costs the others a pointer only.
final class Boxed<Value> {
  let value: Value
  init(_ value: Value) { self.value = value }
}
