// SPDX-License-Identifier: Apache-2.0

public import PluginABI

/// What a plugin's one exported function returns:
///
///     private let plugin = Plugin(name: "noop", version: "1.0", documentation: "...", kinds: [NoopKind.self])
///
///     @c(mgmt_plugin_v1)
///     public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
public struct Plugin: @unchecked Sendable {
  // The descriptor is written once, here, and read-only afterwards.
  public let descriptor: UnsafePointer<mgmt_plugin>

  public init(
    name: String, version: String, license: String = "Apache-2.0", documentation: String, kinds: [any ResourceKind.Type]
  ) {
    let table = UnsafeMutablePointer<UnsafePointer<mgmt_kind>?>.allocate(capacity: max(1, kinds.count))
    for (position, kind) in kinds.enumerated() { (table + position).initialize(to: KindVTable.make(kind)) }
    let memory = UnsafeMutablePointer<mgmt_plugin>.allocate(capacity: 1)
    memory.initialize(to: mgmt_plugin())
    memory.pointee.abi_major = UInt32(MGMT_ABI_MAJOR)
    memory.pointee.abi_minor = 0
    memory.pointee.size = UInt32(MemoryLayout<mgmt_plugin>.size)
    memory.pointee.name = name.permanentABI()
    memory.pointee.version = version.permanentABI()
    memory.pointee.license = license.permanentABI()
    memory.pointee.doc = documentation.permanentABI()
    memory.pointee.`init` = { host, plugin, _ in
      guard let host else { return mgmt_status(MGMT_FAILED) }
      if Host.current == nil { Host.current = Host(host) }
      plugin?.pointee = nil
      return mgmt_status(MGMT_OK)
    }
    memory.pointee.kinds = UnsafePointer(table)
    memory.pointee.kind_count = kinds.count
    descriptor = UnsafePointer(memory)
  }
}

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
private enum KindVTable {
  static func parameterTable(_ parameters: [Parameter]) -> UnsafePointer<UnsafePointer<mgmt_param>?> {
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
    kind.uids = { pointer, sink, _ in
      resource(pointer)?.identities(IdentitySink(sink: sink))
      return mgmt_status(MGMT_OK)
    }
    kind.auto_edges = { pointer, sink, _ in
      resource(pointer)?.automaticEdges(IdentitySink(sink: sink))
      return mgmt_status(MGMT_OK)
    }
    kind.group_cmp = { leader, member in
      guard let leader = resource(leader), let member = resource(member) else { return mgmt_status(MGMT_FAILED) }
      return leader.mayGroup(member) ? mgmt_status(MGMT_OK) : mgmt_status(MGMT_UNSUPPORTED)
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
