// SPDX-License-Identifier: Apache-2.0

import Testing
import Values

@Suite("ValueType")
struct ValueTypeTests {
  @Test(
    "reads and writes mcl's type syntax",
    arguments: [
      "bool", "str", "int", "float", "any", "[]str", "[][]int", "map{str: int}", "map{str: []map{int: bool}}",
      "struct{}", "struct{a int}", "struct{path str; value []float}",
    ])
  func roundTrip(_ text: String) {
    #expect(ValueType(text)?.description == text)
  }

  @Test("allows blanks where they mean nothing")
  func blanks() {
    #expect(ValueType(" map { str :int } ") == .map(key: .string, value: .int))
    #expect(ValueType("[] str") == .list(.string))
    #expect(ValueType("struct{ a int ;b str }")?.description == "struct{a int; b str}")
  }

  @Test(
    "refuses what is no type",
    arguments: [
      "", "string", "Str", "[]", "[str]", "map{str}", "map{str: }", "map{str: int", "struct{a}", "struct{a int; a str}",
      "struct{a int b int}", "int int", "[]str}", "func() str", String(repeating: "[]", count: 10_000) + "int",
    ])
  func refuses(_ text: String) {
    #expect(ValueType(text) == nil)
  }

  @Test("admits values all the way down, and unset everywhere")
  func admits() {
    let type = ValueType("map{str: []int}") ?? .any
    #expect(type.admits(.map([.init(key: .string("a"), value: .list([.int(1)]))])))
    #expect(!type.admits(.map([.init(key: .string("a"), value: .list([.string("1")]))])))
    #expect(type.admits(.unset))
    let structure = ValueType("struct{a int}") ?? .any
    #expect(structure.admits(.structure([.init(name: "a", value: .int(1))])))
    #expect(!structure.admits(.structure([.init(name: "b", value: .int(1))])))
    #expect(!ValueType.int.admits(.float(1)))
  }
}
