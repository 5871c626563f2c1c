// SPDX-License-Identifier: Apache-2.0

/// Repeated measurements of one thing, in one unit.
struct Samples {
  /// Ascending.
  let sorted: [Double]

  init(_ values: [Double]) { sorted = values.sorted() }

  var least: Double { sorted.first ?? .nan }
  var greatest: Double { sorted.last ?? .nan }
  var median: Double { percentile(50) }

  /// Nearest rank; the mean of the two middle values for the median of an even count.
  func percentile(_ percent: Double) -> Double {
    guard !sorted.isEmpty else { return .nan }
    if percent == 50, sorted.count.isMultiple(of: 2) {
      return (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
    }
    let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
    return sorted[min(max(rank, 1), sorted.count) - 1]
  }
}
