// SPDX-License-Identifier: Apache-2.0

/// A graph whose vertices are merged step by step, and which of some chosen vertices, the *sources*, have a path to or from each
/// other one.
///
/// Two things keep it far from looking at each pair of vertices. One pass over the graph follows 64 sources at once, a bit
/// each; a merge carries bits on only as far as they are new. And a vertex with a path to or from every other one, as all in
/// a chain have, can be in no group. It is taken out and parts the graph into *segments* that have nothing more to do with each
/// other, so that each has 64 sources of its own in a pass. Merging makes such vertices.
struct GroupGraph {
  static let maximumSources = 64

  /// For each vertex its node as of the last `renumber`; -1: taken out.
  private var nodes: [Int32]
  /// Nodes are in topological order, those of a segment in a row; arrows between segments are left out.
  private var outgoing: Adjacency
  private var incoming: Adjacency
  private var segments: [Int32]
  private(set) var segmentCount = 1
  private var merged: MergedNodes
  /// The sources of its segment that lead to a node; valid for roots.
  private var leadingHere: [UInt64] = []
  /// The sources of its segment a node leads to.
  private var ledTo: [UInt64] = []
  private(set) var isRenumberingDue = false

  /// Only vertices in `isRelevant` will be asked for. nil: the arrows form a cycle. Arrows from or to nothing do not count.
  init?(isRelevant: [Bool], arrows: some Collection<(from: Int, to: Int)>) {
    let all = Adjacency(vertexCount: isRelevant.count, arrows: arrows)
    guard case .ordered(let order) = all.topologicalOrder() else { return nil }
    // What is on no way from one relevant vertex to another would only hide that those between have paths to all.
    var isAhead = isRelevant
    for vertex in order where isAhead[vertex] { for target in all.targets(of: vertex) { isAhead[Int(target)] = true } }
    var isBehind = isRelevant
    for vertex in order.reversed() where !isBehind[vertex] {
      isBehind[vertex] = all.targets(of: vertex).contains { isBehind[Int($0)] }
    }
    nodes = []
    var count: Int32 = 0
    for vertex in isRelevant.indices {
      let isKept = isAhead[vertex] && isBehind[vertex]
      nodes.append(isKept ? count : -1)
      count += isKept ? 1 : 0
    }
    outgoing = Adjacency(vertexCount: Int(count), arrows: all.arrows(numbered: nodes))
    incoming = outgoing
    segments = [Int32](repeating: 0, count: Int(count))
    merged = MergedNodes(count: Int(count))
    renumber()
  }

  /// nil: it has a path to or from all others.
  func segment(of vertex: Int) -> Int? {
    nodes[vertex] < 0 ? nil : Int(segments[Int(nodes[vertex])])
  }

  /// Chooses sources, none merged with another. `bit` is below `maximumSources` and different for all of a segment.
  mutating func setSources(_ sources: some Sequence<(vertex: Int, bit: Int)>) {
    let count = outgoing.vertexCount
    leadingHere = [UInt64](repeating: 0, count: count)
    for source in sources where nodes[source.vertex] >= 0 {
      leadingHere[merged.root(of: Int(nodes[source.vertex]))] |= 1 << UInt64(source.bit)
    }
    ledTo = leadingHere
    for node in 0..<count where leadingHere[node] != 0 {
      let bits = leadingHere[node]
      for arrow in Int(outgoing.starts[node])..<Int(outgoing.starts[node + 1]) {
        leadingHere[Int(outgoing.targets[arrow])] |= bits
      }
    }
    for node in (0..<count).reversed() {
      var bits = ledTo[node]
      for arrow in Int(outgoing.starts[node])..<Int(outgoing.starts[node + 1]) { bits |= ledTo[Int(outgoing.targets[arrow])] }
      ledTo[node] = bits
    }
  }

  /// The sources of its segment with a path to or from what `vertex` is merged with, and that itself if it is a source.
  func related(to vertex: Int) -> UInt64 {
    guard nodes[vertex] >= 0 else { return .max }
    let node = merged.root(of: Int(nodes[vertex]))
    return leadingHere[node] | ledTo[node]
  }

  /// The two must be of one segment without a path between them. Only the sources in `live` are followed from now on.
  mutating func merge(_ vertex: Int, into leader: Int, live: UInt64) {
    guard nodes[leader] >= 0, nodes[vertex] >= 0 else { return }
    let kept = merged.root(of: Int(nodes[leader]))
    let other = merged.root(of: Int(nodes[vertex]))
    guard kept != other else { return }
    merged.exchange(&leadingHere, along: outgoing, kept, other, live)
    merged.exchange(&ledTo, along: incoming, kept, other, live)
    merged.merge(other, into: kept)
    isRenumberingDue = true
  }

