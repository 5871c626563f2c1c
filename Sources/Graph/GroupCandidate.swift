// SPDX-License-Identifier: Apache-2.0

/// A resource that may lead or join a group.
struct GroupCandidate {
  var vertex: Int
  /// Equal kinds have equal numbers.
  var kind: Int
  /// Kinds with the same first chunk have the same bucket, counted from 0.
  var bucket: Int

  /// Kinds with more `:`-chunks first, then chunk by chunk descending, then by name descending; duplicates as given.
  static func inOrder(_ problem: GroupingProblem) -> [GroupCandidate] {
    var numbers: [String: Int] = [:]
    var kinds: [(kind: String, chunks: [Substring])] = []
    var named: [(kind: Int, name: String, vertex: Int)] = []
    for (vertex, id) in problem.ids.enumerated() where vertex < problem.isCandidate.count && problem.isCandidate[vertex] {
      let number = numbers[id.kind] ?? kinds.count
      if number == kinds.count {
        numbers[id.kind] = number
        kinds.append((id.kind, id.kind.split(separator: ":", omittingEmptySubsequences: false)))
      }
      named.append((number, id.name, vertex))
    }
    var ranks = [Int](repeating: 0, count: kinds.count)
    let order = kinds.indices.sorted { isOffered(kinds[$0].chunks, before: kinds[$1].chunks) }
    for (rank, number) in order.enumerated() { ranks[number] = rank }
    var bucketOf: [Substring: Int] = [:]
    let buckets = kinds.map { kind in
      let chunk = kind.chunks.first ?? ""
      let bucket = bucketOf[chunk] ?? bucketOf.count
      bucketOf[chunk] = bucket
      return bucket
    }
    named.sort { one, other in
      if one.kind != other.kind { return ranks[one.kind] < ranks[other.kind] }
      return one.name == other.name ? one.vertex < other.vertex : one.name > other.name
    }
    return named.map { GroupCandidate(vertex: $0.vertex, kind: $0.kind, bucket: buckets[$0.kind]) }
  }

  private static func isOffered(_ one: [Substring], before other: [Substring]) -> Bool {
    if one.count != other.count { return one.count > other.count }
    return zip(one, other).first { $0 != $1 }.map { $0 > $1 } ?? false
  }
}
