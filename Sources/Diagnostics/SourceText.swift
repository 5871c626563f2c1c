// SPDX-License-Identifier: Apache-2.0

/// The bytes of a source file with an index of its lines, from which diagnostics take the lines they show.
public struct SourceText {
  /// A line is shown up to so many bytes; the rest of a longer one is not needed around any span worth reading.
  static let maximumLineBytes = 16_384

  private let bytes: [UInt8]
  private let lineStarts: [Int]

  /// Lines end with LF, CR or CR LF.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var starts = [0]
    bytes.withUnsafeBufferPointer { bytes in
      for (position, byte) in bytes.enumerated() {
        if byte == 0x0a || (byte == 0x0d && (position + 1 == bytes.count || bytes[position + 1] != 0x0a)) {
          starts.append(position + 1)
        }
      }
    }
    lineStarts = starts
  }

  /// The text of a line, counted from 1, without its end; nil when there is no such line.
  public func line(_ number: Int) -> String? {
    guard lineStarts.indices.contains(number - 1) else { return nil }
    let start = lineStarts[number - 1]
    var end = number < lineStarts.count ? lineStarts[number] : bytes.count
    while end > start, bytes[end - 1] == 0x0a || bytes[end - 1] == 0x0d { end -= 1 }
    return String(decoding: bytes[start..<min(end, start + Self.maximumLineBytes)], as: UTF8.self)
  }

  /// The place of a byte; behind the last one, the end of the text.
  public func position(ofByte offset: Int) -> SourcePosition {
    let offset = max(0, min(offset, bytes.count))
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    let before = String(decoding: bytes[lineStarts[low]..<offset], as: UTF8.self)
    return SourcePosition(line: low + 1, column: before.unicodeScalars.count + 1)
  }
}

extension Diagnostic {
  /// Gives the labels in `file` the lines they speak of, except the lines for which `isHidden` holds: they hold secrets.
  public mutating func addExcerpts(from text: SourceText, file: String, isHidden: (Int) -> Bool = { _ in false }) {
    for index in labels.indices where labels[index].span.file == file && labels[index].excerpt == nil {
      let line = labels[index].span.start.line
      if !isHidden(line) { labels[index].excerpt = text.line(line) }
    }
  }
}
