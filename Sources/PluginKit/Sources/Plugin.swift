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
