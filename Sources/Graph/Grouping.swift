// SPDX-License-Identifier: Apache-2.0

/// What a `Grouper` decides on: which resources can be run as one. Vertices are positions in `ids`.
public struct GroupingProblem {
  public var ids: [ResourceID]
  /// Of a kind that can be grouped, and not told to stay alone; as long as `ids`.
  public var isCandidate: [Bool]
  /// Edges from or to nothing do not count.
  public var edges: [ResourceEdge]
  /// Whether `member` may be run by `leader`. Between resources of one kind this should not depend on which of them leads.
  public var mayJoin: (_ leader: Int, _ member: Int) -> Bool

  public init(
    ids: [ResourceID], isCandidate: [Bool], edges: [ResourceEdge],
    mayJoin: @escaping (_ leader: Int, _ member: Int) -> Bool
  ) {
    self.ids = ids
    self.isCandidate = isCandidate
    self.edges = edges
    self.mayJoin = mayJoin
  }
}

/// An algorithm that forms groups. It must not bring resources together between which the edges, or the groups already
/// formed, set an order.
public protocol Grouper: Sendable {
  /// For messages.
  var name: String { get }
  /// For each vertex the one that runs it, or -1. A leader may be a member of another group.
  func group(_ problem: GroupingProblem) -> [Int32]
}

/// What follows from the leaders a `Grouper` chose.
public enum Grouping {
  /// For each vertex the leader of all: what leads it and is not led itself; a vertex that is not grouped is its own. Ends
  /// whatever `leaders` holds: in a ring of leaders, and where a leader is no vertex, a vertex is its own.
  public static func topLeaders(of leaders: [Int32]) -> [Int32] {
    let unknown: Int32 = -1
    var tops = [Int32](repeating: unknown, count: leaders.count)
    var path: [Int] = []
    for vertex in leaders.indices where tops[vertex] == unknown {
      var current = vertex
      while tops[current] == unknown {
        tops[current] = Int32(current)  // also ends a ring
        path.append(current)
        guard leaders.indices.contains(Int(leaders[current])) else { break }
        current = Int(leaders[current])
      }
      for member in path { tops[member] = tops[current] }
      path.removeAll(keepingCapacity: true)
    }
    return tops
  }

  /// The edges between groups, each group standing for its top leader; positions stay those of the resources. Edges inside
  /// a group are gone. Of several edges that become one, in the order given: it notifies if one did, has all transfers, the origin
  /// of the first, and the name if all had the same.
  ///
  /// The original adds no edge where a longer path already leads, and gives the properties of the edge to all edges of that
  /// path; then a change can notify resources that were never to be notified. Here the direct edge always stays.
  public static func mergedEdges(_ edges: [ResourceEdge], topLeaders: [Int32]) -> [ResourceEdge] {
    struct Ends: Hashable {
      var from: Int32
      var to: Int32
    }
    var merged: [ResourceEdge] = []
    merged.reserveCapacity(edges.count)
    var known: [Ends: Int] = Dictionary(minimumCapacity: edges.count)
    for edge in edges where topLeaders.indices.contains(edge.from) && topLeaders.indices.contains(edge.to) {
      let ends = Ends(from: topLeaders[edge.from], to: topLeaders[edge.to])
      guard ends.from != ends.to else { continue }
      guard let position = known[ends] else {
        known[ends] = merged.count
        merged.append(edge)
        merged[merged.count - 1].from = Int(ends.from)
        merged[merged.count - 1].to = Int(ends.to)
        continue
      }
      if edge.notify { merged[position].notify = true }
      if merged[position].name != edge.name { merged[position].name = "" }
      merged[position].transfers += edge.transfers
    }
    return merged
  }
}
