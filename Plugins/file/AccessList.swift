// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// POSIX access control lists, as extended attributes of what a descriptor holds.
enum AccessList {
  static let own = "system.posix_acl_access"
  /// What new files in a directory get.
  static let inherited = "system.posix_acl_default"
  /// More than any file system keeps.
  static let largest = 65536

  static func isThere(_ fd: Int32, _ name: String = own) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { buffer in
      shim_held_get_attribute(fd, name, buffer.baseAddress, 0) > 0
    }
  }

  /// What the owning group may do, 0 to 7. nil: there is no list, so the mode says it; with one the mode shows the mask instead.
  static func groupRights(_ fd: Int32) -> mode_t? {
    guard isThere(fd) else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: largest, alignment: 8) { buffer in
      let count = shim_held_get_attribute(fd, own, buffer.baseAddress, buffer.count)
      var group: mode_t = 0
      var mask: mode_t = 7
      // A version of four bytes, then entries of eight: what for, rights, account. Little endian on every machine.
      var offset = 4
      while offset + 8 <= count {
        let tag = UInt16(buffer[offset]) | UInt16(buffer[offset + 1]) << 8
        let rights = mode_t(buffer[offset + 2] & 7)
        if tag == 0x04 { group = rights }
        if tag == 0x10 { mask = rights }
        offset += 8
      }
      return group & mask
    }
  }

  /// Takes away what was not asked for. The mode's group bits are cleared where there was a list, so that nobody gains anything;
  /// the mode is set afterwards.
  static func remove(_ fd: Int32, _ now: stat, _ path: String) throws(Failure) {
    if isThere(fd) {
      guard shim_held_chmod(fd, now.st_mode & 0o7707) == 0 else {
        throw Failure.system("cannot change the mode of", path, errno)
      }
      try remove(fd, own, path)
    }
    if FileType(now) == .directory && isThere(fd, inherited) { try remove(fd, inherited, path) }
  }

  private static func remove(_ fd: Int32, _ name: String, _ path: String) throws(Failure) {
    guard shim_held_remove_attribute(fd, name) == 0 || errno == ENODATA || errno == EOPNOTSUPP else {
      throw Failure.system("cannot remove the access list of", path, errno)
    }
  }
}