  /// Makes one node of each set of merged ones and one arrow of equal ones, puts the nodes in order, and takes out those with a
  /// path to or from all others of their segment. No sources are chosen afterwards.
  mutating func renumber() {
    isRenumberingDue = false
    let (numbers, count) = merged.numbered()
    var segmentOf = [Int32](repeating: 0, count: count)
    for node in numbers.indices { segmentOf[Int(numbers[node])] = segments[node] }
    let graph = Adjacency(vertexCount: count, arrows: outgoing.arrows(numbered: numbers))
    // Merging what has no path between it makes no cycle: there is always an order.
    guard case .ordered(let mixed) = graph.topologicalOrder() else { return }
    let order = Partition(classCount: segmentCount, items: mixed) { Int(segmentOf[$0]) }

    var places = [Int32](repeating: 0, count: count)
    for (place, node) in order.items.enumerated() { places[node] = Int32(place) }
    var arrows: [(from: Int, to: Int)] = []
    arrows.reserveCapacity(graph.targets.count)
    var lastFrom = [Int32](repeating: -1, count: count)
    for (place, node) in order.items.enumerated() {
      for target in graph.targets(of: node) where lastFrom[Int(target)] != Int32(place) {
        lastFrom[Int(target)] = Int32(place)
        arrows.append((place, Int(places[Int(target)])))
      }
    }

    let newNumbers = part(order, arrows)
    var kept: [(from: Int, to: Int)] = []
    kept.reserveCapacity(arrows.count)
    for arrow in arrows {
      let from = Int(newNumbers[arrow.from])
      let to = Int(newNumbers[arrow.to])
      if from >= 0, to >= 0, segments[from] == segments[to] { kept.append((from, to)) }
    }
    outgoing = Adjacency(vertexCount: segments.count, arrows: kept)
    incoming = Adjacency(vertexCount: segments.count, arrows: kept.lazy.map { (from: $0.to, to: $0.from) })
    for vertex in nodes.indices where nodes[vertex] >= 0 {
      nodes[vertex] = newNumbers[Int(places[Int(numbers[Int(nodes[vertex])])])]
    }
    merged = MergedNodes(count: segments.count)
    leadingHere = []
    ledTo = []
  }

  /// Sets `segments`; the result has for each place its new number, or -1 if all of its segment have a path to or from it.
  ///
  /// All before place p lead to it if and only if each of them has an arrow to a place not behind p: follow these and you end
  /// there. So it takes one running maximum of the nearest arrows forward, and one minimum of those backward.
  private mutating func part(_ order: Partition, _ arrows: [(from: Int, to: Int)]) -> [Int32] {
    let count = order.items.count
    var nearestTarget = [Int](repeating: .max, count: count)
    var nearestSource = [Int](repeating: -1, count: count)
    for arrow in arrows {
      nearestTarget[arrow.from] = min(nearestTarget[arrow.from], arrow.to)
      nearestSource[arrow.to] = max(nearestSource[arrow.to], arrow.from)
    }
    var isOut = [Bool](repeating: false, count: count)
    var newNumbers = [Int32](repeating: -1, count: count)
    segments = []
    segmentCount = 0
    for segment in 0..<order.classCount {
      let places = order.range(of: segment)
      var farthest = -1
      for place in places {
        isOut[place] = farthest <= place
        farthest = max(farthest, nearestTarget[place])
      }
      farthest = .max
      for place in places.reversed() {
        isOut[place] = isOut[place] && farthest >= place
        farthest = min(farthest, nearestSource[place])
      }
      var isNew = true
      for place in places {
        if isOut[place] {
          isNew = true
          continue
        }
        if isNew { segmentCount += 1 }
        isNew = false
        newNumbers[place] = Int32(segments.count)
        segments.append(Int32(segmentCount - 1))
      }
    }
    return newNumbers
  }
}

extension Adjacency {
  /// All arrows, with other numbers for the vertices.
  fileprivate func arrows(numbered numbers: [Int32]) -> [(from: Int, to: Int)] {
    var arrows: [(from: Int, to: Int)] = []
    arrows.reserveCapacity(targets.count)
    for vertex in 0..<vertexCount {
      for target in targets(of: vertex) { arrows.append((Int(numbers[vertex]), Int(numbers[Int(target)]))) }
    }
    return arrows
  }
}
