// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The result: one row for each figure, in columns.
struct Table {
  private var rows: [Row] = []

  mutating func add(_ more: [Row]) { rows += more }

  func rendered(verbose: Bool) -> String {
    let head = ["what", "measured", "baseline", "ratio", "bar", ""]
    let cells = rows.map { row in
      let ratio = row.baselineValue.flatMap { $0 > 0 ? String(format: "%.2f", row.value / $0) : nil }
      return [
        row.what, row.notRun == nil ? row.unit.text(row.value) : "–", row.baselineValue.map(row.unit.text) ?? "–", ratio ?? "–",
        row.bar.text(row.unit),
        row.verdict,
      ]
    }
    let widths = head.indices.map { column in ([head] + cells).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { index, cell in
        (1...3).contains(index) ? cell.leftPadded(to: widths[index]) : cell.padded(to: widths[index])
      }
      return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    var lines = [line(head), widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")]
    for (row, cells) in zip(rows, cells) {
      lines.append(line(cells))
      if verbose { lines += details(of: row).map { "    " + $0 } }
    }
    return lines.joined(separator: "\n")
  }

  private func details(of row: Row) -> [String] {
    func spread(_ name: String, _ samples: Samples?) -> String? {
      guard let samples, samples.sorted.count > 1, row.percentile == 50 else { return nil }
      return "\(name): \(row.unit.text(samples.least)) … \(row.unit.text(samples.greatest)) in \(samples.sorted.count) runs"
    }
    return [spread("measured", row.measured), spread("baseline", row.baseline)].compactMap(\.self) + row.notes
  }
}
