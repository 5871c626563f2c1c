// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import Synchronization

/// The directories temporary files were made in since the last clean end, on disk, so that the next run finds what a killed one
/// left behind. Paths, each with a NUL at its end.
///
/// Not synced: after a crash of the machine the newest may be missing.
final class Journal: Sendable {
  typealias Path = [UInt8]

  private struct State {
    /// As resources name them.
    var known: Set<String> = []
    /// As they are on disk, in this run.
    var noted: [Path] = []
    /// What the last sweep could not finish.
    var left: [Path] = []
  }

  /// nil: there is no place for it.
  private let file: CPath?
  private let state = Mutex(State())

  private static let limit = 16_384
  private static let byteLimit = 4 << 20

  /// `folder`: a directory of this plugin alone; "/" at its end.
  init(folder: String?) { file = folder.map { Array("\($0)directories".utf8CString) } }

  /// Something is about to be written into this directory. One look at a set, but for the first time.
  func note(_ directory: Int32, _ path: String) {
    guard let file else { return }
    state.withLock { state in
      guard state.noted.count + state.left.count < Self.limit, state.known.insert(path).inserted,
        let real = linkText(AT_FDCWD, Array("/proc/self/fd/\(directory)".utf8CString)), real.first == UInt8(ascii: "/")
      else { return }
      state.noted.append(real)
      let fd = FileDescriptor(open(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600))
      guard fd.raw >= 0 else { return }
      // Half an entry is passed over when it is read.
      _ = (real + [0]).withUnsafeBytes { write(fd.raw, $0.baseAddress, $0.count) }
    }
  }

  /// Something is left of a run before this one.
  var isThere: Bool { file.map { access($0, F_OK) == 0 } ?? false }

  /// What a run before this one noted. Whatever the file holds, only absolute paths come back.
  func read() -> [Path] {
    guard let file else { return [] }
    let fd = FileDescriptor(open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC))
    var status = stat()
    guard fd.raw >= 0, fstat(fd.raw, &status) == 0, FileType(status) == .regular, status.st_uid == geteuid(),
      status.st_mode & 0o022 == 0, status.st_size <= Self.byteLimit
    else { return [] }
    var bytes = Path(repeating: 0, count: Int(status.st_size))
    let count = bytes.withUnsafeMutableBytes { (try? fd.fill($0, "")) ?? 0 }
    let whole = bytes[..<count].lastIndex(of: 0).map { bytes[..<$0] } ?? []
    var found: Set<Path> = []
    for entry in whole.split(separator: 0).prefix(Self.limit)
    where entry.first == UInt8(ascii: "/") && entry.count < Int(PATH_MAX) {
      found.insert(Array(entry))
    }
    return Array(found)
  }

  /// The sweep ended: these are to be looked at next time, and what this run has noted.
  func swept(leaving left: [Path]) {
    state.withLock { state in
      state.left = left
      rewrite(state.left + state.noted)
    }
  }

  /// Everything that was written in this run has its name.
  func end() {
    state.withLock { state in
      guard !state.noted.isEmpty else { return }
      state.noted = []
      state.known = []
      rewrite(state.left)
    }
  }

  private func rewrite(_ entries: [Path]) {
    guard let file else { return }
    guard !entries.isEmpty else {
      unlink(file)
      return
    }
    let new = Array(file.dropLast()) + ".new\0".utf8.map { CChar(bitPattern: $0) }
    unlink(new)
    var fd = FileDescriptor(open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600))
    guard fd.raw >= 0, (try? entries.flatMap { $0 + [0] }.withUnsafeBytes({ try fd.writeAll($0, "") })) != nil else {
      unlink(new)
      return
    }
    fd.close()
    rename(new, file)
  }
}
