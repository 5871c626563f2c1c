// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing
import Values

private final class Catalog: KindCatalog {
  private let kind: KindSchema

  init(parameters: [String: String], sends: [String: String]) {
    func list(_ fields: [String: String]) -> [KindSchema.Parameter] {
      fields.sorted { $0.key < $1.key }.map { .init(name: $0.key, type: ValueType($0.value) ?? .any) }
    }
    kind = KindSchema(name: "k", parameters: list(parameters), sends: list(sends))
  }

  func schema(of kind: String) -> KindSchema? { kind == "k" ? self.kind : nil }
  var kindNames: [String] { ["k"] }
}

@Suite("ResourceGraph.checkTransfers")
struct TransferCheckTests {
  private let catalog = Catalog(
    parameters: ["text": "str", "texts": "[]str", "all": "any"], sends: ["out": "str", "outs": "[]str", "one": "int"])

  private func codes(_ edges: [(Int, Int, [(String, String)])], kind: String = "k", hidden: Int? = nil) -> [String] {
    var resources = (0..<3).map { Resource(id: ResourceID(kind: kind, name: String($0)), parameters: []) }
    if let hidden { resources[hidden].meta.hidden = true }
    let edges = edges.map { from, to, transfers in
      ResourceEdge(from: from, to: to, transfers: transfers.map { Transfer(field: $0.0, parameter: $0.1) })
    }
    return ResourceGraph(name: "g", resources: resources, edges: edges).checkTransfers(catalog: catalog).map(\.code)
  }

  @Test("finds nothing where all fits")
  func good() {
    #expect(codes([]).isEmpty)
    #expect(codes([(0, 1, []), (0, 2, [("out", "text"), ("outs", "texts"), ("one", "all")])]).isEmpty)
    #expect(codes([(0, 1, [("out", "text")]), (1, 2, [("out", "text")])]).isEmpty)
  }

  @Test("names what cannot be")
  func bad() {
    #expect(codes([(0, 1, [("out", "txt")])]) == ["transfer.parameter"])
    #expect(codes([(0, 1, [("", "text")])]) == ["transfer.field"])
    #expect(codes([(0, 1, [("one", "text"), ("outs", "text")])]) == ["transfer.type", "transfer.type", "transfer.duplicate"])
    #expect(codes([(0, 2, [("out", "text")]), (1, 2, [("out", "text")])]) == ["transfer.duplicate"])
  }

  @Test("a hidden resource receives and does not send")
  func hidden() {
    #expect(codes([(0, 1, [("out", "text")])], hidden: 0) == ["transfer.hidden"])
    #expect(codes([(0, 1, [("out", "text")])], hidden: 1).isEmpty)
  }

  @Test("leaves unknown kinds and edges to nothing to others")
  func foreign() {
    #expect(codes([(0, 1, [("x", "y")])], kind: "other").isEmpty)
    #expect(codes([(0, 7, [("x", "y")]), (-1, 0, [("x", "y")])]).isEmpty)
  }

  @Test("names so many and no more")
  func many() {
    #expect(codes((0..<100).map { (0, 1, [("x", "y\($0)")]) }).count == 20)
  }
}

@Suite("ValueType.accepts")
struct ValueTypeAcceptsTests {
  @Test(
    "types that fit",
    arguments: [
      ("str", "str"), ("any", "[]int"), ("map{str: int}", "any"), ("[]any", "[]str"), ("[]str", "[]any"),
      ("map{str: any}", "map{str: []int}"), ("struct{a int; b str}", "struct{a int; b str}"),
      ("struct{a any}", "struct{a int}"),
    ])
  func fits(_ type: String, _ other: String) throws {
    #expect(try #require(ValueType(type)).accepts(#require(ValueType(other))))
  }

  @Test(
    "types that do not",
    arguments: [
      ("str", "int"), ("float", "int"), ("[]str", "str"), ("[]str", "[]int"), ("map{str: int}", "map{int: int}"),
      ("struct{a int}", "struct{b int}"), ("struct{a int}", "struct{a int; b int}"), ("struct{a int}", "map{str: int}"),
    ])
  func fitsNot(_ type: String, _ other: String) throws {
    #expect(try !#require(ValueType(type)).accepts(#require(ValueType(other))))
  }
}
