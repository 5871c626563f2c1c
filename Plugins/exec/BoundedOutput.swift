// SPDX-License-Identifier: Apache-2.0

/// What a stream carried, within bounds: the beginning and the end are kept, and between them a line that says how much is
/// missing. Never larger than `2 * half` bytes plus that line.
struct BoundedOutput: Sendable {
  static let defaultHalf = 512 << 10

  private let half: Int
  private var head: [UInt8] = []
  /// A ring once it has grown to `half`; `start` is then its oldest byte.
  private var tail: [UInt8] = []
  private var start = 0
  private(set) var total = 0

  init(half: Int = Self.defaultHalf) {
    self.half = max(1, half)
  }

  var isEmpty: Bool { total == 0 }
  var dropped: Int { total - head.count - tail.count }

  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    total += bytes.count
    let first = min(half - head.count, bytes.count)
    if first > 0 { head.append(contentsOf: bytes[..<first]) }
    // Of one piece longer than the ring only its end can stay.
    var rest = bytes[max(first, bytes.count - half)...]
    let growth = min(half - tail.count, rest.count)
    if growth > 0, start == 0 {
      tail.append(contentsOf: rest.prefix(growth))
      rest = rest.dropFirst(growth)
    }
    while !rest.isEmpty {
      let piece = rest.prefix(half - start)
      tail.replaceSubrange(start..<(start + piece.count), with: piece)
      start = start + piece.count == half ? 0 : start + piece.count
      rest = rest.dropFirst(piece.count)
    }
  }

  /// All bytes kept, in order, with the marker line where some are missing.
  var bytes: [UInt8] {
    guard dropped > 0 else { return head + tail }
    return head + Array("\n[... \(dropped) bytes were not kept ...]\n".utf8) + end
  }

  /// Bytes that are not UTF-8 become U+FFFD. nil when nothing was written.
  var text: String? {
    isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// Whether exactly `text` was written.
  func equals(_ text: String) -> Bool {
    dropped == 0 && total == text.utf8.count && (head + tail).elementsEqual(text.utf8)
  }

  /// The last lines, each made fit for one line of a terminal.
  func lastLines(_ count: Int) -> [String] {
    let room = count * (displayLineLimit + 1)
    let bytes = tail.isEmpty || dropped > 0 ? (tail.isEmpty ? head : end) : head + tail
    return bytes.suffix(room).split(separator: UInt8(ascii: "\n")).suffix(count).map { displayLine($0) }
  }

  private var end: [UInt8] { Array(tail[start...] + tail[..<start]) }
}

/// How many bytes of a line are shown.
let displayLineLimit = 500

/// Makes a foreign line safe to show: bounded, no control characters.
func displayLine(_ bytes: some Collection<UInt8>) -> String {
  let text = String(decoding: bytes.prefix(displayLineLimit), as: UTF8.self)
  var safe = String.UnicodeScalarView()
  for scalar in text.unicodeScalars where scalar != "\r" {
    let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
    safe.append(isControl ? "\u{FFFD}" : scalar)
  }
  return String(safe) + (bytes.count > displayLineLimit ? " ..." : "")
}
