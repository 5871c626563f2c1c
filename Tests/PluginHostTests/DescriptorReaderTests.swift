// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Testing
import Values

@testable import PluginHost

@Suite struct DescriptorReaderTests {
  private func read(_ change: (ForeignPlugin) -> Void) -> Result<PluginDescriptor, DescriptorProblem> {
    let plugin = ForeignPlugin()
    change(plugin)
    return plugin.withPointer { pointer in
      Result { () throws(DescriptorProblem) in try PluginDescriptor(reading: pointer) }
    }
  }

  private func problem(_ change: (ForeignPlugin) -> Void) -> String {
    switch read(change) {
    case .success: "accepted"
    case .failure(let problem): problem.message
    }
  }

  @Test func readsEverything() throws {
    let descriptor = try read { plugin in
      plugin.parameter.pointee.flags = UInt32(MGMT_PARAM_SECRET | MGMT_PARAM_NAME)
      plugin.kind.pointee.flags = UInt32(MGMT_KIND_NONBLOCKING | MGMT_KIND_REFRESH)
    }.get()
    #expect(descriptor.name == "test" && descriptor.version == "1.2" && descriptor.abi == "1.0")
    let kind = try #require(descriptor.kinds.first)
    #expect(kind.schema.name == "http:server" && kind.schema.isRefreshable && kind.isNonblocking)
    #expect(kind.abilities == [.watch])
    let parameter = try #require(kind.schema.parameters.first)
    #expect(
      parameter.name == "state" && parameter.type == .string && parameter.isSecret && parameter.isName && !parameter.isRequired)
    #expect(parameter.defaultValue == .string("on") && parameter.choices == ["on", "off"])
    #expect(kind.schema.position(of: "state") == 0)
  }

  @Test func otherVersionsAreNamed() {
    #expect(problem { $0.table.pointee.abi_minor = 99 } == "it asks for ABI 1.99, this mgmt offers 1.0")
    #expect(problem { $0.table.pointee.abi_major = 2 } == "it asks for ABI 2.0, this mgmt offers 1.0")
    // Whatever else is wrong.
    #expect(
      problem {
        $0.table.pointee.abi_major = 3
        $0.table.pointee.size = 0
      }.hasPrefix("it asks for ABI 3.0"))
  }

  @Test func sizesAreRespected() throws {
    #expect(problem { $0.table.pointee.size = 0 }.contains("size"))
    #expect(problem { $0.kind.pointee.size = 100 }.contains("size"))
    #expect(problem { $0.parameter.pointee.size = 8 }.contains("size"))
    // Built against a table that ends after check_apply: what lies behind it is not read.
    let shorter = try read {
      $0.kind.pointee.size = UInt32(MemoryLayout<mgmt_kind>.offset(of: \.cancel) ?? 0)
      $0.kind.pointee.auto_edges = { _, _, _ in 0 }
    }.get()
    #expect(shorter.kinds.first?.abilities == [.watch])
    let noDefault = try read { $0.parameter.pointee.size = UInt32(MemoryLayout<mgmt_param>.offset(of: \.def) ?? 0) }.get()
    #expect(noDefault.kinds.first?.schema.parameters.first?.defaultValue == .unset)
    // A plugin of a later minor version that can live with this one has a longer table.
    #expect(problem { $0.kind.pointee.size = 4096 } == "accepted")
  }

  @Test func nullPointersAreRefused() {
    #expect(problem { $0.table.pointee.kinds = nil } == "1 kinds at NULL")
    #expect(problem { $0.kindTable.pointee = nil } == "kind 1: its pointer is NULL")
    #expect(problem { $0.kind.pointee.params = nil }.contains("parameters at NULL"))
    #expect(problem { $0.parameterTable.pointee = nil }.contains("its pointer is NULL"))
    #expect(problem { $0.table.pointee.name.ptr = nil } == "its name is 4 bytes at NULL")
    #expect(problem { $0.parameter.pointee.choices = nil }.contains("choices at NULL"))
    #expect(problem { $0.kind.pointee.create = nil } == "kind 1: \"http:server\": it has no create method")
    #expect(problem { $0.kind.pointee.destroy = nil }.hasSuffix("it has no destroy method"))
    #expect(problem { $0.kind.pointee.check_apply = nil }.hasSuffix("it has no check_apply method"))
    #expect(problem { $0.kind.pointee.unwatch = nil }.hasSuffix("it has a watch and no unwatch method"))
    #expect(problem { $0.kind.pointee.flags = UInt32(MGMT_KIND_BLOCKING_WATCH) }.hasSuffix("no watch_blocking method"))
  }

  @Test func countsAndLengthsAreBounded() {
    #expect(problem { $0.table.pointee.kind_count = 1025 } == "1025 kinds: at most 1024 are allowed")
    #expect(problem { $0.table.pointee.kind_count = -1 } == "18446744073709551615 kinds: at most 1024 are allowed")
    #expect(problem { $0.kind.pointee.param_count = .max }.contains("at most 1024"))
    #expect(problem { $0.table.pointee.doc.len = 1 << 40 }.contains("at most 65536"))
    #expect(problem { $0.table.pointee.doc.len = -5 }.contains("at most 65536"))
    #expect(problem { $0.table.pointee.kind_count = 0 } == "it offers no kind and no function")
  }

  @Test func textsAreChecked() {
    #expect(problem { $0.table.pointee.name = $0.text(bytes: [0xc3, 0x28]) } == "its name is not UTF-8")
    #expect(problem { $0.table.pointee.name = $0.text("a\nb") } == "its name: it holds a control character")
    #expect(problem { $0.table.pointee.doc = $0.text("two\nlines") } == "accepted")
    #expect(problem { $0.table.pointee.doc = $0.text("\u{1b}[31m") } == "its documentation: it holds a control character")
    #expect(problem { $0.table.pointee.name.len = 0 } == "its name: it is empty")
    for name in ["", "File", "a b", ":a", "a:", "9a", "ä"] {
      #expect(problem { $0.kind.pointee.name = $0.text(name) }.contains("name"), "\(name)")
    }
  }

  @Test func typesDefaultsAndChoicesAreChecked() {
    #expect(problem { $0.parameter.pointee.type = $0.text("string") }.contains("its type \"string\" is not a type"))
    #expect(problem { $0.parameter.pointee.type = $0.text("int") }.contains("its default \"on\" is not of its type int"))
    #expect(problem { $0.value.pointee.u.s = $0.text("maybe") }.contains("is not one of its choices"))
    #expect(problem { $0.value.pointee.type = 99 }.contains("unknown type 99"))
    #expect(problem { $0.value.pointee.u.s = $0.text(bytes: [0xff]) }.contains("not UTF-8"))
    #expect(problem { $0.parameter.pointee.flags = UInt32(MGMT_PARAM_REQUIRED) }.hasSuffix("it is required and has a default"))
    #expect(
      problem {
        $0.parameter.pointee.type = $0.text("[]str")
        $0.value.pointee = mgmt_value(type: UInt32(MGMT_LIST), flags: 0, u: .init(v: .init(at: nil, count: 1 << 60)))
      }.contains("at most"))
    #expect(
      problem {
        $0.parameter.pointee.type = $0.text("bool")
        $0.parameter.pointee.def = nil
      }.contains("choices, which only a str can have"))
  }

  @Test func unknownHighFlagsAreRefusedAndLowOnesIgnored() {
    #expect(problem { $0.kind.pointee.flags = 0x8000 } == "accepted")
    #expect(problem { $0.table.pointee.flags = 0x1_0000 }.contains("flags this mgmt does not know (0x10000)"))
    #expect(problem { $0.kind.pointee.flags = 0x8000_0000 }.contains("0x80000000"))
    #expect(problem { $0.parameter.pointee.flags = 0x2_0000 }.contains("0x20000"))
    #expect(problem { $0.value.pointee.flags = 0x2_0000 }.contains("0x20000"))
  }

  @Test func duplicatesAreRefused() {
    #expect(problem { $0.repeatKind() } == "kind \"http:server\": it is offered twice")
    #expect(problem { $0.repeatParameter() }.hasSuffix("parameter \"state\": it is declared twice"))
  }

  @Test func signatures() throws {
    let (arguments, result) = try #require(FunctionSignature.parse("func(float, x int) str"))
    #expect(arguments == [.float, .int] && result == .string)
    #expect(FunctionSignature.parse("func() bool")?.arguments.isEmpty == true)
    for text in ["", "func", "func(", "func(int", "func(int)", "func(,) int", "func(int) what", "int"] {
      #expect(FunctionSignature.parse(text) == nil, "\(text)")
    }
  }
}
