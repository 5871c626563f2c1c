// SPDX-License-Identifier: Apache-2.0

/// "Did you mean": finds the nearest of some known names.
public enum Suggestion {
  /// The candidate nearest to `word` by edit distance (insertions, deletions, replacements, swaps of neighbours), or nil
  /// when none is near: at most a third of its letters may differ. Case does not count.
  public static func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
    let wanted = Array(word.lowercased().unicodeScalars)
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let letters = Array(candidate.lowercased().unicodeScalars)
      guard letters.count <= 64 else { continue }
      let limit = max(1, max(wanted.count, letters.count) / 3)
      guard abs(letters.count - wanted.count) <= limit else { continue }
      let distance = editDistance(wanted, letters)
      guard distance <= limit else { continue }
      if let found = best, (found.distance, found.name) <= (distance, candidate) { continue }
      best = (candidate, distance)
    }
    return best?.name
  }

  /// A hint in words: `did you mean "content"?`, else what is known when that is a short list, else nil.
  public static func hint(for word: String, in candidates: some Collection<String>) -> String? {
    if let name = nearest(to: word, in: candidates) { return "did you mean \"\(name)\"?" }
    guard !candidates.isEmpty, candidates.count <= 24 else { return nil }
    return "known: " + candidates.sorted().joined(separator: ", ")
  }

  private static func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var row = [i + 1]
      row.reserveCapacity(b.count + 1)
      for (j, right) in b.enumerated() {
        var cost = min(last[j] + (left == right ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left == b[j - 1], a[i - 1] == right { cost = min(cost, beforeLast[j - 1] + 1) }
        row.append(cost)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
