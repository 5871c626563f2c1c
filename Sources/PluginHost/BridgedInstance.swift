// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Graph
import PluginABI

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
    if kind.isNonblocking { context.onReactor("check_apply", call.run) } else { runtime.reactor.submit(call) }
  }

  func checkEnded() { call = nil }

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

  init(context: PluginContext, table: UnsafePointer<mgmt_kind>, shared: UnsafeMutableRawPointer?) {
    self.context = context
    self.table = table
    self.shared = shared
    isNonblocking = table.pointee.flags & UInt32(MGMT_KIND_NONBLOCKING) != 0
  }
}
