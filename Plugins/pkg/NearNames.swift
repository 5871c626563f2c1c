// SPDX-License-Identifier: Apache-2.0

/// Finds packages a mistyped name may have meant.
enum NearNames {
  /// Parts of a name that a search looks for: one of them is right even if a letter of the other is wrong.
  static func parts(of name: String) -> [String] {
    let characters = Array(name)
    let length = characters.count < 4 ? max(1, characters.count - 1) : min(characters.count / 2, 5)
    return [String(characters.prefix(length)), String(characters.suffix(length))]
  }

  /// At most three of `candidates`, the nearest first.
  static func of(_ name: String, in candidates: some Sequence<String>) -> [String] {
    let letters = Array(name.utf8)
    let bound = letters.count < 4 ? 1 : letters.count < 8 ? 2 : 3
    var near: [(distance: Int, name: String)] = []
    for candidate in Set(candidates) where candidate != name {
      let other = Array(candidate.utf8)
      guard abs(other.count - letters.count) <= bound else { continue }
      let distance = distance(letters, other)
      if distance <= bound { near.append((distance, candidate)) }
    }
    return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  /// Letters put in, left out, changed or swapped with their neighbour.
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for (row, letter) in a.enumerated() {
      var current = [row + 1]
      current.reserveCapacity(b.count + 1)
      for (column, other) in b.enumerated() {
        var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
        if row > 0, column > 0, letter == b[column - 1], a[row - 1] == other { best = min(best, beforeLast[column - 1] + 1) }
        current.append(best)
      }
      beforeLast = last
      last = current
    }
    return last[b.count]
  }
}
