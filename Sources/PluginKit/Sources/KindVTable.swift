// SPDX-License-Identifier: Apache-2.0

import PluginABI

private final class KindType {
  let type: any ResourceKind.Type
  let parameterCount: Int

  init(_ type: any ResourceKind.Type, parameterCount: Int) {
    self.type = type
    self.parameterCount = parameterCount
  }
}

private final class OpenKind {
  let kind: any ResourceKind
  let parameterCount: Int

  init(_ kind: any ResourceKind, parameterCount: Int) {
    self.kind = kind
    self.parameterCount = parameterCount
  }
}

/// Turns the C calls of the host into calls of Swift methods.
enum KindVTable {
  private static func parameterTable(_ parameters: [Parameter]) -> UnsafePointer<UnsafePointer<mgmt_param>?> {
    let table = UnsafeMutablePointer<UnsafePointer<mgmt_param>?>.allocate(capacity: max(1, parameters.count))
    for (position, parameter) in parameters.enumerated() { (table + position).initialize(to: parameter.permanentABI()) }
    return UnsafePointer(table)
  }

  static func make(_ type: any ResourceKind.Type) -> UnsafePointer<mgmt_kind>? {
    let description = type.description
    let memory = UnsafeMutablePointer<mgmt_kind>.allocate(capacity: 1)
    memory.initialize(to: mgmt_kind())
    memory.pointee.size = UInt32(MemoryLayout<mgmt_kind>.size)
    memory.pointee.flags = description.flags.rawValue
    memory.pointee.name = description.name.permanentABI()
    memory.pointee.doc = description.documentation.permanentABI()
    memory.pointee.params = parameterTable(description.parameters)
    memory.pointee.param_count = description.parameters.count
    memory.pointee.sends = parameterTable(description.sends)
    memory.pointee.send_count = description.sends.count
    memory.pointee.user =
      Unmanaged.passRetained(KindType(type, parameterCount: description.parameters.count)).toOpaque()
    fillMethods(&memory.pointee)
    fillOptionalMethods(&memory.pointee, description.traits)
    return UnsafePointer(memory)
  }

  private static func fillMethods(_ kind: inout mgmt_kind) {
    kind.open = { description, _, table, result, error in
      guard let user = description?.pointee.user, let table else { return mgmt_status(MGMT_FAILED) }
      let host = Host(table)
      let entry = Unmanaged<KindType>.fromOpaque(user).takeUnretainedValue()
      return attempt(error) { () throws(Failure) in
        let opened = OpenKind(try entry.type.init(host: host), parameterCount: entry.parameterCount)
        result?.pointee = Unmanaged.passRetained(opened).toOpaque()
        return .ok
      }
    }
    kind.close = { kind in
      guard let kind else { return }
      let opened = Unmanaged<OpenKind>.fromOpaque(kind)
      opened.takeUnretainedValue().kind.close()
      opened.release()
    }
    kind.validate = { description, name, values, error in
      guard let user = description?.pointee.user, let values else { return mgmt_status(MGMT_FAILED) }
      let entry = Unmanaged<KindType>.fromOpaque(user).takeUnretainedValue()
      return attempt(error) { () throws(Failure) in
        try entry.type.validate(name: String(name), parameters: Parameters(values: values, count: entry.parameterCount))
        return .ok
      }
    }
    kind.create = { kind, handle, name, values, result, error in
      guard let kind, let values else { return mgmt_status(MGMT_FAILED) }
      let opened = Unmanaged<OpenKind>.fromOpaque(kind).takeUnretainedValue()
      return attempt(error) { () throws(Failure) in
        let resource = try opened.kind.make(
          ResourceHandle(pointer: handle), name: String(name),
          parameters: Parameters(values: values, count: opened.parameterCount))
        resource.parameterCount = Int32(opened.parameterCount)
        result?.pointee = Unmanaged.passRetained(resource).toOpaque()
        return .ok
      }
    }
    kind.destroy = { pointer in
      guard let pointer else { return }
      let resource = Unmanaged<Resource>.fromOpaque(pointer)
      resource.takeUnretainedValue().close()
      resource.release()
    }
    kind.watch = { pointer, error in
      attempt(error) { () throws(Failure) in
        try resource(pointer)?.watch()
        return .ok
      }
    }
    kind.unwatch = { resource($0)?.unwatch() }
    kind.check_apply = { pointer, call, flags, error in
      attempt(error) { () throws(Failure) in
        try resource(pointer)?.checkApply(Call(pointer: call), CheckFlags(rawValue: flags)) ?? .ok
      }
    }
    kind.cancel = { pointer, call in resource(pointer)?.cancel(Call(pointer: call)) }
  }

