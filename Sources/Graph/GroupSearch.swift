// SPDX-License-Identifier: Apache-2.0

/// The search of `NonReachabilityGrouper`: leaders by the rules, then who stands for a group.
struct GroupSearch {
  private let problem: GroupingProblem
  /// In the order they lead and are offered.
  private let candidates: [GroupCandidate]
  private var hasMembers: [Bool]
  private(set) var leaders: [Int32]

  /// Candidates that may still come together, by position in `candidates` and in that order: same first chunk, same segment.
  private var pools = Partition(classCount: 0, items: []) { $0 }
  /// For each candidate its pool; -1: it can be in no group.
  private var poolOf: [Int32]
  /// For each pool how many are no members yet.
  private var free: [Int] = []
  /// For each segment the bits of those that are still to lead in this pass.
  private var live: [UInt64] = []
  /// For each candidate its bit in `live`, or 0.
  private var bitOf: [UInt64]

  init(_ problem: GroupingProblem) {
    self.problem = problem
    candidates = GroupCandidate.inOrder(problem)
    hasMembers = Array(repeating: false, count: problem.ids.count)
    leaders = Array(repeating: -1, count: problem.ids.count)
    poolOf = Array(repeating: -1, count: candidates.count)
    bitOf = Array(repeating: 0, count: candidates.count)
  }

  /// A candidate in its turn as leader.
  private struct Turn {
    var candidate: Int
    var segment: Int
    /// Its bit in its segment of the graph.
    var bit: Int
  }

  /// Looks at so many leaders of each segment in one pass over the graph.
  mutating func run(width: Int) {
    var isRelevant = [Bool](repeating: false, count: problem.ids.count)
    for candidate in candidates { isRelevant[candidate.vertex] = true }
    let arrows = problem.edges.map { (from: $0.from, to: $0.to) }
    guard candidates.count > 1, var graph = GroupGraph(isRelevant: isRelevant, arrows: arrows) else { return }
    fillPools(graph)
    var rest = Array(candidates.indices)
    while true {
      let turns = takeTurns(from: &rest, width, graph)
      if turns.isEmpty { return }
      graph.setSources(turns.lazy.map { [candidates] in (vertex: candidates[$0.candidate].vertex, bit: $0.bit) })
      var offers = [[Int]](repeating: [], count: free.count)
      for (pool, mask) in masks(of: turns) {
        offers[pool] = pools.items(of: pool).filter {
          leaders[candidates[$0].vertex] < 0 && mask & ~graph.related(to: candidates[$0].vertex) != 0
        }
      }
      for turn in turns where leaders[candidates[turn.candidate].vertex] < 0 {
        lead(turn, offers[Int(poolOf[turn.candidate])], &graph)
      }
      if graph.isRenumberingDue {
        graph.renumber()
        fillPools(graph)
      }
    }
  }

  private mutating func fillPools(_ graph: GroupGraph) {
    let inSegments = Partition(classCount: graph.segmentCount, items: candidates.indices) {
      leaders[candidates[$0].vertex] < 0 ? graph.segment(of: candidates[$0].vertex) ?? -1 : -1
    }
    // For each first chunk the segment it was met in last, and its pool there.
    var last = [(segment: Int, pool: Int32)](repeating: (-1, -1), count: (candidates.map(\.bucket).max() ?? -1) + 1)
    free.removeAll(keepingCapacity: true)
    for position in poolOf.indices { poolOf[position] = -1 }
    for segment in 0..<graph.segmentCount {
      for position in inSegments.items(of: segment) {
        let bucket = candidates[position].bucket
        if last[bucket].segment != segment {
          last[bucket] = (segment, Int32(free.count))
          free.append(0)
        }
        poolOf[position] = last[bucket].pool
        free[Int(last[bucket].pool)] += 1
      }
    }
    pools = Partition(classCount: free.count, items: candidates.indices) { Int(poolOf[$0]) }
  }

  /// The next leaders, of each segment at most `width`; what is behind them stays in `rest`. Segments are independent: it does not
  /// matter that one is ahead of another.
  private mutating func takeTurns(from rest: inout [Int], _ width: Int, _ graph: GroupGraph) -> [Turn] {
    var used = [Int](repeating: 0, count: graph.segmentCount)
    live = Array(repeating: 0, count: graph.segmentCount)
    var turns: [Turn] = []
    var later: [Int] = []
    for position in rest {
      let vertex = candidates[position].vertex
      guard leaders[vertex] < 0, poolOf[position] >= 0, free[Int(poolOf[position])] > 1,
        let segment = graph.segment(of: vertex)
      else { continue }
      if used[segment] < width {
        turns.append(Turn(candidate: position, segment: segment, bit: used[segment]))
        bitOf[position] = 1 << UInt64(used[segment])
        live[segment] |= bitOf[position]
        used[segment] += 1
      } else {
        later.append(position)
      }
    }
    rest = later
    return turns
  }

  /// The pools in which there are turns, with the bits of these.
  private func masks(of turns: [Turn]) -> [(pool: Int, mask: UInt64)] {
    var masks = [UInt64](repeating: 0, count: free.count)
    for turn in turns { masks[Int(poolOf[turn.candidate])] |= bitOf[turn.candidate] }
    return masks.enumerated().filter { $0.element != 0 }.map { ($0.offset, $0.element) }
  }

  /// Paths are only ever added, so that what was related to all leaders of a pass needs not be offered to any.
  private mutating func lead(_ turn: Turn, _ offers: [Int], _ graph: inout GroupGraph) {
    let leader = candidates[turn.candidate]
    let bit = bitOf[turn.candidate]
    for offer in offers {
      let member = candidates[offer]
      guard leaders[member.vertex] < 0, graph.related(to: member.vertex) & bit == 0,
        leader.kind != member.kind || !hasMembers[member.vertex], problem.mayJoin(leader.vertex, member.vertex)
      else { continue }
      live[turn.segment] &= ~bitOf[offer]
      graph.merge(member.vertex, into: leader.vertex, live: live[turn.segment])
      leaders[member.vertex] = Int32(leader.vertex)
      hasMembers[leader.vertex] = true
      free[Int(poolOf[turn.candidate])] -= 1
    }
    live[turn.segment] &= ~bit
    bitOf[turn.candidate] = 0
  }

  /// Gives each group of resources of one kind, also one that is in another group, the first by name as leader, if that may lead all
  /// others and may be where the former leader is.
  mutating func chooseLeaders() {
    var isUniform = hasMembers
    for candidate in candidates where leaders[candidate.vertex] >= 0 {
      let leader = Int(leaders[candidate.vertex])
      if hasMembers[candidate.vertex] || problem.ids[leader].kind != problem.ids[candidate.vertex].kind {
        isUniform[leader] = false
      }
    }
    let groups = Partition(classCount: leaders.count, items: candidates.map(\.vertex)) { Int(leaders[$0]) }
    for old in leaders.indices where isUniform[old] {
      // In descending order, as the candidates are.
      let members = groups.items(of: old)
      guard let new = members.last, problem.ids[new].name < problem.ids[old].name else { continue }
      let others = members.dropLast() + [old]
      guard others.allSatisfy({ problem.mayJoin(new, $0) }), leaders[old] < 0 || problem.mayJoin(Int(leaders[old]), new)
      else { continue }
      leaders[new] = leaders[old]
      for other in others { leaders[other] = Int32(new) }
    }
  }
}
