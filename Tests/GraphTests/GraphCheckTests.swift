// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing

@Suite("ResourceGraph.check")
struct GraphCheckTests {
  private func graph(_ names: [String], _ edges: [(Int, Int)] = []) -> ResourceGraph {
    ResourceGraph(
      name: "g", resources: names.map { Resource(id: ResourceID(kind: "noop", name: $0), parameters: []) },
      edges: edges.map { ResourceEdge(from: $0.0, to: $0.1) })
  }

  @Test("finds nothing in a graph that can be run")
  func good() {
    #expect(graph([]).check().isEmpty)
    #expect(graph(["a", "b", "c"], [(0, 1), (0, 2), (1, 2)]).check().isEmpty)
  }

  @Test(
    "refuses names and duplicates",
    arguments: [
      ([""], ["resource.name"]), (["$a"], ["resource.name"]), (["a\u{0}"], ["resource.name"]),
      (["a", "b", "a"], ["resource.duplicate"]),
      (["a", "a", "a"], ["resource.duplicate", "resource.duplicate"]),
    ])
  func names(_ names: [String], _ codes: [String]) {
    #expect(graph(names).check().map(\.code) == codes)
  }

  @Test("refuses edges to nothing and to the same resource")
  func edges() {
    #expect(graph(["a"], [(0, 7), (-1, 0)]).check().map(\.code) == ["edge.unknown", "edge.unknown"])
    #expect(graph(["a"], [(0, 0)]).check().map(\.title) == ["noop[a] has an edge to itself"])
  }

  @Test("prints a cycle with the places of its edges")
  func cycle() throws {
    var graph = graph(["a", "b", "c", "d"], [(3, 0), (0, 1), (1, 2), (2, 0)])
    for index in graph.edges.indices {
      let place = SourcePosition(line: index + 1, column: 1)
      graph.edges[index].origin = SourceSpan(file: "f", start: place, end: place)
    }
    let diagnostic = try #require(graph.check().first)
    #expect(diagnostic.code == "graph.cycle")
    #expect(diagnostic.title == "the edges form a cycle: noop[a] -> noop[b] -> noop[c] -> noop[a]")
    #expect(diagnostic.labels.map(\.text) == ["noop[a] -> noop[b]", "noop[b] -> noop[c]", "noop[c] -> noop[a]"])
    #expect(diagnostic.labels.map(\.span.start.line) == [2, 3, 4])
  }

  @Test("shortens a long cycle and bounds the number of errors")
  func bounds() throws {
    let count = 100_000
    let ring = graph((0..<count).map { "n\($0)" }, (0..<count).map { ($0, ($0 + 1) % count) })
    let diagnostic = try #require(ring.check().first)
    #expect(diagnostic.title.utf8.count < 2000)
    #expect(diagnostic.title.contains("… 99977 more …"))
    #expect(graph(Array(repeating: "a", count: 1000)).check().count == 20)
  }
}
