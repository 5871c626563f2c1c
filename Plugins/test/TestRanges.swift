// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// Numbers of the language have 64 bits; some parameters stand for smaller ones.
extension TestKey {
  /// nil: every number.
  private var range: ClosedRange<Int64>? {
    switch self {
    case .int8, .int8ptr, .int8ptrptrptr: Int64(Int8.min)...Int64(Int8.max)
    case .int16: Int64(Int16.min)...Int64(Int16.max)
    case .int32, .rune: Int64(Int32.min)...Int64(Int32.max)
    case .uint8, .uint8ptr, .byte: 0...Int64(UInt8.max)
    case .uint16: 0...Int64(UInt16.max)
    case .uint32: 0...Int64(UInt32.max)
    case .uint, .uint64: 0...Int64.max
    // A day is longer than anybody waits for a failure.
    case .waitforerror: 0...86_400_000
    default: nil
    }
  }

  func checkRange(_ value: Value) throws(Failure) {
    if case .int(let number) = value, let range, !range.contains(number) {
      throw Failure(
        "\(number) is not between \(range.lowerBound) and \(range.upperBound)", field: "\(self)",
        hint: "write a number of this range")
    }
    if case .float(let number) = value, self == .float32, number.isFinite, !Float(number).isFinite {
      throw Failure(
        "\(number) does not fit 32 bits", field: "\(self)",
        hint: "write a number between -\(Float.greatestFiniteMagnitude) and \(Float.greatestFiniteMagnitude), or use float64")
    }
  }
}
