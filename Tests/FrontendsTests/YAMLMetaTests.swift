// SPDX-License-Identifier: Apache-2.0

import Frontends
import Graph
import Testing
import Values

@Suite("Meta parameters in YAML")
struct YAMLMetaTests {
  private func decode(_ text: String) throws -> FrontendGraph {
    try YAMLGraphDecoder.decode(bytes: Array(text.utf8), file: "g.yaml", catalog: TestCatalog()).get()
  }

  private func meta(_ text: String) throws -> MetaParameters {
    try #require(try decode("graph: g\nresources: {noop: [{name: x, meta: \(text)}]}").graph.resources.first).meta
  }

  @Test("all are read")
  func all() throws {
    let meta = try meta(
      """
      {noop: true, retry: -1, retryreset: yes, delay: 500, timeout: 30000, poll: -1, limit: 0.5, burst: 3, reset: on,
        sema: ["a:2", ":3", "a:2"], rewatch: true, realize: true, dollar: true, hidden: true, export: [h1, "*"],
        reverse: true, autoedge: false, autogroup: no}
      """)
    var wanted = MetaParameters(noop: true, semaphores: ["a:2", ":3"])
    (wanted.retry, wanted.retryReset, wanted.delay, wanted.timeout, wanted.poll) = (-1, true, 500, 30_000, -1)
    (wanted.limit, wanted.burst, wanted.reset, wanted.rewatch, wanted.realize) = (0.5, 3, true, true, true)
    (wanted.dollar, wanted.hidden, wanted.export, wanted.reverse) = (true, true, ["h1", "*"], true)
    (wanted.autoEdge, wanted.autoGroup) = (false, false)
    #expect(meta == wanted)
  }

  @Test("each name of the schema is known, in any case", arguments: MetaParameters.schema.map(\.name))
  func names(_ name: String) throws {
    #expect(try meta("{\(name): ~}") == MetaParameters())
    #expect(try meta("{\(name.uppercased()): null}") == MetaParameters())
  }

  @Test("what is null or left out has its default", arguments: ["~", "{}", "{limit: , sema: ~}", "{LIMIT: .inf}"])
  func defaults(_ text: String) throws {
    #expect(try meta(text) == MetaParameters())
  }

  @Test("limit takes ints as well", arguments: [("10", 10.0), ("1e2", 100), ("!!int 5", 5), (".inf", .infinity)])
  func limit(_ text: String, _ value: Double) throws {
    #expect(try meta("{limit: \(text), burst: 1}").limit == value)
  }

  @Test("the ends of the ranges are accepted")
  func ranges() throws {
    #expect(try meta("{retry: 32767}").retry == 32_767)
    #expect(try meta("{poll: -2147483648}").poll == Int32.min)
    #expect(try meta("{poll: 0x7fffffff}").poll == Int32.max)
    #expect(try meta("{delay: 9223372036854}").delay == 9_223_372_036_854)
    #expect(try meta("{burst: 2147483647}").burst == 2_147_483_647)
  }

  @Test("what a map has itself comes before what is merged into it, in any case")
  func merge() throws {
    let result = try decode(
      """
      graph: g
      resources:
        noop:
        - {name: a, meta: &m {retry: 3, Delay: 5}}
        - {name: b, meta: {<<: *m, RETRY: 1}}
      """)
    #expect(result.graph.resources.map(\.meta.retry) == [3, 1])
    #expect(result.graph.resources.map(\.meta.delay) == [5, 5])
  }

  @Test("an exported resource stays in the graph, with a note")
  func export() throws {
    let result = try decode("graph: g\nresources: {noop: [{name: a, meta: {export: [h1]}}]}")
    #expect(result.graph.resources.first?.meta.export == ["h1"])
    #expect(result.exports.isEmpty)
    #expect(result.warnings.map(\.code) == ["yaml.store"])
    #expect(result.warnings.first?.severity == .note)
    #expect(try decode("graph: g\nresources: {noop: [{name: a, meta: {export: []}}]}").warnings.isEmpty)
  }

  @Test("a name may begin with $ where dollar is set")
  func dollar() throws {
    #expect(try decode("graph: g\nresources: {noop: [{name: $a, meta: {dollar: true}}]}").graph.resources.count == 1)
  }

  @Test("edges lead to the resource that is not hidden, where there is one", arguments: [true, false])
  func hidden(isFirst: Bool) throws {
    let twins = ["{name: a, meta: {hidden: true}}", "{name: a}"]
    let names = (isFirst ? twins : twins.reversed()).joined(separator: ", ")
    let edges = "edges: [{from: {kind: noop, name: b}, to: {kind: noop, name: a}}]"
    let resources = "resources: {noop: [{name: b}, \(names)]}"
    for text in ["graph: g\n\(resources)\n\(edges)", "graph: g\n\(edges)\n\(resources)"] {
      let graph = try decode(text).graph
      #expect(graph.edges.map(\.to) == [isFirst ? 2 : 1])
    }
    // The kinds of a file come one after the other, so a twin may follow the edges.
    let late = "graph: g\nresources: {noop: [{name: a, meta: {hidden: true}}, {name: b}]}\n\(edges)"
    #expect(try decode(late).graph.edges.map { [$0.from, $0.to] } == [[1, 0]])
  }
}
