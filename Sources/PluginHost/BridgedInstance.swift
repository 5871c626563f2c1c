// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Graph
import PluginABI
import Reactor

/// One resource in its plugin, as the engine sees it. The plugin knows it by a number.
final class BridgedInstance: ResourceInstance {
  let id: UInt
  let slot: Int
  private let resourceID: ResourceID
  private let origin: SourceSpan?
  private let kind: OpenKind
  private let object: UnsafeMutableRawPointer?
  private let runtime: PluginRuntime
  private var call: CallState?
  private(set) var isWatching = false
  private(set) var isReady = false
  /// Its last check on the reactor's thread took well under a millisecond; at first, that is to be found out.
  private var isQuick = true
  private var isOnWorker = false

  init(
    id: UInt, slot: Int, resource: Resource, kind: OpenKind, object: UnsafeMutableRawPointer?, runtime: PluginRuntime
  ) {
    self.id = id
    self.slot = slot
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
    guard let watch = kind.table.pointee.watch else {
      runtime.owner?.ready(slot: slot)
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
    context.onReactor("unwatch") { kind.table.pointee.unwatch?(object) }
  }

  func check(_ request: CheckRequest) {
    let (name, origin) = (name, origin)
    let call = runtime.shared.calls.add { number in
      CallState(
        id: number, instance: id, resource: name, context: context, kind: kind.table, object: object, request: request
      ) { error, without in
        .failed(error.diagnostic("resource.failed", resource: name, origin: origin, without: without))
      }
    }
    self.call = call
    start(call)
  }

  /// A lone event is answered at once, on the reactor, when the resource was quick before; all else goes to a worker.
  private func start(_ call: CallState) {
    if kind.isNonblocking { return context.onReactor("check_apply", call.run) }
    if kind.isBrief, isQuick, runtime.briefChecks.take(round: runtime.reactor.round) {
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

  func destroy() {
    context.onReactor("destroy") { kind.table.pointee.destroy(object) }
    runtime.forget(self)
  }

  /// `host->ready`: once after each watch.
  func becameReady() {
    guard isWatching else { return context.misbehaved("ready was called without a watch", resource: name) }
    guard !isReady else { return context.misbehaved("ready was called twice for one watch", resource: name) }
    isReady = true
    runtime.owner?.ready(slot: slot)
  }

  func eventCame() {
    guard isWatching else { return context.misbehaved("event was called after unwatch", resource: name) }
    runtime.owner?.event(slot: slot)
  }

  func watchBroke(_ error: ErrorBox) {
    runtime.owner?.watchFailed(
      slot: slot,
      error.diagnostic(
        "resource.watch", resource: name, origin: origin, without: "its watch ended and the plugin did not say why"))
  }
}

/// A kind that is in use: its plugin's table and the state its instances share.
final class OpenKind {
  let context: PluginContext
  let table: UnsafePointer<mgmt_kind>
  let shared: UnsafeMutableRawPointer?
  let isNonblocking: Bool
  /// Understands `MGMT_CHECK_BRIEF`.
  let isBrief: Bool

  init(context: PluginContext, table: UnsafePointer<mgmt_kind>, shared: UnsafeMutableRawPointer?) {
    self.context = context
    self.table = table
    self.shared = shared
    isNonblocking = table.pointee.flags & UInt32(MGMT_KIND_NONBLOCKING) != 0
    isBrief = table.pointee.flags & UInt32(MGMT_KIND_BRIEF) != 0
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
