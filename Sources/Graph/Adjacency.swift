// SPDX-License-Identifier: Apache-2.0

/// Arrows between vertices `0..<vertexCount`, in two flat arrays: made in linear time, read without hashing.
public struct Adjacency: Sendable {
  public let vertexCount: Int
  /// The arrows of vertex v lead to `targets[starts[v]..<starts[v + 1]]`. Inside the room they are read without making a slice.
  let starts: [Int32]
  let targets: [Int32]

  /// Pairs outside `0..<vertexCount` are left out.
  public init(vertexCount: Int, arrows: some Collection<(from: Int, to: Int)>) {
    self.vertexCount = vertexCount
    var starts = [Int32](repeating: 0, count: vertexCount + 1)
    let vertices = 0..<vertexCount
    for arrow in arrows where vertices.contains(arrow.from) && vertices.contains(arrow.to) { starts[arrow.from + 1] += 1 }
    for vertex in vertices { starts[vertex + 1] += starts[vertex] }
    var next = starts
    var targets = [Int32](repeating: 0, count: Int(starts[vertexCount]))
    for arrow in arrows where vertices.contains(arrow.from) && vertices.contains(arrow.to) {
      targets[Int(next[arrow.from])] = Int32(arrow.to)
      next[arrow.from] += 1
    }
    self.starts = starts
    self.targets = targets
  }

  /// Where the arrows of `vertex` lead.
  public func targets(of vertex: Int) -> ArraySlice<Int32> {
    targets[Int(starts[vertex])..<Int(starts[vertex + 1])]
  }
}

/// The result of putting a graph in order.
public enum TopologicalOrder: Sendable, Equatable {
  /// Every vertex after all that lead to it; of those that are free the lowest number first.
  case ordered([Int])
  /// Vertices of one cycle, in the order of its arrows; the last leads to the first.
  case cycle([Int])
}

extension Adjacency {
  /// Linear in vertices and arrows.
  public func topologicalOrder() -> TopologicalOrder {
    var missing = [Int32](repeating: 0, count: vertexCount)
    for target in targets { missing[Int(target)] += 1 }
    var order: [Int] = []
    order.reserveCapacity(vertexCount)
    for vertex in 0..<vertexCount where missing[vertex] == 0 { order.append(vertex) }
    var head = 0
    while head < order.count {
      for target in targets(of: order[head]) {
        missing[Int(target)] -= 1
        if missing[Int(target)] == 0 { order.append(Int(target)) }
      }
      head += 1
    }
    if order.count == vertexCount { return .ordered(order) }
    return .cycle(findCycle(among: missing))
  }

  /// `missing` > 0 marks the vertices on cycles and behind them. Walks forward inside that set until a vertex repeats;
  /// those behind a cycle that lead nowhere are passed over by colouring.
  private func findCycle(among missing: [Int32]) -> [Int] {
    enum Colour: UInt8 { case white, onPath, done }
    var colour = [Colour](repeating: .white, count: vertexCount)
    for start in 0..<vertexCount where missing[start] > 0 && colour[start] == .white {
      var path: [(vertex: Int, rest: ArraySlice<Int32>)] = [(start, targets(of: start))]
      colour[start] = .onPath
      while let top = path.last {
        guard let next = top.rest.first.map(Int.init) else {
          colour[top.vertex] = .done
          path.removeLast()
          continue
        }
        path[path.count - 1].rest.removeFirst()
        switch colour[next] {
        case .white where missing[next] > 0:
          colour[next] = .onPath
          path.append((next, targets(of: next)))
        case .onPath:
          let first = path.firstIndex { $0.vertex == next } ?? 0
          return path[first...].map(\.vertex)
        default: break
        }
      }
    }
    return []
  }
}
