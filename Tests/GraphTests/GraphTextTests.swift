// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@Suite("ResourceGraph as text")
struct GraphTextTests {
  private func graph(_ ids: [(String, String)], _ edges: [ResourceEdge]) -> ResourceGraph {
    ResourceGraph(
      name: "g", resources: ids.map { Resource(id: ResourceID(kind: $0.0, name: $0.1), parameters: []) }, edges: edges)
  }

  private let ids = [("svc", "b"), ("file", "/etc/x"), ("svc", "a")]
  private let edges = [
    ResourceEdge(from: 2, to: 0, name: "later", notify: true), ResourceEdge(from: 1, to: 0),
    ResourceEdge(from: 1, to: 2, name: "e"),
  ]

  @Test("lines are sorted, vertices first")
  func lines() {
    #expect(
      graph(ids, edges).sortedText == """
        Vertex: file[/etc/x]
        Vertex: svc[a]
        Vertex: svc[b]
        Edge: file[/etc/x] -> svc[a]
        Edge: file[/etc/x] -> svc[b]
        Edge: svc[a] -> svc[b]

        """)
    #expect(graph([], []).sortedText.isEmpty)
  }

  @Test("DOT has names, labels and bold notifications")
  func dot() {
    #expect(
      graph(ids, edges).dotText == """
        digraph "g" {
        \tlabel="g";
        \tnewrank=true;
        \t"file[/etc/x]";
        \t"svc[a]";
        \t"svc[b]";
        \t"file[/etc/x]" -> "svc[a]" [label="e"];
        \t"file[/etc/x]" -> "svc[b]";
        \t"svc[a]" -> "svc[b]" [label="later",style=bold];
        }

        """)
  }

  @Test("names cannot break out of their quotes")
  func quoting() {
    var graph = graph([("file", "a\"];\nevil [x=\"\\")], [])
    graph.name = "\"\n\\"
    let text = graph.dotText
    #expect(text.hasPrefix("digraph \"\\\"\\n\\\\\" {\n"))
    #expect(text.contains("\t\"file[a\\\"];\\nevil [x=\\\"\\\\]\";\n"))
  }

  @Test("equal graphs give equal text, in whatever order they were written")
  func order() {
    let other = graph(
      [ids[1], ids[2], ids[0]],
      [
        ResourceEdge(from: 0, to: 1, name: "e"), ResourceEdge(from: 0, to: 2),
        ResourceEdge(from: 1, to: 2, name: "later", notify: true),
      ])
    #expect(other.sortedText == graph(ids, edges).sortedText)
    #expect(other.dotText == graph(ids, edges).dotText)
  }

  @Test("edges to nothing are left out")
  func stray() {
    let text = graph([("a", "b")], [ResourceEdge(from: 0, to: 9), ResourceEdge(from: -1, to: 0)]).sortedText
    #expect(text == "Vertex: a[b]\n")
  }
}
