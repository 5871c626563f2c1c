// SPDX-License-Identifier: Apache-2.0

import Testing
import Values

@testable import PluginHost

@Suite struct DescriptorEncodingTests {
  static let rich = PluginDescriptor(
    name: "rich", version: "2.0-beta", license: "MIT", documentation: "Zwölf\nBoxkämpfer",
    kinds: [
      .init(
        schema: KindSchema(
          name: "a:b", documentation: "doc",
          parameters: [
            .init(name: "s", type: .string, defaultValue: .string("x"), isSecret: true, isName: true, choices: ["x", ""]),
            .init(name: "r", type: .list(.string), documentation: "required", isRequired: true),
            .init(name: "f", type: .float, defaultValue: .float(-0.5)),
            .init(name: "i", type: .int, defaultValue: .int(.min)),
            .init(name: "b", type: .bool, defaultValue: .bool(true)),
            .init(
              name: "m", type: .map(key: .string, value: .list(.int)),
              defaultValue: .map([.init(key: .string("k"), value: .list([.int(1), .int(-1)]))])),
            .init(
              name: "t", type: .structure([.init(name: "a", type: .string), .init(name: "b", type: .any)]),
              defaultValue: .structure([.init(name: "a", value: .string("1")), .init(name: "b", value: .unset)])),
          ],
          sends: [.init(name: "out", type: .string)], isRefreshable: true),
        flags: 3, abilities: [.watch, .reverse]),
      .init(schema: KindSchema(name: "empty", parameters: [])),
    ],
    functions: [.init(name: "math.pow", documentation: "power", arguments: [.float, .float], result: .float)])

  @Test func roundTrip() throws {
    let bytes = Self.rich.encoded
    #expect(try PluginDescriptor(decoding: bytes) == Self.rich)
    #expect(throws: Never.self) { try Self.rich.checkRules() }
  }

  @Test func everyPrefixIsRefused() {
    let bytes = Self.rich.encoded
    for count in bytes.indices {
      #expect(throws: DescriptorDecodingError.self) { try PluginDescriptor(decoding: Array(bytes[..<count])) }
    }
    #expect(throws: DescriptorDecodingError.self) { try PluginDescriptor(decoding: bytes + [0]) }
  }

  @Test func damagedBytesNeverTrapAndWhatIsReadIsSound() throws {
    let bytes = Self.rich.encoded
    for position in bytes.indices {
      for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff, bytes[position] ^ 1] {
        var damaged = bytes
        damaged[position] = value
        guard let descriptor = try? PluginDescriptor(decoding: damaged) else { continue }
        #expect(try PluginDescriptor(decoding: descriptor.encoded) == descriptor)
      }
    }
  }

  @Test func randomBytesNeverTrap() {
    var random = SplitMix(state: 42)
    for _ in 0..<5000 {
      var bytes = Self.rich.encoded
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let position = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: position)
        default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
        }
      }
      if let descriptor = try? PluginDescriptor(decoding: bytes) {
        #expect((try? PluginDescriptor(decoding: descriptor.encoded)) == descriptor)
      }
      _ = ScanAnswer(decoding: bytes)
    }
  }

  @Test func deepValuesAreRefused() {
    var reader = ByteReader(Array([[UInt8]](repeating: [5, 1, 0, 0, 0], count: 100).joined()))
    var budget = DescriptorLimits.values
    #expect(throws: ByteError.self) { try reader.value(depth: 0, budget: &budget) }
  }

  @Test func answersOfAScan() {
    let answers: [ScanAnswer] = [
      .descriptor(Self.rich), .notLoadable("libx.so: not there"), .noSymbol,
      .problem(DescriptorProblem("newer", kind: .version)),
      .problem(DescriptorProblem("wrong")),
    ]
    for answer in answers { #expect(ScanAnswer(decoding: answer.encoded) == answer) }
    #expect(ScanAnswer(decoding: []) == nil)
    #expect(ScanAnswer(decoding: Array("hello".utf8)) == nil)
  }

  @Test func elfHeaders() {
    #expect(ELFHeader.refusal([]) == "it is empty")
    #expect(ELFHeader.refusal(Array("#!/bin/sh\n".utf8)) == "it is not an ELF file")
    #expect(ELFHeader.refusal([0x7f, 0x45, 0x4c, 0x46]) == "it is only 4 bytes long")
    var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1] + [UInt8](repeating: 0, count: 15)
    #expect(ELFHeader.refusal(header) == "it is a 32-bit file")
    header[4] = 2
    header[5] = 2
    #expect(ELFHeader.refusal(header) == "its byte order is another")
  }
}

/// Random numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
