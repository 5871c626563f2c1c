// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// An open file descriptor that is closed when its owner goes away. -1: none.
struct FileDescriptor: ~Copyable {
  private(set) var raw: Int32

  init(_ raw: Int32) { self.raw = raw }

  deinit { if raw >= 0 { Glibc.close(raw) } }

  /// Before its owner goes away.
  mutating func close() {
    if raw >= 0 { Glibc.close(raw) }
    raw = -1
  }

  /// The file's status. Failing here needs a broken file system.
  func status(_ path: @autoclosure () -> String) throws(Failure) -> stat {
    var status = stat()
    guard fstat(raw, &status) == 0 else { throw Failure.system("cannot look at", path(), errno) }
    return status
  }

  /// Reads until the buffer is full or the file ends.
  func fill(_ buffer: UnsafeMutableRawBufferPointer, _ path: @autoclosure () -> String) throws(Failure) -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = read(raw, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      if count > 0 {
        filled += count
      } else if count == 0 {
        break
      } else if errno != EINTR {
        throw Failure.system("cannot read", path(), errno)
      }
    }
    return filled
  }

  func writeAll(_ bytes: UnsafeRawBufferPointer, _ path: @autoclosure () -> String) throws(Failure) {
    var written = 0
    while written < bytes.count {
      let count = write(raw, bytes.baseAddress.map { $0 + written }, bytes.count - written)
      if count >= 0 {
        written += count
      } else if errno != EINTR {
        throw Failure.system("cannot write", path(), errno)
      }
    }
  }
}

/// The directory a resource's path is in, opened once for a check and its mending. Everything is done relative to this one
/// descriptor: a directory swapped for a symbolic link in between redirects nothing.
struct Parent: ~Copyable {
  /// -1: there is none.
  let directory: FileDescriptor
  /// The last part of the path.
  let name: CPath
  let path: String

  /// `isNeeded` false: it may be missing; `mayBeFile`: or something else may be in its place.
  init(
    _ spec: FileSpec, isNeeded: Bool = true, mayBeFile: Bool = false, makeMissing: Bool = false
  ) throws(Failure) {
    let (parent, name) = spec.parentAndName
    var fd = open(parent, shim_o_path | O_DIRECTORY | O_CLOEXEC)
    if fd < 0 && errno == ENOENT && makeMissing { fd = try Parent.make(FilePath.parent(spec.path) ?? "/") }
    guard fd >= 0 || (errno == ENOENT && !isNeeded) || (errno == ENOTDIR && mayBeFile) else {
      throw Parent.failure(spec.path, errno)
    }
    directory = FileDescriptor(fd)
    self.name = name
    path = spec.path
  }

  /// What has the name now.
  func entry() throws(Failure) -> Entry { try Entry(directory.raw, name, path) }

  /// Whether somebody but root and the agent's user may put things there.
  func othersMayWrite() throws(Failure) -> Bool {
    directory.raw >= 0 ? Doubt.mayOthersWrite(try directory.status(path)) : false
  }

  /// Fails when there is none.
  func need() throws(Failure) {
    guard directory.raw >= 0 else { throw Parent.failure(path, ENOENT) }
  }

  static func failure(_ path: String, _ error: Int32) -> Failure {
    let parent = FilePath.parent(path) ?? "/"
    if error == ENOENT {
      return Failure(
        "no such directory: \(FilePath.withoutSlash(parent))", errno: error,
        hint: "add a file resource for \"\(parent)\" or create it")
    }
    return Failure.system("cannot open the directory", FilePath.withoutSlash(parent), error)
  }

  /// mkdir -p. An O_PATH descriptor of the last directory.
  private static func make(_ path: String) throws(Failure) -> Int32 {
    let flags = shim_o_path | O_DIRECTORY | O_CLOEXEC
    var current = FileDescriptor(open("/", flags))
    var done = ""
    for component in path.utf8.split(separator: UInt8(ascii: "/")) {
      let name = component.map { CChar(bitPattern: $0) } + [0]
      done += "/" + text(name)
      var next = openat(current.raw, name, flags)
      if next < 0 && errno == ENOENT {
        guard mkdirat(current.raw, name, 0o777) == 0 || errno == EEXIST else {
          throw Failure.system("cannot make the directory", done, errno)
        }
        next = openat(current.raw, name, flags | O_NOFOLLOW)
      }
      guard next >= 0 else { throw Failure.system("cannot open the directory", done, errno) }
      current = FileDescriptor(next)
    }
    let fd = fcntl(current.raw, F_DUPFD_CLOEXEC, 0)
    guard fd >= 0 else { throw Failure.system("cannot open the directory", path, errno) }
    return fd
  }
}

/// What is at a path.
enum FileType: String {
  case regular = "file"
  case directory
  case symlink = "symbolic link"
  case other = "device, socket or pipe"

  init(_ status: stat) {
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .directory
    case S_IFLNK: self = .symlink
    default: self = .other
    }
  }
}

/// The text of a symbolic link; nil: it is none (any more).
func linkText(_ directory: Int32, _ name: CPath) -> [UInt8]? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
    guard let start = buffer.baseAddress else { return nil }
    let count = readlinkat(directory, name, start, buffer.count)
    return count >= 0 ? buffer[..<count].map { UInt8(bitPattern: $0) } : nil
  }
}
