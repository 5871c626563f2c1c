// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Text for a person or a program: all of it, also when a pipe takes it in pieces.
enum Output {
  static func write(_ text: String, to fd: Int32) {
    write(Array(text.utf8), to: fd)
  }

  /// False: not all of it; errno says why.
  @discardableResult
  static func write(_ bytes: [UInt8], to fd: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.write(fd, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if count < 0, errno == EAGAIN {
          var wait = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
          guard poll(&wait, 1, 5000) > 0 else { return false }
        } else if count < 0, errno != EINTR {
          return false
        }
      }
      return true
    }
  }
}

/// Lines collected and written when there are many or the loop has nothing else to do.
struct LineBuffer {
  private var bytes: [UInt8] = []
  private let fd: Int32

  init(fd: Int32) { self.fd = fd }

  mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    if bytes.count > 1 << 16 { flush() }
  }

  mutating func append(_ more: [UInt8]) {
    bytes.append(contentsOf: more)
    if bytes.count > 1 << 16 { flush() }
  }

  mutating func flush() {
    guard !bytes.isEmpty else { return }
    Output.write(bytes, to: fd)
    bytes.removeAll(keepingCapacity: true)
  }
}
