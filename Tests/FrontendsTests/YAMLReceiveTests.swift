// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Frontends
import Graph
import Testing
import Values

@Suite("receive in YAML")
struct YAMLReceiveTests {
  private static let resources =
    "resources: {exec: [{name: e}], file: [{name: f}], test: [{name: t}]}"

  private func decode(_ edges: String, resources: String = Self.resources) -> Result<FrontendGraph, MgmtError> {
    YAMLGraphDecoder.decode(
      bytes: Array("graph: g\nedges: \(edges)\n\(resources)".utf8), file: "g.yaml", catalog: TestCatalog())
  }

  private func edge(_ from: String, _ to: String, _ rest: String) -> String {
    "{from: {kind: \(from), name: \(from.prefix(1))}, to: {kind: \(to), name: \(to.prefix(1))}, \(rest)}"
  }

  private func pairs(_ edge: ResourceEdge?) -> [[String]] { edge?.transfers.map { [$0.parameter, $0.field] } ?? [] }

  @Test("is a map from the receiver's parameter to the sender's field, with places")
  func whole() throws {
    let text = """
      [{from: {kind: exec, name: e}, to: {kind: file, name: f}, notify: true, receive: {
        content: output,
        mode: stdout}},
       \(edge("exec", "test", "receive: {int: stdout}"))]
      """
    // The required parameter is there, but its type cannot be.
    guard case .failure(let error) = decode(text) else {
      Issue.record("it was accepted")
      return
    }
    #expect(error.diagnostics.map(\.code) == ["transfer.type"])
    let graph = try decode(
      "[\(edge("exec", "file", "notify: on, receive: {content: output, mode: stdout}"))]",
      resources: "resources: {exec: [{name: e}], file: [{name: f}]}"
    ).get().graph
    let edge = try #require(graph.edges.first)
    #expect(edge.notify)
    #expect(pairs(edge) == [["content", "output"], ["mode", "stdout"]])
    let place = try #require(edge.transfers.first?.origin)
    #expect(place.start.line == 2 && place.end.column - place.start.column == "content: output".count)
  }

  @Test("null and an empty map are nothing", arguments: ["~", "{}", ""])
  func nothing(_ text: String) throws {
    let resources = "resources: {exec: [{name: e}], file: [{name: f}]}"
    let graph = try decode("[\(edge("exec", "file", "receive: \(text)"))]", resources: resources).get().graph
    #expect(pairs(graph.edges.first).isEmpty)
  }

  @Test("of doubled edges one stays, which receives what any receives, once")
  func doubled() throws {
    let edges = ["{content: output}", "{mode: stdout, content: output}", "~"].map { edge("exec", "file", "receive: \($0)") }
    let result = try decode(
      "[\(edges.joined(separator: ", "))]", resources: "resources: {exec: [{name: e}], file: [{name: f}]}"
    ).get()
    #expect(result.graph.edges.count == 1)
    #expect(pairs(result.graph.edges.first) == [["content", "output"], ["mode", "stdout"]])
    #expect(result.warnings.map(\.code) == ["yaml.edge.duplicate", "yaml.edge.duplicate"])
  }

  @Test("what is received need not be given, wherever the edges are")
  func required() throws {
    let resources = "resources: {test: [{name: s, int: 1}, {name: t}]}"
    let edges = "[{from: {kind: test, name: s}, to: {kind: test, name: t}, receive: {int: answer}}]"
    #expect(try decode(edges, resources: resources).get().graph.resources.last?.parameters.first == .unset)
    let after = "graph: g\n\(resources)\nedges: \(edges)"
    #expect(
      throws: Never.self,
      performing: { try YAMLGraphDecoder.decode(bytes: Array(after.utf8), file: "g", catalog: TestCatalog()).get() })
    guard case .failure(let error) = decode("[]", resources: resources) else {
      Issue.record("it was accepted")
      return
    }
    #expect(error.diagnostics.map(\.code) == ["yaml.missing"])
  }

  @Test("what may be anything fits every type")
  func any() throws {
    let resources = "resources: {test: [{name: s, int: 1}, {name: t}]}"
    let edges = "[{from: {kind: test, name: s}, to: {kind: test, name: t}, receive: {int: anything, any: hello}}]"
    #expect(pairs(try decode(edges, resources: resources).get().graph.edges.first).count == 2)
  }
}
