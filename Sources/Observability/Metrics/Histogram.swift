// SPDX-License-Identifier: Apache-2.0

/// How long things took, one histogram a row, in flat arrays: observing is a few comparisons and additions.
struct Histogram {
  /// Upper bounds in nanoseconds: 100 µs to 60 s. What takes longer counts in a bucket behind the last one.
  static let bounds: [UInt64] = [
    100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
    500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000, 60_000_000_000,
  ]
  private static let boundTexts = bounds.map { Exposition.number(Double($0) / 1e9) }
  private static let stride = bounds.count + 1

  private var counts: [UInt64] = []
  private var sums: [UInt64] = []

  mutating func addRow() {
    counts.append(contentsOf: repeatElement(0, count: Self.stride))
    sums.append(0)
  }

  mutating func observe(_ nanoseconds: UInt64, row: Int) {
    guard sums.indices.contains(row) else { return }
    var bucket = 0
    while bucket < Self.bounds.count, nanoseconds > Self.bounds[bucket] { bucket += 1 }
    counts[row * Self.stride + bucket] += 1
    sums[row] &+= nanoseconds
  }

  /// The samples of one row: buckets that each include those before them, sum in seconds, count.
  func write(row: Int, labels: String, to exposition: inout Exposition) {
    guard sums.indices.contains(row) else { return }
    let lead = labels.isEmpty ? "" : labels + ","
    var total: UInt64 = 0
    for bucket in 0..<Self.stride {
      total += counts[row * Self.stride + bucket]
      let bound = bucket < Self.boundTexts.count ? Self.boundTexts[bucket] : "+Inf"
      exposition.sample(total, labels: "\(lead)le=\"\(bound)\"", suffix: "_bucket")
    }
    exposition.sample(Double(sums[row]) / 1e9, labels: labels, suffix: "_sum")
    exposition.sample(total, labels: labels, suffix: "_count")
  }
}
