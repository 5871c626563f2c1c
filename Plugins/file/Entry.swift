// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// What has a name in an open directory, held by a descriptor: what is done to it is done to what was examined, whoever
/// renames or links there meanwhile.
struct Entry: ~Copyable {
  /// Has to stay open meanwhile. -1: there is none, so nothing is there either.
  let directory: Int32
  let name: CPath
  let path: String
  /// O_PATH; -1: nothing is there.
  let held: FileDescriptor
  let status: stat?

  /// Looks. A symbolic link is not followed.
  init(_ directory: Int32, _ name: CPath, _ path: String) throws(Failure) {
    self.directory = directory
    self.name = name
    self.path = path
    let raw = directory < 0 ? -1 : openat(directory, name, shim_o_path | O_NOFOLLOW | O_CLOEXEC)
    if raw < 0 {
      guard directory < 0 || errno == ENOENT else { throw Failure.system("cannot look at", path, errno) }
      held = FileDescriptor(-1)
      status = nil
      return
    }
    let fd = FileDescriptor(raw)
    status = try fd.status(path)
    held = fd
  }

  /// nil: nothing is there.
  var type: FileType? { status.map { FileType($0) } }

  /// The regular file, to read it. nil: there is none, or without /proc: none any more.
  func open() throws(Failure) -> FileDescriptor? {
    guard let status, FileType(status) == .regular else { return nil }
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    var raw = shim_held_open(held.raw, flags)
    if raw < 0 && errno == ENOENT { raw = openat(directory, name, flags | O_NOFOLLOW) }
    guard raw >= 0 else {
      if errno == ENOENT || errno == ELOOP { return nil }
      throw Failure.system("cannot open", path, errno)
    }
    let fd = FileDescriptor(raw)
    let opened = try fd.status(path)
    guard opened.st_ino == status.st_ino, opened.st_dev == status.st_dev else { return nil }
    return fd
  }

  /// The text of the symbolic link; nil: it is none.
  var linkText: [UInt8]? { type == .symlink ? FilePlugin.linkText(held.raw, [0]) : nil }

  /// Something else has the name than a moment ago.
  func replaced() -> Failure {
    Failure("\(path) was replaced while it was being checked", errno: ESTALE, hint: "it is checked again")
  }
}
