// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// The small files in which an `exec` remembers its last successful run. [worker] or a queue: it reads and writes the disk.
struct StateStore: Sendable {
  /// Larger files are not ours.
  static let largestFile = 4 << 20

  /// Ends in "/".
  let directory: String
  /// The fingerprint of the command whose runs are remembered; records of others do not count.
  let command: String

  /// nil: there is no such file, or it cannot be trusted.
  func read(_ name: String) -> [UInt8]? {
    guard let directory = openDirectory() else { return nil }
    defer { close(directory) }
    return read(name, in: directory)
  }

  private func read(_ name: String, in directory: Int32) -> [UInt8]? {
    let file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var info = stat()
    guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_size <= Self.largestFile else { return nil }
    guard info.st_uid == geteuid(), info.st_mode & 0o022 == 0 else { return nil }
    var bytes: [UInt8] = []
    let chunk = max(1, Int(info.st_size))
    while bytes.count <= Self.largestFile {
      var failed = false
      let piece = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        let received = Glibc.read(file, buffer.baseAddress, chunk)
        failed = received < 0
        count = max(0, received)
      }
      if failed { return nil }
      if piece.isEmpty { return bytes }
      bytes += piece
    }
    return nil
  }

  /// Replaces a file as a whole, readable by the agent alone; nil removes it.
  func write(_ name: String, _ bytes: [UInt8]?) throws(Failure) {
    guard let directory = openDirectory() else { throw problem(name) }
    defer { close(directory) }
    guard let bytes else {
      guard unlinkat(directory, name, 0) == 0 || errno == ENOENT else { throw problem(name) }
      return
    }
    let temporary = ".\(name).new"
    _ = unlinkat(directory, temporary, 0)
    let file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw problem(name) }
    let isWritten = writeAll(bytes, to: file)
    let error = errno
    close(file)
    guard isWritten else {
      _ = unlinkat(directory, temporary, 0)
      throw problem(name, error)
    }
    guard renameat(directory, temporary, directory, name) == 0 else { throw problem(name) }
  }

  private func openDirectory() -> Int32? {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    return descriptor < 0 ? nil : descriptor
  }

  private func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
        let written = Glibc.write(file, start, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return false }
        rest = rest.dropFirst(written)
      }
      return true
    }
  }

  private func problem(_ name: String, _ error: Int32 = errno) -> Failure {
    Failure(
      "the state file \(directory)\(name) cannot be written", errno: error,
      hint: "check space and permissions of the agent's prefix")
  }
}

extension StateStore {
  private static let outputFile = "output"
  private static let timesFile = "mtimes"

  /// What the last successful run wrote; nil: there is a record, but not one of this command.
  func readCaptured() -> CapturedText? {
    guard let file = read(Self.outputFile) else { return CapturedText() }
    return OutputRecord(file, of: command)?.text
  }

  func writeCaptured(_ captured: CapturedText) throws(Failure) {
    let isEmpty = captured == CapturedText()
    try write(Self.outputFile, isEmpty ? nil : OutputRecord(command: command, text: captured).bytes)
  }

  /// Empty when the record is not one of this command.
  func readTimes() -> ModificationTimes {
    let rest = read(Self.timesFile).flatMap { RecordHeader.strip($0, of: command) }
    return ModificationTimes(record: rest ?? [])
  }

  func writeTimes(_ times: ModificationTimes) throws(Failure) {
    try write(Self.timesFile, RecordHeader.bytes(of: command) + times.record)
  }
}
