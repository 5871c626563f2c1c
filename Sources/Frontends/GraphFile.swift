// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Reactor

/// Reads the file a graph is in.
enum GraphFile {
  /// Larger files are refused before they are read.
  static let maximumSize = 64 << 20

  /// The whole content. Symbolic links are followed: the file is the user's to name.
  static func read(_ path: String) throws(MgmtError) -> [UInt8] {
    // Asked before the file is opened: opening some devices already does something.
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure(path, "cannot be found", errno) }
    try check(status, path)
    let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard fd >= 0 else { throw failure(path, "cannot be opened", errno) }
    defer { close(fd) }
    guard fstat(fd, &status) == 0 else { throw failure(path, "cannot be examined", errno) }
    try check(status, path)
    return try readAll(fd, path, expected: Int(clamping: status.st_size))
  }

  private static func check(_ status: stat, _ path: String) throws(MgmtError) {
    let what: String
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      guard status.st_size <= maximumSize else { throw tooLarge(path, Int(clamping: status.st_size)) }
      return
    case S_IFDIR: what = "a directory"
    case S_IFIFO: what = "a named pipe"
    case S_IFSOCK: what = "a socket"
    case S_IFCHR, S_IFBLK: what = "a device"
    default: what = "not a file"
    }
    throw MgmtError(
      Diagnostic("yaml.file", "\(quoted(path)) is \(what)", hint: "name a regular file, or a symbolic link to one"))
  }

  private static func tooLarge(_ path: String, _ size: Int) -> MgmtError {
    MgmtError(
      Diagnostic(
        "yaml.size", "\(quoted(path)) is too large for a graph: \(size) bytes",
        notes: ["At most \(maximumSize) bytes are read."]))
  }

  private static func readAll(_ fd: Int32, _ path: String, expected: Int) throws(MgmtError) -> [UInt8] {
    var failed: Int32 = 0
    // One more than it should be shows that it grew.
    var capacity = expected + 1
    var bytes: [UInt8] = []
    while failed == 0 {
      let before = bytes.count
      let room = capacity - before
      bytes.reserveCapacity(capacity)
      let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        let got = Glibc.read(fd, buffer.baseAddress, buffer.count)
        if got < 0 { failed = errno == EINTR ? -1 : errno }
        count = max(0, got)
      }
      if failed == -1 {
        failed = 0
        continue
      }
      if chunk.isEmpty { break }
      if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
      guard bytes.count <= maximumSize else { throw tooLarge(path, bytes.count) }
      if bytes.count == capacity { capacity += 1 << 16 }
    }
    guard failed == 0 else { throw failure(path, "cannot be read", failed) }
    return bytes
  }

  private static func failure(_ path: String, _ what: String, _ code: Int32) -> MgmtError {
    var hint: String?
    if code == EACCES { hint = "the agent's user needs the permission to read it" }
    return MgmtError(Diagnostic("yaml.file", "\(quoted(path)) \(what): \(systemMessage(code))", hint: hint))
  }
}
