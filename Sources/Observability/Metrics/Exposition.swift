// SPDX-License-Identifier: Apache-2.0

/// Writes metrics in Prometheus' text format, version 0.0.4: `exposition.family("x_total", .counter, "What it counts.")`, then its
/// samples.
struct Exposition {
  enum Kind: String { case counter, gauge, histogram }

  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private(set) var bytes: [UInt8] = []
  private var name = ""

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Begins a family: the samples that follow are of it.
  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    self.name = name
    append("# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n")
  }

  /// `labels` as `labels` makes them; `suffix`: "_bucket", "_sum" and "_count" of histograms.
  mutating func sample(_ value: Double, labels: String = "", suffix: String = "") {
    append(name)
    append(suffix)
    if !labels.isEmpty {
      append("{")
      append(labels)
      append("}")
    }
    append(" ")
    append(Self.number(value))
    append("\n")
  }

  mutating func sample(_ value: UInt64, labels: String = "", suffix: String = "") {
    sample(Double(value), labels: labels, suffix: suffix)
  }

  /// `a="1",b="2"`
  static func labels(_ pairs: KeyValuePairs<String, String>) -> String {
    pairs.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
  }

  /// Whole numbers without a fraction, as other exporters write them.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value) { return String(whole) }
    return value.description
  }

  static func escaped(_ text: String, quotes: Bool) -> String {
    guard text.utf8.contains(where: { $0 == 0x5c || $0 == 0x0a || $0 == 0x22 }) else { return text }
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
