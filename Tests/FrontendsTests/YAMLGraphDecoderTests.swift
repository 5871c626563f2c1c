// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Frontends
import Graph
import Testing
import Values

@Suite("YAMLGraphDecoder")
struct YAMLGraphDecoderTests {
  private let catalog = TestCatalog()

  private func decode(_ text: String) throws -> FrontendGraph {
    try YAMLGraphDecoder.decode(bytes: Array(text.utf8), file: "g.yaml", catalog: catalog).get()
  }

  private func resource(_ kind: String, _ body: String) throws -> [String: Value] {
    let graph = try decode("graph: g\nresources:\n  \(kind):\n  - name: x\n\(body)")
    let resource = try #require(graph.graph.resources.first)
    let schema = try #require(catalog.schema(of: kind))
    return Dictionary(uniqueKeysWithValues: zip(schema.parameters.map(\.name), resource.parameters))
  }

  @Test("reads a whole graph")
  func whole() throws {
    let result = try decode(
      """
      ---
      graph: mygraph
      comment: what it is for
      resources:
        file:
        - name: "@@filea"
          path: "/tmp/mgmtA/fA"
          content: |
            i am fA, exported from host A
          state: exists
        - name: dir_a
          path: "/tmp/mgmtA/"
          state: exists
          meta: {noop: true, sema: ["limit:2", ":1", "limit:2"]}
        noop:
        - name: last
      collect:
      - kind: File
        pattern: "/tmp/mgmtA/"
      edges:
      - name: e1
        from: {kind: File, name: dir_a}
        to:
          kind: noop
          name: last
        notify: true
      """)
    #expect(result.graph.name == "mygraph")
    #expect(result.graph.resources.map(\.id.description) == ["file[dir_a]", "noop[last]"])
    let directory = try #require(result.graph.resources.first)
    #expect(directory.parameters == [.string("/tmp/mgmtA/"), .string("exists"), .unset, .list([]), .string(""), .bool(false)])
    #expect(directory.meta == MetaParameters(noop: true, semaphores: ["limit:2", ":1"]))
    #expect(directory.origin?.start == SourcePosition(line: 11, column: 11))
    let edge = try #require(result.graph.edges.first)
    #expect((edge.from, edge.to, edge.name, edge.notify) == (0, 1, "e1", true))
    #expect(result.exports.map(\.resource.id.description) == ["file[filea]"])
    #expect(result.exports.first?.resource.parameters[2] == .string("i am fA, exported from host A\n"))
    #expect(result.collects.map { [$0.kind, $0.pattern] } == [["file", "/tmp/mgmtA/"]])
    #expect(result.warnings.map(\.code) == ["yaml.store"])
  }

  @Test(
    "takes a plain scalar for a string as it is written",
    arguments: ["0644", "yes", "1e3", "0x10", "2001-01-01", "1:20", "true"])
  func strings(_ text: String) throws {
    #expect(try resource("file", "    content: \(text)")["content"] == .string(text))
  }

  @Test("null is unset, which is the default; quotes make it a string", arguments: ["", "~", "null", "NULL", "!!null x"])
  func nulls(_ text: String) throws {
    #expect(try resource("file", "    content: \(text)")["content"] == .unset)
    #expect(try resource("file", "    mode: \(text)")["mode"] == .string(""))
    #expect(try resource("file", "    content: \"null\"")["content"] == .string("null"))
    #expect(try resource("file", "    content: ''")["content"] == .string(""))
    #expect(try resource("file", "    content: !!str null")["content"] == .string("null"))
  }

  @Test(
    "reads ints",
    arguments: [
      ("0", 0), ("42", 42), ("-7", -7), ("+7", 7), ("0x2A", 42), ("0o52", 42), ("-0x1", -1), ("9223372036854775807", Int64.max),
      ("-9223372036854775808", Int64.min), ("!!int 5", 5),
    ])
  func ints(_ text: String, _ value: Int64) throws {
    #expect(try resource("test", "    int: \(text)")["int"] == .int(value))
  }

  @Test("reads bools as YAML 1.1 does", arguments: ["true", "True", "yes", "YES", "on", "On"])
  func bools(_ text: String) throws {
    #expect(try resource("test", "    int: 1\n    bool: \(text)")["bool"] == .bool(true))
  }

