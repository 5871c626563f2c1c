// SPDX-License-Identifier: Apache-2.0

import Graph

/// The rules of automatic grouping as they are written down: nested loops over all ordered pairs, paths looked for anew for each.
struct ReferenceGrouper {
  let problem: GroupingProblem
  private(set) var leaders: [Int32]
  private var edges: Set<[Int]>

  init(_ problem: GroupingProblem) {
    self.problem = problem
    leaders = problem.ids.map { _ in -1 }
    edges = Set(problem.edges.map { [$0.from, $0.to] })
  }

  mutating func group() {
    let candidates = problem.ids.indices.filter { problem.isCandidate[$0] }.sorted(by: isBefore)
    for v1 in candidates {
      for v2 in candidates {
        if leaders[v1] != -1 || leaders[v2] != -1 { continue }  // merged away
        if chunks(v1)[0] != chunks(v2)[0] { continue }
        if v1 == v2 { continue }
        if problem.ids[v1].kind == problem.ids[v2].kind, leaders.contains(Int32(v2)) { continue }
        if !problem.mayJoin(v1, v2) { continue }
        if hasPath(v1, v2) || hasPath(v2, v1) { continue }
        merge(v2, into: v1)
      }
    }
  }

  /// Of a group of one kind the first by name leads, if it may.
  mutating func chooseLeaders() {
    for old in leaders.indices {
      let members = leaders.indices.filter { leaders[$0] == Int32(old) }
      let all = members + [old]
      let isUniform = members.allSatisfy { problem.ids[$0].kind == problem.ids[old].kind && !leaders.contains(Int32($0)) }
      guard !members.isEmpty, isUniform, let new = all.min(by: { problem.ids[$0].name < problem.ids[$1].name }), new != old,
        all.allSatisfy({ $0 == new || problem.mayJoin(new, $0) }),
        leaders[old] == -1 || problem.mayJoin(Int(leaders[old]), new)
      else { continue }
      leaders[new] = leaders[old]
      for member in all where member != new { leaders[member] = Int32(new) }
    }
  }

  private func chunks(_ vertex: Int) -> [Substring] {
    problem.ids[vertex].kind.split(separator: ":", omittingEmptySubsequences: false)
  }

  private func isBefore(_ one: Int, _ other: Int) -> Bool {
    let (mine, its) = (chunks(one), chunks(other))
    if mine.count != its.count { return mine.count > its.count }
    for (a, b) in zip(mine, its) where a != b { return a > b }
    return problem.ids[one].name > problem.ids[other].name
  }

  private func hasPath(_ from: Int, _ to: Int) -> Bool {
    var reached: Set<Int> = [from]
    var open = [from]
    while let vertex = open.popLast() {
      for edge in edges where edge[0] == vertex && reached.insert(edge[1]).inserted { open.append(edge[1]) }
    }
    return reached.contains(to)
  }

  private mutating func merge(_ member: Int, into leader: Int) {
    leaders[member] = Int32(leader)
    edges = Set(edges.map { $0.map { $0 == member ? leader : $0 } })
  }
}
