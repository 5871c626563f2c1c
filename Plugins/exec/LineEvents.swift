// SPDX-License-Identifier: Apache-2.0

/// Turns what a watch command writes into events: one for each line that is not empty.
struct LineEvents: Sendable {
  private var hasText = [false, false]

  /// `fd`: 1 or 2. Whether a line that is not empty was completed.
  mutating func append(_ fd: Int32, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let stream = fd == 2 ? 1 : 0
    var isEvent = false
    var hasText = hasText[stream]
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        isEvent = isEvent || hasText
        hasText = false
      } else if byte != UInt8(ascii: "\r") {
        hasText = true
      }
    }
    self.hasText[stream] = hasText
    return isEvent
  }
}
