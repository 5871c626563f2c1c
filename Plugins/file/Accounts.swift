// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit
import Synchronization

/// Users and groups by name. Answers are kept while the system's files are unchanged, and for at most a minute, because
/// other name services (LDAP) change without notice.
final class Accounts: Sendable {
  enum Space { case user, group }

  private struct Stamp: Equatable {
    var inode: ino_t = 0
    var seconds: time_t = 0
    var nanoseconds: Int = 0
  }

  private struct Known {
    var numbers: [String: UInt32] = [:]
    var stamp = Stamp()
    var since: time_t = 0

    mutating func number(_ name: String, _ stamp: Stamp, _ now: time_t) -> UInt32? {
      if self.stamp != stamp || now - since > 60 { self = Known(numbers: [:], stamp: stamp, since: now) }
      return numbers[name]
    }
  }

  private let users = Mutex(Known())
  private let groups = Mutex(Known())

  /// [worker] The number behind a name or number; nil: there is no such account.
  func number(_ space: Space, _ name: String) -> UInt32? {
    if name.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) { return UInt32(name) }
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let stamp = Self.stamp(space == .user ? "/etc/passwd" : "/etc/group")
    let seconds = now.tv_sec
    if let cached = withKnown(space, { $0.number(name, stamp, seconds) }) { return cached }
    guard let found = space == .user ? Self.user(name) : Self.group(name) else { return nil }
    withKnown(space) { $0.numbers[name] = found }
    return found
  }

  private func withKnown<Result: Sendable>(_ space: Space, _ body: (inout Known) -> Result) -> Result {
    switch space {
    case .user: users.withLock { body(&$0) }
    case .group: groups.withLock { body(&$0) }
    }
  }

  /// The name of a number, or the number as text.
  static func name(_ space: Space, _ number: UInt32) -> String {
    let found = withBuffer { buffer, size -> String? in
      if space == .user {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        guard getpwuid_r(number, &entry, buffer, size, &result) == 0, result != nil else { return nil }
        return entry.pw_name.map { String(cString: $0) }
      }
      var entry = Glibc.group()
      var result: UnsafeMutablePointer<Glibc.group>?
      guard getgrgid_r(number, &entry, buffer, size, &result) == 0, result != nil else { return nil }
      return entry.gr_name.map { String(cString: $0) }
    }
    return found ?? String(number)
  }

  private static func user(_ name: String) -> UInt32? {
    withBuffer { buffer, size in
      var entry = passwd()
      var result: UnsafeMutablePointer<passwd>?
      guard getpwnam_r(name, &entry, buffer, size, &result) == 0, result != nil else { return nil }
      return entry.pw_uid
    }
  }

  private static func group(_ name: String) -> UInt32? {
    withBuffer { buffer, size in
      var entry = Glibc.group()
      var result: UnsafeMutablePointer<Glibc.group>?
      guard getgrnam_r(name, &entry, buffer, size, &result) == 0, result != nil else { return nil }
      return entry.gr_gid
    }
  }

  /// Large groups need a lot: 256 KiB hold some ten thousand members.
  private static func withBuffer<Result>(_ body: (UnsafeMutablePointer<CChar>, Int) -> Result?) -> Result? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 262_144) { buffer in
      buffer.baseAddress.flatMap { body($0, buffer.count) }
    }
  }

  private static func stamp(_ path: String) -> Stamp {
    var status = stat()
    guard stat(path, &status) == 0 else { return Stamp() }
    return Stamp(inode: status.st_ino, seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }
}
