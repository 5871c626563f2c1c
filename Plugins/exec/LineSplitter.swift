// SPDX-License-Identifier: Apache-2.0

/// Cuts one stream into lines as it arrives, keeping no more of a line than is shown.
struct LineSplitter: Sendable {
  private var line: [UInt8] = []

  /// Calls `body` with each line that is complete and not empty.
  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (String) -> Void) {
    var rest = bytes[...]
    while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
      keep(rest[..<newline])
      finish(body)
      rest = rest[(newline + 1)...]
    }
    keep(rest)
  }

  /// The stream is over: what is left is a line too.
  mutating func finish(_ body: (String) -> Void) {
    if !line.isEmpty { body(displayLine(line)) }
    line.removeAll(keepingCapacity: true)
  }

  private mutating func keep(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
    // One byte more than is shown, so that a cut line is seen to be cut.
    line.append(contentsOf: bytes.prefix(max(0, displayLineLimit + 1 - line.count)))
  }
}
