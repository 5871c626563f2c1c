// SPDX-License-Identifier: Apache-2.0

/// Writes numbers (little-endian) and texts (length, then UTF-8) as bytes.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func write(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

  mutating func write(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      count(utf8.count)
      bytes.append(contentsOf: utf8)
    }
  }

  mutating func write(_ data: [UInt8]) {
    count(data.count)
    bytes.append(contentsOf: data)
  }

  mutating func count(_ count: Int) { write(UInt32(clamping: count)) }
}

/// The bytes are not what a `ByteWriter` writes.
struct ByteError: Error, Equatable {
  /// Where reading stopped.
  var offset: Int
}

/// Reads what `ByteWriter` wrote. The bytes may be anything: every read is bounded.
struct ByteReader {
  private let bytes: [UInt8]
  private(set) var offset = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var remaining: Int { bytes.count - offset }

  var failure: ByteError { ByteError(offset: offset) }

  mutating func take(_ count: Int) throws(ByteError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= remaining else { throw failure }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  mutating func number<N: FixedWidthInteger & UnsignedInteger>(_ type: N.Type = N.self) throws(ByteError) -> N {
    var result: N = 0
    for (position, byte) in try take(N.bitWidth / 8).enumerated() { result |= N(byte) << N(position * 8) }
    return result
  }

  mutating func flag() throws(ByteError) -> Bool {
    switch try number(UInt8.self) {
    case 0: return false
    case 1: return true
    default: throw failure
    }
  }

  /// A number of things that take at least a byte each, so that it never exceeds what is there.
  mutating func count(atMost limit: Int) throws(ByteError) -> Int {
    let count = Int(try number(UInt32.self))
    guard count <= limit, count <= remaining else { throw failure }
    return count
  }

  mutating func text(atMost limit: Int) throws(ByteError) -> String {
    let slice = try take(try count(atMost: limit))
    guard let text = String(validating: slice, as: UTF8.self) else { throw failure }
    return text
  }

  mutating func data(atMost limit: Int) throws(ByteError) -> [UInt8] { Array(try take(try count(atMost: limit))) }

  /// Nothing may follow.
  func end() throws(ByteError) {
    guard remaining == 0 else { throw failure }
  }
}
