// SPDX-License-Identifier: Apache-2.0

/// Finds what a mistyped name may have meant.
public enum NearNames {
  /// Names longer than this are compared up to here.
  private static let longest = 255

  /// At most three of `candidates`, the nearest first; never the name itself. `part`: what of a name is compared, such as
  /// all but its suffix.
  public static func of(
    _ name: String, in candidates: some Sequence<String>, comparing part: (String) -> Substring = { $0[...] }
  ) -> [String] {
    let letters = letters(of: part(name))
    let bound = letters.count < 4 ? 1 : letters.count < 8 ? 2 : 3
    var near: [(distance: Int, name: String)] = []
    for candidate in Set(candidates) where candidate != name {
      let other = Self.letters(of: part(candidate))
      guard abs(other.count - letters.count) <= bound else { continue }
      let distance = distance(letters, other)
      if distance <= bound { near.append((distance, candidate)) }
    }
    return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  private static func letters(of name: Substring) -> [UInt8] { Array(name.utf8.prefix(longest)) }

  /// Letters put in, left out, changed or swapped with their neighbour.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
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
