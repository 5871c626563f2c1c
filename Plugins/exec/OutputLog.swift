// SPDX-License-Identifier: Apache-2.0

/// Chooses the lines of a command's output that go to the log while it runs: the first ones, then only a count of bytes.
struct OutputLog: Sendable {
  static let defaultLimit = 100

  private let limit: Int
  private var streams = [LineSplitter(), LineSplitter()]
  private var lines = 0
  private var hiddenBytes = 0

  init(limit: Int = Self.defaultLimit) {
    self.limit = limit
  }

  /// `fd`: 1 or 2.
  mutating func append(_ fd: Int32, _ bytes: UnsafeBufferPointer<UInt8>, _ log: (String) -> Void) {
    // Past the limit nothing is split any more: a command may print gigabytes.
    guard lines < limit else {
      hiddenBytes += bytes.count
      return
    }
    let stream = fd == 2 ? 1 : 0
    var room = limit - lines
    streams[stream].append(bytes) { line in
      if room > 0 { log(line) } else { hiddenBytes += line.utf8.count + 1 }
      room -= 1
    }
    lines = limit - max(0, room)
  }

  /// Both streams are over.
  mutating func finish(_ log: (String) -> Void) {
    for stream in streams.indices {
      streams[stream].finish { line in
        if lines < limit { log(line) } else { hiddenBytes += line.utf8.count }
        lines += 1
      }
    }
    if hiddenBytes > 0 { log("... and \(hiddenBytes) more bytes that are not shown") }
    self = OutputLog(limit: limit)
  }
}
