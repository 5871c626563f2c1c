// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Reactor
import ReactorShims

/// What makes a file the same file with the same contents: a change of either changes it.
struct FileIdentity: Sendable, Hashable {
  var device: UInt64
  var inode: UInt64
  var size: UInt64
  /// Nanoseconds since 1970, of the contents and of the inode.
  var modified: UInt64
  var changed: UInt64

  init(device: UInt64, inode: UInt64, size: UInt64, modified: UInt64, changed: UInt64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modified = modified
    self.changed = changed
  }

  init(_ status: stat) {
    func nanoseconds(_ time: timespec) -> UInt64 {
      UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }
    self.init(
      device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino),
      size: UInt64(truncatingIfNeeded: status.st_size), modified: nanoseconds(status.st_mtim),
      changed: nanoseconds(status.st_ctim))
  }

  /// The same file, whatever is in it.
  func isSameInode(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }
}

/// Who may own plugins and their directories: root and the user the agent runs as.
struct TrustPolicy: Sendable {
  var user: uid_t = geteuid()

  /// Why something must not be used, and the command that mends it. nil: it may be used.
  func refusal(_ status: stat, path: String) -> Diagnostic? {
    guard status.st_uid == 0 || status.st_uid == user else {
      let allowed = user == 0 ? "root" : "root or user \(user)"
      return PluginDiagnostics.untrusted(
        path, "it belongs to user \(status.st_uid), not to \(allowed)",
        mend: "chown \(user == 0 ? "root" : String(user)) \(shellWord(path))")
    }
    guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
      let mode = String(status.st_mode & 0o7777, radix: 8)
      let who = status.st_mode & S_IWOTH != 0 ? "everybody" : "its group"
      return PluginDiagnostics.untrusted(
        path, "\(who) may write to it (mode \(mode))", mend: "chmod go-w \(shellWord(path))")
    }
    return nil
  }
}

/// A directory of plugins: open, and checked through its descriptor, so that nobody can swap it for another.
final class PluginDirectory: Sendable {
  /// Without symbolic links.
  let path: String
  let fd: Int32
  let identity: FileIdentity

  private init(path: String, fd: Int32, identity: FileIdentity) {
    self.path = path
    self.fd = fd
    self.identity = identity
  }

  deinit { close(fd) }

  /// nil: there is no such directory.
  static func open(_ path: String, policy: TrustPolicy) throws(MgmtError) -> PluginDirectory? {
    guard let resolved = realpath(path, nil) else {
      let reason = errno
      if reason == ENOENT || reason == ENOTDIR { return nil }
      throw MgmtError(PluginDiagnostics.unreadable(path, systemMessage(reason)))
    }
    defer { free(resolved) }
    let canonical = String(cString: resolved)
    let fd = shim_open_directory(resolved)
    guard fd >= 0 else {
      let reason = errno
      switch reason {
      case ENOENT: return nil
      case ENOTDIR: throw MgmtError(PluginDiagnostics.unreadable(path, "it is not a directory"))
      default: throw MgmtError(PluginDiagnostics.unreadable(path, systemMessage(reason)))
      }
    }
    var status = stat()
    let result = fstat(fd, &status)
    let directory = PluginDirectory(path: canonical, fd: fd, identity: FileIdentity(status))
    guard result == 0 else { throw MgmtError(PluginDiagnostics.unreadable(path, systemMessage(errno))) }
    if let refusal = policy.refusal(status, path: canonical) { throw MgmtError(refusal) }
    return directory
  }

  /// Names that end in `.so`, sorted; apart, those that cannot be used: not UTF-8 (here repaired), or with a "$", which the loader
  /// replaces. Hidden files do not count.
  func pluginNames() throws(MgmtError) -> (names: [String], unusable: [String]) {
    let listing = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard listing >= 0, let stream = fdopendir(listing) else {
      let reason = errno
      if listing >= 0 { close(listing) }
      throw MgmtError(PluginDiagnostics.unreadable(path, systemMessage(reason)))
    }
    defer { closedir(stream) }
    var names: [String] = []
    var unusable: [String] = []
    while let entry = readdir(stream) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      guard bytes.count > 3, bytes.first != UInt8(ascii: "."), bytes.suffix(3).elementsEqual(".so".utf8) else { continue }
      if let name = String(validating: bytes, as: UTF8.self), !name.contains("$") {
        names.append(name)
      } else {
        unusable.append(String(decoding: bytes, as: UTF8.self))
      }
    }
    return (names.sorted(), unusable.sorted())
  }

  func path(of name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }
}

/// A file of a plugin directory: open, and checked through its descriptor.
final class PluginFile: Sendable {
  let directory: PluginDirectory
  let name: String
  let fd: Int32
  let identity: FileIdentity

  var path: String { directory.path(of: name) }

  private init(directory: PluginDirectory, name: String, fd: Int32, identity: FileIdentity) {
    self.directory = directory
    self.name = name
    self.fd = fd
    self.identity = identity
  }

  deinit { close(fd) }

  static func open(_ name: String, in directory: PluginDirectory, policy: TrustPolicy) throws(MgmtError) -> PluginFile {
    let path = directory.path(of: name)
    // O_NONBLOCK: a FIFO without a writer must not stop the agent.
    let fd = openat(directory.fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard fd >= 0 else {
      let reason = errno
      guard reason != ELOOP else {
        let word = shellWord(path)
        throw MgmtError(
          PluginDiagnostics.untrusted(
            path, "it is a symbolic link",
            mend: "put the file itself there: cp --remove-destination \"$(readlink -f \(word))\" \(word)"))
      }
      throw MgmtError(PluginDiagnostics.unreadable(path, systemMessage(reason)))
    }
    var status = stat()
    let result = fstat(fd, &status)
    let file = PluginFile(directory: directory, name: name, fd: fd, identity: FileIdentity(status))
    guard result == 0 else { throw MgmtError(PluginDiagnostics.unreadable(path, systemMessage(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw MgmtError(PluginDiagnostics.untrusted(path, "it is not a regular file", mend: nil))
    }
    if let refusal = policy.refusal(status, path: path) { throw MgmtError(refusal) }
    return file
  }

  /// Whether the name in the directory still stands for the file that was checked, unchanged.
  var isStillInPlace: Bool {
    var status = stat()
    return fstatat(directory.fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && FileIdentity(status) == identity
  }
}
