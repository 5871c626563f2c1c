// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing

@Suite("Grouping: what follows from the leaders")
struct MergedEdgesTests {
  private func origin(_ line: Int) -> SourceSpan {
    SourceSpan(
      file: "g.yaml", start: SourcePosition(line: line, column: 1), end: SourcePosition(line: line, column: 2))
  }

  @Test("top leaders: of chains, of those that are alone, of nothing")
  func topLeaders() {
    #expect(Grouping.topLeaders(of: []) == [])
    #expect(Grouping.topLeaders(of: [-1, 0, 1, -1, 2, 3]) == [0, 0, 0, 3, 0, 3])
    #expect(Grouping.topLeaders(of: [1, 2, -1]) == [2, 2, 2])
  }

  @Test("top leaders: rings and leaders that are no vertex end")
  func badLeaders() {
    #expect(Grouping.topLeaders(of: [0]) == [0])
    #expect(Set(Grouping.topLeaders(of: [1, 2, 0, 0])).count == 1)
    #expect(Grouping.topLeaders(of: [7, -5, 1, .min]) == [0, 1, 1, 3])
  }

  @Test("edges move to the leader; those inside a group and those to nothing are gone")
  func moved() {
    let edges = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 9), (-1, 0)].map { ResourceEdge(from: $0.0, to: $0.1) }
    let merged = Grouping.mergedEdges(edges, topLeaders: [0, 1, 1, 3, 0])
    #expect(merged == [ResourceEdge(from: 0, to: 1), ResourceEdge(from: 1, to: 3), ResourceEdge(from: 3, to: 0)])
  }

  @Test("several edges become one: it notifies if one does, has all transfers, the first origin, a name if it is the same")
  func combined() {
    let first = Transfer(field: "output", parameter: "content")
    let second = Transfer(field: "stdout", parameter: "data")
    let edges = [
      ResourceEdge(from: 0, to: 2, name: "same", transfers: [first], origin: origin(1)),
      ResourceEdge(from: 3, to: 0, name: "a", origin: origin(2)),
      ResourceEdge(from: 1, to: 2, name: "same", notify: true, transfers: [second], origin: origin(3)),
      ResourceEdge(from: 3, to: 1, name: "b"),
      ResourceEdge(from: 3, to: 1, name: ""),
      ResourceEdge(from: 2, to: 1, notify: true, origin: origin(4)),
    ]
    #expect(
      Grouping.mergedEdges(edges, topLeaders: [0, 0, 2, 3])
        == [
          ResourceEdge(from: 0, to: 2, name: "same", notify: true, transfers: [first, second], origin: origin(1)),
          ResourceEdge(from: 3, to: 0, name: "", origin: origin(2)),
          ResourceEdge(from: 2, to: 0, notify: true, origin: origin(4)),
        ])
  }

  @Test("against the original: a direct edge stays although a longer path leads there, and gives that path nothing")
  func direct() {
    let edges = [
      ResourceEdge(from: 0, to: 1), ResourceEdge(from: 1, to: 2), ResourceEdge(from: 3, to: 2, notify: true),
    ]
    #expect(
      Grouping.mergedEdges(edges, topLeaders: [0, 1, 2, 0])
        == [ResourceEdge(from: 0, to: 1), ResourceEdge(from: 1, to: 2), ResourceEdge(from: 0, to: 2, notify: true)])
  }
}