  @Test(
    "reads floats",
    arguments: [("1", 1.0), ("1.5", 1.5), ("-2e3", -2000), (".5", 0.5), (".inf", .infinity), ("-.inf", -.infinity)])
  func floats(_ text: String, _ value: Double) throws {
    #expect(try resource("test", "    int: 1\n    float: \(text)")["float"] == .float(value))
  }

  @Test("reads maps, structs, and what may be anything")
  func containers() throws {
    let values = try resource(
      "test",
      """
          int: 1
          map: {b: 1, a: 0x2}
          numbers: {1: one, 0x2: "2"}
          struct: {b: [yes, off], a: 3}
          sets: [{path: p, value: 1}]
          any: [1, 1.5, true, yes, "1", x, {k: []}]
      """)
    #expect(values["map"]?.description == #"{"b" => 1, "a" => 2,}"#)
    #expect(values["numbers"]?.description == #"{1 => "one", 2 => "2",}"#)
    #expect(values["struct"]?.description == "struct{a => 3, b => [true, false,],}")
    #expect(values["sets"]?.description == #"[struct{path => "p", value => "1",},]"#)
    #expect(values["any"]?.description == #"[1, 1.5, true, "yes", "1", "x", {"k" => [],},]"#)
  }

  @Test("follows aliases and merge keys; what a resource has itself comes first")
  func aliases() throws {
    let result = try decode(
      """
      graph: g
      resources:
        file:
        - &first {name: a, mode: &m "0600", state: exists}
        - {<<: *first, name: b, content: x}
        - {name: c, <<: [{mode: "1"}, *first], content: *m}
      edges: &e
      - {from: {kind: file, name: a}, to: &b {kind: file, name: b}}
      - {from: *b, to: {kind: file, name: c}}
      """)
    #expect(result.graph.resources.map(\.id.name) == ["a", "b", "c"])
    #expect(result.graph.resources.map { $0.parameters[4] } == [.string("0600"), .string("0600"), .string("1")])
    #expect(result.graph.resources.map { $0.parameters[2] } == [.unset, .string("x"), .string("0600")])
    #expect(result.graph.edges.map { [$0.from, $0.to] } == [[0, 1], [1, 2]])
  }

  @Test("resolves edges to what follows in the file, and takes doubled ones as one")
  func edgesFirst() throws {
    let edge = "{from: {kind: noop, name: a}, to: {kind: noop, name: b}"
    let result = try decode("edges: [\(edge)}, \(edge), notify: on}]\nresources: {noop: [{name: a}, {name: b}]}\ngraph: g")
    #expect(result.graph.edges.map { [$0.from, $0.to] } == [[0, 1]])
    #expect(result.graph.edges.first?.notify == true)
    #expect(result.warnings.map(\.code) == ["yaml.edge.duplicate"])
  }

  @Test(
    "warns of what is read and has no effect",
    arguments: [
      ("hostname: h1", "yaml.ignored"), ("remote: ssh://h", "yaml.ignored"),
      ("resources: {noop: [{name: a, meta: {export: [h1]}}]}", "yaml.store"), ("collect: [{kind: noop}]", "yaml.store"),
    ])
  func warnings(_ text: String, _ code: String) throws {
    let result = try decode("graph: g\n\(text)")
    #expect(result.warnings.map(\.code) == [code])
    #expect(result.warnings.first?.labels.first?.excerpt == text)
  }

  @Test(
    "accepts a graph with nothing in it",
    arguments: ["graph: g", "\u{feff}graph: g\n", "{graph: g, resources: , edges: ~}", "%YAML 1.1\n---\ngraph: g\n..."])
  func empty(_ text: String) throws {
    let result = try decode(text)
    #expect(result.graph.name == "g")
    #expect(result.graph.resources.isEmpty)
  }

  @Test("a graph of thousands of edges is decoded whole")
  func large() throws {
    var text = "graph: g\nresources:\n  noop:\n"
    for number in 0..<3_000 { text += "  - name: n\(number)\n" }
    text += "edges:\n"
    for number in 0..<2_999 {
      text += "- {name: e, from: {kind: noop, name: n\(number)}, to: {kind: noop, name: n\(number + 1)}}\n"
    }
    let result = try decode(text)
    #expect(result.graph.resources.count == 3_000)
    #expect(result.graph.edges.count == 2_999)
  }
}
