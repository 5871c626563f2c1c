// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@Suite("Adjacency.topologicalOrder")
struct TopologicalOrderTests {
  private func adjacency(_ count: Int, _ arrows: [(Int, Int)]) -> Adjacency {
    Adjacency(vertexCount: count, arrows: arrows.map { (from: $0.0, to: $0.1) })
  }

  /// Numbers that look random and are the same each time.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 31
    }
  }

  @Test("keeps the arrows of a vertex in the order they were given; leaves out those to nothing")
  func targets() {
    let adjacency = adjacency(4, [(2, 3), (0, 2), (0, 1), (0, 7), (-1, 0), (0, 2), (3, 4)])
    #expect(adjacency.vertexCount == 4)
    #expect(Array(adjacency.targets(of: 0)) == [2, 1, 2])
    #expect(adjacency.targets(of: 1).isEmpty)
    #expect(Array(adjacency.targets(of: 2)) == [3])
    #expect(adjacency.targets(of: 3).isEmpty)
  }

  @Test("of nothing, of one, of many without arrows")
  func trivial() {
    #expect(adjacency(0, []).topologicalOrder() == .ordered([]))
    #expect(adjacency(1, []).topologicalOrder() == .ordered([0]))
    #expect(adjacency(4, []).topologicalOrder() == .ordered([0, 1, 2, 3]))
  }

  @Test("doubled arrows count once and twice alike")
  func doubled() {
    #expect(adjacency(3, [(2, 0), (2, 0), (0, 1), (2, 1)]).topologicalOrder() == .ordered([2, 0, 1]))
  }

  @Test("every vertex comes after all that lead to it, and the order is the same each time", arguments: 1...20)
  func random(_ seed: UInt64) throws {
    var generator = Generator(state: seed)
    let count = Int.random(in: 1...200, using: &generator)
    // Arrows go from lower to higher in a hidden order: there is no cycle.
    let hidden = Array(0..<count).shuffled(using: &generator)
    let arrows = (0..<Int.random(in: 0...(4 * count), using: &generator)).compactMap { _ -> (Int, Int)? in
      let (one, other) = (Int.random(in: 0..<count, using: &generator), Int.random(in: 0..<count, using: &generator))
      return one == other ? nil : (hidden[min(one, other)], hidden[max(one, other)])
    }
    let adjacency = adjacency(count, arrows)
    guard case .ordered(let order) = adjacency.topologicalOrder() else {
      Issue.record("a cycle was found where there is none")
      return
    }
    #expect(order.sorted() == Array(0..<count))
    var place = [Int](repeating: 0, count: count)
    for (position, vertex) in order.enumerated() { place[vertex] = position }
    #expect(arrows.allSatisfy { place[$0.0] < place[$0.1] })
    #expect(adjacency.topologicalOrder() == .ordered(order))
  }

  @Test(
    "finds the cycle and nothing but the cycle, whatever leads to it and away from it",
    arguments: [
      ([(0, 0)], [0]),
      ([(0, 1), (1, 0)], [0, 1]),
      // A tail in, a tail out.
      ([(0, 1), (1, 2), (2, 3), (3, 1), (3, 4), (4, 5)], [1, 2, 3]),
      // What lies behind the cycle has lower numbers than the cycle.
      ([(5, 4), (4, 5), (5, 0), (0, 1), (1, 2), (0, 2)], [4, 5]),
      // Two cycles with a bridge.
      ([(0, 1), (1, 0), (1, 2), (2, 3), (3, 2)], [0, 1]),
      // A dead end is tried first.
      ([(0, 1), (1, 2), (1, 3), (3, 4), (4, 0)], [0, 1, 3, 4]),
    ] as [([(Int, Int)], [Int])])
  func cycles(_ arrows: [(Int, Int)], _ expected: [Int]) {
    guard case .cycle(let cycle) = adjacency(6, arrows).topologicalOrder() else {
      Issue.record("no cycle was found")
      return
    }
    #expect(cycle.sorted() == expected)
    for (from, to) in zip(cycle, cycle.dropFirst() + cycle.prefix(1)) {
      #expect(arrows.contains { $0 == (from, to) }, "\(cycle)")
    }
  }

  @Test("a chain and a ring of 100,000 need no deep stack")
  func deep() {
    let count = 100_000
    let chain = (1..<count).map { ($0, $0 - 1) }
    #expect(adjacency(count, chain).topologicalOrder() == .ordered((0..<count).reversed()))
    guard case .cycle(let cycle) = adjacency(count, chain + [(0, count - 1)]).topologicalOrder() else {
      Issue.record("no cycle was found")
      return
    }
    #expect(cycle.count == count)
  }

  @Test("a vertex with 100,000 arrows, of which none is a cycle's, costs no more than they are")
  func wide() {
    let count = 100_000
    // Before the ring is found every arrow of the hub has to be passed over.
    let arrows = (3..<count).map { (2, $0) } + [(0, 1), (1, 2), (2, 0)]
    #expect(adjacency(count, arrows).topologicalOrder() == .cycle([0, 1, 2]))
  }
}
