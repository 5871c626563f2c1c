// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Reactor

/// The directory `--tmp-prefix` made: removed with all that is in it when the agent ends, but not when it is killed.
///
/// It is in a directory others may write to. Everything is done relative to descriptors, no link is followed, and only what is on its file
/// system is removed.
final class TemporaryPrefix {
  let path: String
  private let parent: Int32
  private let name: String
  private let identity: stat
  private static let maximumDepth = 64

  /// Made with a name that cannot be guessed, for the agent's user only.
  init(hostname: String) throws(MgmtError) {
    let directory = Environment["TMPDIR"] ?? "/tmp"
    parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw Prefix.failure(directory, errno) }
    var template = Array("\(directory)/\(Program.name)-\(hostname)-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let made else {
      let number = errno
      close(parent)
      throw Prefix.failure(directory, number)
    }
    path = made.hasPrefix("/") ? made : Prefix.absolute(made)
    name = made.lastIndex(of: "/").map { String(made[made.index(after: $0)...]) } ?? made
    var status = stat()
    _ = fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW)
    identity = status
  }

  deinit { close(parent) }

  /// What cannot be removed stays.
  func remove() {
    guard let fd = Self.folder(name, in: parent) else { return }
    var status = stat()
    guard fstat(fd, &status) == 0, status.st_dev == identity.st_dev, status.st_ino == identity.st_ino else {
      close(fd)
      return
    }
    empty(fd, depth: 0)
    unlinkat(parent, name, AT_REMOVEDIR)
  }

  private static func folder(_ name: String, in directory: Int32) -> Int32? {
    let fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    return fd >= 0 ? fd : nil
  }

  /// Owns the descriptor.
  private func empty(_ fd: Int32, depth: Int) {
    guard depth < Self.maximumDepth, let stream = fdopendir(fd) else {
      close(fd)
      return
    }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard name != ".", name != "..", unlinkat(fd, name, 0) != 0 else { continue }
      guard let child = Self.folder(name, in: fd) else { continue }
      var status = stat()
      guard fstat(child, &status) == 0, status.st_dev == identity.st_dev else {
        close(child)
        continue
      }
      empty(child, depth: depth + 1)
      unlinkat(fd, name, AT_REMOVEDIR)
    }
  }
}
