// SPDX-License-Identifier: Apache-2.0

/// Sets of nodes of a graph that count as one.
struct MergedNodes {
  /// The node a node was merged into, or itself.
  private var parents: [Int32]
  /// The nodes merged with a node, itself included, form a ring.
  private var next: [Int32]

  init(count: Int) {
    parents = (0..<Int32(count)).map { $0 }
    next = parents
  }

  /// The one that stands for all that `node` is merged with. The way is short: between two renumberings only sources have others
  /// merged into them.
  func root(of node: Int) -> Int {
    var node = node
    while parents[node] != node { node = Int(parents[node]) }
    return node
  }

  /// Both are roots.
  mutating func merge(_ node: Int, into kept: Int) {
    parents[node] = Int32(kept)
    next.swapAt(kept, node)
  }

  /// A number for each node, from 0 on, the same for those that are merged; and how many numbers there are.
  func numbered() -> (numbers: [Int32], count: Int) {
    var numbers = [Int32](repeating: -1, count: parents.count)
    var count: Int32 = 0
    for node in parents.indices where Int(parents[node]) == node {
      numbers[node] = count
      count += 1
    }
    for node in parents.indices where numbers[node] < 0 { numbers[node] = numbers[root(of: node)] }
    return (numbers, Int(count))
  }

  /// Gives two roots the bits of each other, of those in `live`, and also all that the arrows reach from there.
  func exchange(_ bits: inout [UInt64], along arrows: Adjacency, _ one: Int, _ other: Int, _ live: UInt64) {
    let ofOne = bits[one] & live
    let ofOther = bits[other] & live
    let all = ofOne | ofOther
    bits[one] = all
    bits[other] = all
    var changed: [Int] = []
    if all != ofOne { spread(&bits, all, from: one, arrows, &changed) }
    if all != ofOther { spread(&bits, all, from: other, arrows, &changed) }
    while let node = changed.popLast() { spread(&bits, bits[node] & live, from: node, arrows, &changed) }
  }

  private func spread(
    _ bits: inout [UInt64], _ new: UInt64, from node: Int, _ arrows: Adjacency, _ changed: inout [Int]
  ) {
    var member = node
    repeat {
      for arrow in Int(arrows.starts[member])..<Int(arrows.starts[member + 1]) {
        let target = root(of: Int(arrows.targets[arrow]))
        guard new & ~bits[target] != 0 else { continue }
        bits[target] |= new
        changed.append(target)
      }
      member = Int(next[member])
    } while member != node
  }
}
