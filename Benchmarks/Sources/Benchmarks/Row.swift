// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a figure counts, and how it is written.
enum Unit {
  case seconds, bytes, count, factor

  func text(_ value: Double) -> String {
    switch self {
    case .seconds where value.magnitude >= 1: String(format: "%.2f s", value)
    case .seconds where value.magnitude >= 0.001: String(format: "%.2f ms", value * 1e3)
    case .seconds: String(format: "%.0f µs", value * 1e6)
    case .bytes: String(format: "%.1f MiB", value / 1_048_576)
    case .count: String(format: "%.0f", value)
    case .factor: String(format: "%.2f ×", value)
    }
  }
}

/// What a measurement has to stay within.
enum Bar {
  case atMost(Double)
  /// At most `factor` times the baseline, plus `extra` (in the row's unit).
  case timesBaseline(Double, plus: Double)
  case exactly(Double)
  case between(Double, Double)
  /// Shown for comparison; nothing is asked of it.
  case none

  func met(by measured: Double, baseline: Double?) -> Bool {
    switch self {
    case .atMost(let limit): measured <= limit
    case .timesBaseline(let factor, let extra): baseline.map { measured <= factor * $0 + extra } ?? false
    case .exactly(let wanted): measured == wanted
    case .between(let low, let high): measured >= low && measured <= high
    case .none: true
    }
  }

  func text(_ unit: Unit) -> String {
    switch self {
    case .atMost(let limit): return "≤ " + unit.text(limit)
    case .timesBaseline(let factor, let extra):
      let plus = extra == 0 ? "" : " + " + unit.text(extra)
      return "≤ " + String(format: "%g ×", factor) + plus
    case .exactly(let wanted): return "= " + unit.text(wanted)
    case .between(let low, let high): return unit.text(low) + " … " + unit.text(high)
    case .none: return ""
    }
  }
}

/// One line of the table.
struct Row {
  let what: String
  let unit: Unit
  let measured: Samples
  let baseline: Samples?
  let bar: Bar
  /// Judge and show this percentile instead of the median.
  var percentile = 50.0
  /// Printed beneath the row with `--verbose`.
  var notes: [String] = []
  /// Why there is nothing to show.
  private(set) var notRun: String?

  init(
    _ what: String, _ unit: Unit, _ measured: [Double], baseline: [Double]? = nil, bar: Bar, percentile: Double = 50,
    notes: [String] = []
  ) {
    self.what = what
    self.unit = unit
    self.measured = Samples(measured)
    self.baseline = baseline.map(Samples.init)
    self.bar = bar
    self.percentile = percentile
    self.notes = notes
  }

  /// A row that says why nothing was measured.
  init(notRun what: String, because reason: String) {
    self.init(what, .count, [], bar: .none)
    notRun = reason
  }

  var value: Double { measured.percentile(percentile) }
  var baselineValue: Double? { baseline?.percentile(percentile) }

  var verdict: String {
    if let notRun { return "not run: " + notRun }
    if case .none = bar { return "" }
    return bar.met(by: value, baseline: baselineValue) ? "ok" : "MISSED"
  }
}
