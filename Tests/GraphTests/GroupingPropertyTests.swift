// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Graph

@Suite("NonReachabilityGrouper on random graphs")
struct GroupingPropertyTests {
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }

  private func problem(of count: Int, _ random: inout Generator) -> GroupingProblem {
    let allKinds = ["noop", "pkg", "http:server", "http:server:ui", "http:server:ui:input", "http:file", "http"]
    let kinds = allKinds.shuffled(using: &random).prefix(Int.random(in: 1...allKinds.count, using: &random))
    let ids = (0..<count).map { vertex in
      ResourceID(
        kind: kinds.randomElement(using: &random) ?? "noop", name: "\(UInt8.random(in: 0...9, using: &random))-\(vertex)")
    }
    let shuffled = (0..<count).shuffled(using: &random)
    var edges: [ResourceEdge] = []
    // From no edges over a few and chains to nearly all there can be.
    for (place, to) in shuffled.enumerated() where place > 0 {
      let most = [0, 1, 1, 2, 5].randomElement(using: &random) ?? 0
      let near = Bool.random(using: &random) ? max(0, place - 2) : 0
      for _ in 0..<Int.random(in: 0...most, using: &random) {
        edges.append(
          ResourceEdge(
            from: shuffled[Int.random(in: near..<place, using: &random)], to: to, notify: Bool.random(using: &random)))
      }
    }
    edges.shuffle(using: &random)
    let classes = (0..<count).map { _ in UInt8.random(in: 0..<3, using: &random) }
    let relation = (0..<count * count).map { _ in Int.random(in: 0..<4, using: &random) > 0 }
    let mayJoin: (Int, Int) -> Bool =
      switch Int.random(in: 0..<4, using: &random) {
      case 0: { _, _ in true }
      case 1: { classes[$0] == classes[$1] }
      case 2: { relation[$0 * count + $1] }
      default: { relation[min($0, $1) * count + max($0, $1)] }
      }
    let share = Int.random(in: 1...4, using: &random)
    return GroupingProblem(
      ids: ids, isCandidate: ids.map { _ in Int.random(in: 0..<4, using: &random) < share }, edges: edges, mayJoin: mayJoin)
  }

  private func check(_ problem: GroupingProblem, width: Int, _ name: String) {
    var reference = ReferenceGrouper(problem)
    reference.group()
    let searched = Grouping.topLeaders(of: reference.leaders)
    reference.chooseLeaders()
    let leaders = NonReachabilityGrouper(width: width).group(problem)
    #expect(leaders == reference.leaders, "\(name)")

    // Who stands for a group changes nothing about who is in it.
    let tops = Grouping.topLeaders(of: leaders)
    let pairs = Set(zip(searched, tops).map { [$0, $1] })
    #expect(pairs.count == Set(searched).count && pairs.count == Set(tops).count, "\(name)")

    let before = reachability(problem.ids.count, problem.edges)
    let merged = Grouping.mergedEdges(problem.edges, topLeaders: tops)
    #expect(Set(merged.map { [$0.from, $0.to] }).count == merged.count, "\(name)")
    let after = reachability(problem.ids.count, merged)
    for vertex in before.indices {
      #expect(!after[vertex].contains(vertex), "\(name): a cycle")
      for other in before[vertex] where !after[Int(tops[vertex])].contains(Int(tops[other])) {
        Issue.record("\(name): \(vertex) no longer comes before \(other)")
      }
    }
  }

  /// For each vertex where its edges lead in one step or more.
  private func reachability(_ count: Int, _ edges: [ResourceEdge]) -> [Set<Int>] {
    let adjacency = Adjacency(vertexCount: count, arrows: edges.map { (from: $0.from, to: $0.to) })
    return (0..<count).map { start in
      var reached: Set<Int> = []
      var open = [start]
      while let vertex = open.popLast() {
        for target in adjacency.targets(of: vertex) where reached.insert(Int(target)).inserted { open.append(Int(target)) }
      }
      return reached
    }
  }

  @Test("2,000 small ones: the same groups as by the plain rules, no cycle, every order kept", arguments: 0..<20)
  func small(_ batch: Int) {
    for number in batch * 100..<batch * 100 + 100 {
      var random = Generator(state: UInt64(number))
      let count = Int.random(in: 1...12, using: &random)
      let problem = problem(of: count, &random)
      check(problem, width: [1, 2, 3, 64].randomElement(using: &random) ?? 64, "graph \(number)")
    }
  }

  @Test("larger ones, which take several passes", arguments: 0..<24)
  func large(_ number: Int) {
    var random = Generator(state: UInt64(1_000_000 + number))
    check(problem(of: Int.random(in: 30...90, using: &random), &random), width: [2, 5, 64][number % 3], "graph \(number)")
  }

  @Test("the result does not depend on the order of the edges")
  func edgeOrder() {
    for number in 0..<50 {
      var random = Generator(state: UInt64(2_000_000 + number))
      var problem = problem(of: 12, &random)
      let leaders = NonReachabilityGrouper().group(problem)
      problem.edges.shuffle(using: &random)
      #expect(NonReachabilityGrouper().group(problem) == leaders)
    }
  }
}
