// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit
import Synchronization

/// Names of what is on its way to its own name: `.mgmt-`, 16 random digits, `.new`.
enum TemporaryName {
  private static let prefix = Array(".mgmt-".utf8)
  private static let suffix = Array(".new".utf8)
  private static let digits = 16

  static func make() -> CPath {
    let number = String(UInt64.random(in: .min ... .max), radix: 16)
    let body = Array(String(repeating: "0", count: digits - number.utf8.count).utf8) + Array(number.utf8)
    return (prefix + body + suffix).map { CChar(bitPattern: $0) } + [0]
  }

  /// Anybody can give his file such a name: alone it says nothing.
  static func matches(_ name: CPath) -> Bool {
    guard name.count == prefix.count + digits + suffix.count + 1, name.first == CChar(UInt8(ascii: ".")) else { return false }
    let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
    return bytes.starts(with: prefix) && bytes.suffix(suffix.count).elementsEqual(suffix)
      && bytes[prefix.count..<prefix.count + digits].allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}

/// The temporary names this process uses, and how to know those of other agents.
final class Temporaries: Sendable {
  let journal: Journal
  private let live = Mutex<Set<CPath>>([])

  init(_ journal: Journal) { self.journal = journal }

  fileprivate func begin(_ name: CPath) { live.withLock { _ = $0.insert(name) } }
  fileprivate func end(_ name: CPath) { live.withLock { _ = $0.remove(name) } }

  func isOurs(_ name: CPath) -> Bool { live.withLock { $0.contains(name) } }

  /// To be passed over by those who read a directory: on its way, or left behind by an agent of this user. Others cannot make
  /// files that belong to this user.
  func isHidden(_ directory: Int32, _ name: CPath) -> Bool {
    guard TemporaryName.matches(name) else { return false }
    if isOurs(name) { return true }
    var status = stat()
    guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_uid == geteuid() else { return false }
    return FileType(status) == .regular || FileType(status) == .symlink
  }

  /// To be spared by those who empty a directory: only while somebody writes it.
  func isBeingWritten(_ directory: Int32, _ name: CPath) -> Bool {
    guard TemporaryName.matches(name) else { return false }
    return isOurs(name) || Leftover(directory, name).state == .inUse
  }
}

/// What has a temporary name in a directory.
struct Leftover: ~Copyable {
  enum State {
    /// Nobody writes it any more, and it is of an agent of this user.
    case dead
    case inUse
    /// Not of an agent, as far as can be told.
    case foreign
  }

  let state: State
  private let lock: FileDescriptor
  /// A symbolic link cannot be locked: it is on its way for a few microseconds.
  private static let linkSeconds = 60

  /// While this lives, nobody else takes it for dead.
  init(_ directory: Int32, _ name: CPath) {
    var found = stat()
    let isThere = fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0
    let type = FileType(found)
    guard isThere, found.st_uid == geteuid(), found.st_nlink == 1, type == .regular || type == .symlink else {
      state = .foreign
      lock = FileDescriptor(-1)
      return
    }
    guard type == .regular else {
      state = time(nil) - found.st_ctim.tv_sec > Self.linkSeconds ? .dead : .inUse
      lock = FileDescriptor(-1)
      return
    }
    let flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    var raw = openat(directory, name, O_RDWR | flags)  // NFS gives locks to writers only
    if raw < 0 { raw = openat(directory, name, O_RDONLY | flags) }
    var opened = stat()
    let isFree = raw >= 0 && fstat(raw, &opened) == 0 && opened.isSameFile(as: found) && flock(raw, LOCK_EX | LOCK_NB) == 0
    state = isFree ? .dead : .inUse
    lock = FileDescriptor(raw)
  }
}

extension stat {
  func isSameFile(as other: stat) -> Bool { st_ino == other.st_ino && st_dev == other.st_dev }
}

/// One temporary name, in use until this goes away.
struct Temporary: ~Copyable {
  let name: CPath
  private let all: Temporaries
  private let rename: OwnRename

  /// `directory`: of the path it is for. `writer`: who need not be told of the rename; nil: all are told.
  init(_ all: Temporaries, in directory: String, by writer: ResourceHandle?) {
    let name = TemporaryName.make()
    self.name = name
    self.all = all
    all.begin(name)
    rename = name.dropLast().withUnsafeBytes { OwnRename($0, in: directory, by: writer) }
  }

  deinit {
    rename.end()
    all.end(name)
  }

  /// Before it is renamed.
  func expect(_ target: CPath) { target.dropLast().withUnsafeBytes { rename.expect($0) } }
}
