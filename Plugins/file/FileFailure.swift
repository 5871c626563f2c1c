// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

extension Failure {
  /// A system call that failed: what was tried, where, and what a person can do. The host adds the system's words.
  static func system(_ action: String, _ path: String, _ error: Int32, field: String = "") -> Failure {
    Failure("\(action) \(path)", errno: error, field: field, hint: hint(error))
  }

  private static func hint(_ error: Int32) -> String {
    switch error {
    case ENOSPC, EDQUOT: "free some space there (df, df -i, quota); what was there before is untouched"
    case EROFS: "the file system is mounted read-only: remount it (mount -o remount,rw), or choose another path"
    case EACCES: "the agent's user needs the permission: run it as root, or change the owner or mode there"
    case EPERM: "only root may do this; if the agent runs as root, it or its directory may be immutable (lsattr, chattr -i)"
    case EBUSY: "it is a mount point or in use: unmount it first"
    case ENAMETOOLONG: "a name is at most 255 bytes, a path 4095"
    case ELOOP: "a symbolic link on the way leads back to itself"
    case ENOENT: "make it first, for example with a file resource that comes before this one"
    case ENOTDIR: "a part of the path is a file, not a directory"
    case EEXIST: "something came in the way: remove it"
    case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
    case EIO: "look at the kernel's log (dmesg): the disk may be failing"
    default: ""
    }
  }

  /// Something else is in the way, and `force` was not given.
  static func inTheWay(_ path: String, _ found: FileType, wanted: FileType) -> Failure {
    let article = { (type: FileType) in "a \(type.rawValue)" }
    let hint =
      switch (found, wanted) {
      case (.other, _): "remove it by hand: force does not replace these"
      case (.directory, .regular): "set force: true to replace it with all its contents, or end the path with \"/\""
      case (.symlink, _): "set force: true to replace the link, or name what it points to"
      default: "set force: true to replace it, or remove it"
      }
    return Failure("\(path) is \(article(found)), not \(article(wanted))", field: found == .other ? "" : "force", hint: hint)
  }
}
