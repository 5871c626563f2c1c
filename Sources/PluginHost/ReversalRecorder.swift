// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Graph
import PluginABI
import Values

/// Writes down what puts back the changes a resource is about to make. Used on one worker, before the resource's first change.
struct ReversalRecorder: @unchecked Sendable {
  // The pointers are the plugin's own and go back to the plugin only.
  let id: ResourceID
  let origin: SourceSpan?
  let meta: MetaParameters
  let kind: UnsafePointer<mgmt_kind>
  let object: UnsafeMutableRawPointer?
  let context: PluginContext
  private var runtime: RuntimeShared { context.runtime }

  init(
    id: ResourceID, origin: SourceSpan?, meta: MetaParameters, kind: UnsafePointer<mgmt_kind>,
    object: UnsafeMutableRawPointer?, context: PluginContext
  ) {
    self.id = id
    self.origin = origin
    self.meta = meta
    self.kind = kind
    self.object = object
    self.context = context
  }

  /// nil: it is written, or there is nothing to put back. A reversal of the same thing that is pending already stays: it leads
  /// back to where all began.
  func record() -> CheckOutcome.Status? {
    let identities = identities()
    if let pending = runtime.reversals.record(of: id) {
      guard pending.identities != identities else { return nil }
      return failed(
        "existing, pending, reversible resource exists",
        notes: [
          "An earlier \(id) was something else"
            + (pending.identities.first.map { " (\($0.key))" } ?? "") + ", and its changes are still to be put back."
        ],
        hint: "give this one another name, so that the earlier one can be put back")
    }
    guard let reverse = kind.pointee.reverse else { return nil }
    let sink = Sink()
    let error = ErrorBox()
    let status = runtime.sinks.with(sink) { sink in
      context.calling("reverse", id) { reverse(object, sink, error.pointer) }
    }
    switch Int(status) {
    case MGMT_OK, MGMT_CHANGED: break
    case MGMT_UNSUPPORTED: return failed("what it changes cannot be put back", hint: "set the meta parameter reverse to false")
    default:
      return .failed(
        error.diagnostic(
          "reversal.impossible", resource: id.description, origin: origin,
          without: "the plugin could not say how to put it back, nor why not"))
    }
    if let strange = sink.strange {
      return failed(
        "the plugin gave \(strange.words) to put it back",
        hint: "this is a fault of the plugin: set the meta parameter reverse to false")
    }
    guard let resource = sink.resources.first else { return nil }
    guard sink.resources.count == 1, resource.kind == id.kind, resource.name == id.name else {
      return failed(
        "the plugin names other resources than \(id) to put it back",
        hint: "this is a fault of the plugin: set the meta parameter reverse to false")
    }
    var record = ReversalRecord(id: id, identities: identities, resource: resource)
    (record.retry, record.delay, record.timeout, record.semaphores) = (meta.retry, meta.delay, meta.timeout, meta.semaphores)
    record.secrets = meta.secret
    return runtime.reversals.keep(record).map { failure in
      failed(
        "how to put it back cannot be written down", notes: [failure.message], hint: "nothing was changed",
        number: failure.number)
    }
  }

  private func identities() -> [ReversalRecord.Identity] {
    guard let uids = kind.pointee.uids else { return [] }
    var identities: [ReversalRecord.Identity] = []
    let sink = Sink()
    sink.onUID = { uid in
      identities.append(.init(space: String(foreign: uid.pointee.space), key: String(foreign: uid.pointee.key)))
    }
    let error = ErrorBox()
    _ = runtime.sinks.with(sink) { sink in context.calling("uids", id) { uids(object, sink, error.pointer) } }
    return identities
  }

  private func failed(_ title: String, notes: [String] = [], hint: String, number: Int32 = 0) -> CheckOutcome.Status {
    var reason = Diagnostic(
      "reversal.impossible", title, resource: id.description, labels: origin.map { [.init($0, "declared here")] } ?? [],
      notes: notes, hint: hint)
    reason.systemError = number
    return .failed(reason)
  }
}
