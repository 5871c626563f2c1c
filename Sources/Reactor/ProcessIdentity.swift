// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Whom a child runs as.
struct ProcessIdentity {
  var isChange: Bool
  var isAnotherUser: Bool { uid != getuid() }
  var uid: uid_t
  var gid: gid_t
  var groups: [gid_t]

  /// Names are looked up in the system's databases, which may block; numbers are taken as they are.
  init(user: String, group: String) throws(SpawnFailure) {
    (uid, gid, groups) = (getuid(), getgid(), [])
    isChange = false
    guard !user.isEmpty || !group.isEmpty else { return }
    var name = ""
    if !user.isEmpty {
      guard let entry = Self.user(user) else {
        guard let number = uid_t(user) else { throw SpawnFailure(errno: ENOENT, step: "find the user \"\(user)\"") }
        uid = number
        gid = gid_t(number)
        if group.isEmpty { throw SpawnFailure(errno: ENOENT, step: "find the primary group of user \(user): give a group") }
        try setGroup(group)
        finish(name: "")
        return
      }
      (uid, gid, name) = entry
    }
    if !group.isEmpty { try setGroup(group) }
    finish(name: name)
  }

  private mutating func setGroup(_ group: String) throws(SpawnFailure) {
    guard let number = Self.group(group) ?? gid_t(group) else {
      throw SpawnFailure(errno: ENOENT, step: "find the group \"\(group)\"")
    }
    gid = number
  }

  /// Nothing changes when it is what the agent already is: that needs no privilege.
  private mutating func finish(name: String) {
    isChange = uid != getuid() || gid != getgid()
    groups = name.isEmpty ? [gid] : Self.groups(of: name, gid: gid)
  }

  private static func user(_ name: String) -> (uid_t, gid_t, String)? {
    var entry = passwd()
    var result: UnsafeMutablePointer<passwd>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      var code = getpwnam_r(name, &entry, start, buffer.count, &result)
      if code == 0, result == nil, let number = uid_t(name) {
        code = getpwuid_r(number, &entry, start, buffer.count, &result)
      }
      guard code == 0, result != nil, let text = entry.pw_name else { return nil }
      return (entry.pw_uid, entry.pw_gid, String(cString: text))
    }
  }

  private static func group(_ name: String) -> gid_t? {
    var entry = Glibc.group()
    var result: UnsafeMutablePointer<Glibc.group>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      guard getgrnam_r(name, &entry, start, buffer.count, &result) == 0, result != nil else { return nil }
      return entry.gr_gid
    }
  }

  private static func groups(of user: String, gid: gid_t) -> [gid_t] {
    var count: Int32 = 64
    var groups = [gid_t](repeating: 0, count: Int(count))
    if getgrouplist(user, gid, &groups, &count) < 0 {
      groups = [gid_t](repeating: 0, count: max(1, Int(count)))
      guard getgrouplist(user, gid, &groups, &count) >= 0 else { return [gid] }
    }
    return Array(groups.prefix(Int(count)))
  }
}
