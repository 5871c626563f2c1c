// SPDX-License-Identifier: Apache-2.0

/// Units whose names are like one that was not found.
enum NearNames {
  /// At most three, the nearest first. Of the names with the same stem the type does not matter.
  static func of(_ name: String, among names: [String]) -> [String] {
    let stem = Self.stem(name)
    let limit = max(1, stem.count / 3)
    var found: [(name: String, distance: Int)] = []
    for other in names where other != name {
      let otherStem = Self.stem(other)
      guard abs(otherStem.count - stem.count) <= limit else { continue }
      let distance = distance(stem, otherStem)
      if distance <= limit { found.append((other, distance)) }
    }
    found.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
    return found.prefix(3).map(\.name)
  }

  private static func stem(_ name: String) -> [UInt8] {
    let bytes = Array(name.utf8.prefix(256))
    guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")) else { return bytes }
    return Array(bytes[..<dot])
  }

  /// Insertions, deletions, replacements and swaps of neighbours.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
        row.append(best)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
