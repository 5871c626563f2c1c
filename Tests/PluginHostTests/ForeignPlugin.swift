// SPDX-License-Identifier: Apache-2.0

import PluginABI

/// The static data of a plugin with one kind and one parameter, for tests to spoil. Its memory is never freed, as a plugin's.
final class ForeignPlugin {
  let table: UnsafeMutablePointer<mgmt_plugin>
  let kindTable: UnsafeMutablePointer<UnsafePointer<mgmt_kind>?>
  let kind: UnsafeMutablePointer<mgmt_kind>
  let parameterTable: UnsafeMutablePointer<UnsafePointer<mgmt_param>?>
  let parameter: UnsafeMutablePointer<mgmt_param>
  let value: UnsafeMutablePointer<mgmt_value>

  init() {
    table = Self.memory(mgmt_plugin())
    kind = Self.memory(mgmt_kind())
    parameter = Self.memory(mgmt_param())
    value = Self.memory(mgmt_value())
    kindTable = Self.memory(nil, count: 2)
    parameterTable = Self.memory(nil, count: 2)
    fillKind()
    fillParameter()
    kindTable.pointee = UnsafePointer(kind)
    table.pointee.abi_major = 1
    table.pointee.size = UInt32(MemoryLayout<mgmt_plugin>.size)
    table.pointee.name = text("test")
    table.pointee.version = text("1.2")
    table.pointee.license = text("MIT")
    table.pointee.doc = text("A plugin.")
    table.pointee.kinds = UnsafePointer(kindTable)
    table.pointee.kind_count = 1
  }

  private func fillKind() {
    parameterTable.pointee = UnsafePointer(parameter)
    kind.pointee.size = UInt32(MemoryLayout<mgmt_kind>.size)
    kind.pointee.name = text("http:server")
    kind.pointee.doc = text("A kind.")
    kind.pointee.params = UnsafePointer(parameterTable)
    kind.pointee.param_count = 1
    kind.pointee.create = { _, _, _, _, _, _ in 0 }
    kind.pointee.destroy = { _ in }
    kind.pointee.watch = { _, _ in 0 }
    kind.pointee.unwatch = { _ in }
    kind.pointee.check_apply = { _, _, _, _ in 0 }
  }

  private func fillParameter() {
    let choices: UnsafeMutablePointer<mgmt_str> = Self.memory(text("on"), count: 2)
    choices[1] = text("off")
    value.pointee = mgmt_value(type: UInt32(MGMT_STRING), flags: 0, u: .init(s: text("on")))
    parameter.pointee.size = UInt32(MemoryLayout<mgmt_param>.size)
    parameter.pointee.name = text("state")
    parameter.pointee.type = text("str")
    parameter.pointee.doc = text("On or off.")
    parameter.pointee.def = UnsafePointer(value)
    parameter.pointee.choices = UnsafePointer(choices)
    parameter.pointee.choice_count = 2
  }

  func repeatKind() {
    kindTable[1] = UnsafePointer(kind)
    table.pointee.kind_count = 2
  }

  func repeatParameter() {
    parameterTable[1] = UnsafePointer(parameter)
    kind.pointee.param_count = 2
  }

  func withPointer<Result>(_ body: (UnsafePointer<mgmt_plugin>) -> Result) -> Result { body(UnsafePointer(table)) }

  func text(_ text: String) -> mgmt_str { self.text(bytes: Array(text.utf8)) }

  func text(bytes: [UInt8]) -> mgmt_str {
    let memory: UnsafeMutablePointer<CChar> = Self.memory(0, count: max(1, bytes.count))
    for (position, byte) in bytes.enumerated() { memory[position] = CChar(bitPattern: byte) }
    return mgmt_str(ptr: memory, len: bytes.count)
  }

  private static func memory<T>(_ value: T, count: Int = 1) -> UnsafeMutablePointer<T> {
    let memory = UnsafeMutablePointer<T>.allocate(capacity: count)
    memory.initialize(repeating: value, count: count)
    return memory
  }
}