  /// Only what the kind declares: the host passes over what is NULL without a call.
  private static func fillOptionalMethods(_ kind: inout mgmt_kind, _ traits: KindDescription.Traits) {
    if traits.contains(.identities) {
      kind.uids = { pointer, sink, _ in
        resource(pointer)?.identities(IdentitySink(sink: sink))
        return mgmt_status(MGMT_OK)
      }
    }
    if traits.contains(.automaticEdges) {
      kind.auto_edges = { pointer, sink, _ in
        resource(pointer)?.automaticEdges(IdentitySink(sink: sink))
        return mgmt_status(MGMT_OK)
      }
    }
    if traits.contains(.comparison) {
      kind.cmp = { a, b in
        guard let a = resource(a), let b = resource(b) else { return 1 }
        return a.isSame(as: b) ? 0 : 1
      }
    }
    if traits.contains(.grouping) { fillGrouping(&kind) }
    if traits.contains(.preparation) {
      kind.prepare = { kind, call, flags, error in
        guard let kind else { return mgmt_status(MGMT_FAILED) }
        let opened = Unmanaged<OpenKind>.fromOpaque(kind).takeUnretainedValue()
        return attempt(error) { () throws(Failure) in
          try opened.kind.prepare(Call(pointer: call), PrepareFlags(rawValue: flags))
        }
      }
    }
    if traits.contains(.settling) {
      kind.settle = { kind, call, error in
        guard let kind else { return mgmt_status(MGMT_FAILED) }
        let opened = Unmanaged<OpenKind>.fromOpaque(kind).takeUnretainedValue()
        return attempt(error) { () throws(Failure) in
          try opened.kind.settle(Call(pointer: call))
          return .ok
        }
      }
    }
    if traits.contains(.update) {
      kind.update = { pointer, values, changed, error in
        guard let resource = resource(pointer), let values, let changed else { return mgmt_status(MGMT_FAILED) }
        let count = Int(resource.parameterCount)
        do throws(Failure) {
          let result = try resource.update(
            Parameters(values: values, count: count), changed: ChangedParameters(flags: changed, count: count))
          return mgmt_status(result == .updated ? MGMT_OK : MGMT_RECREATE)
        } catch let failure {
          return failure.report(to: error)
        }
      }
    }
    if traits.contains(.reversal) {
      kind.reverse = { pointer, sink, error in
        attempt(error) { () throws(Failure) in
          try resource(pointer)?.reverse(ReversalSink(sink: sink))
          return .ok
        }
      }
    }
  }

  private static func fillGrouping(_ kind: inout mgmt_kind) {
    kind.group_cmp = { leader, member in
      guard let leader = resource(leader), let member = resource(member) else { return mgmt_status(MGMT_FAILED) }
      return leader.mayGroup(member) ? mgmt_status(MGMT_OK) : mgmt_status(MGMT_UNSUPPORTED)
    }
    kind.group = { leader, member in
      guard let leader = resource(leader), let member = resource(member) else { return mgmt_status(MGMT_FAILED) }
      do throws(Failure) {
        try leader.group(member)
        return mgmt_status(MGMT_OK)
      } catch {
        // The call has no place for a reason.
        member.handle.log(.error, "it cannot join the group: \(error.message)")
        return mgmt_status(MGMT_FAILED)
      }
    }
  }
}

private func resource(_ pointer: UnsafeMutableRawPointer?) -> Resource? {
  pointer.map { Unmanaged<Resource>.fromOpaque($0).takeUnretainedValue() }
}

private func attempt(
  _ error: OpaquePointer?, _ body: () throws(Failure) -> CheckResult
) -> mgmt_status {
  do {
    return try body().status
  } catch let failure {
    return failure.report(to: error)
  }
}
