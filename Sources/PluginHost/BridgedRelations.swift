// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import PluginABI
import Values

/// What a resource is to others: automatic edges, groups, received values, reversal.
extension BridgedInstance {
  func identities(_ body: (Identity) -> Void) {
    guard let uids = kind.table.pointee.uids else { return }
    collect("uids", uids) { body(Identity($0)) }
  }

  func wishes(_ body: (Wish) -> Void) {
    guard let edges = kind.table.pointee.auto_edges else { return }
    collect("auto_edges", edges) { body(Wish($0)) }
  }

  private func collect(
    _ name: StaticString, _ method: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, OpaquePointer?) -> mgmt_status,
    _ body: (mgmt_uid) -> Void
  ) {
    let sink = Sink()
    let error = ErrorBox()
    let status = withoutActuallyEscaping(body) { body in
      sink.onUID = { body($0.pointee) }
      defer { sink.onUID = nil }
      return runtime.shared.sinks.with(sink) { sink in
        context.calling(name, resourceID) { method(object, sink, error.pointer) }
      }
    }
    guard status != mgmt_status(MGMT_OK), status != mgmt_status(MGMT_UNSUPPORTED) else { return }
    let diagnostic = error.diagnostic(
      "resource.edges", resource: self.name, origin: origin, without: "\(name) failed and did not say why")
    context.runtime.tell(.log(id, .warning, "no automatic edges: \(diagnostic.title)"))
  }

  func isSame(as other: any ResourceInstance) -> Bool? {
    guard let compare = kind.table.pointee.cmp, let other = other as? BridgedInstance, other.kind === kind else { return nil }
    return context.onReactor("cmp", resourceID) { compare(object, other.object) } == 0
  }

  func mayLead(_ member: any ResourceInstance) -> Bool {
    guard let compare = kind.table.pointee.group_cmp, let member = member as? BridgedInstance, member.context === context else {
      return false
    }
    return context.calling("group_cmp", resourceID) { compare(object, member.object) } == mgmt_status(MGMT_OK)
  }

  func lead(_ member: any ResourceInstance) throws(MgmtError) {
    guard let group = kind.table.pointee.group, let member = member as? BridgedInstance, member.context === context else {
      throw MgmtError(Diagnostic("resource.group", "it cannot lead a group", resource: name))
    }
    let status = context.onReactor("group", resourceID) { group(object, member.object) }
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
    let status = context.onReactor("update", resourceID) {
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
  func reversalRecorder() -> (@Sendable () -> CheckOutcome.Status?)? {
    guard kind.table.pointee.reverse != nil, let resource = reversible?.value else { return nil }
    let recorder = ReversalRecorder(
      id: resourceID, origin: origin, meta: resource.meta, kind: kind.table, object: object, context: context)
    return { recorder.record() }
  }
}
