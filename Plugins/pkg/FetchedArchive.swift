// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An archive in a package manager's cache that was not there before it was asked for.
struct FetchedArchive {
  let folder: String
  let name: String

  static let caches = "/var/cache/"

  /// Seconds of the clock that file systems use.
  static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return time.tv_sec
  }

  /// nil: it is not in one of the `caches`, is no file or link, or was there before `start`.
  init?(_ path: String, since start: Int, caches: String = Self.caches) {
    guard path.hasPrefix(caches), let slash = path.lastIndex(of: "/") else { return nil }
    folder = String(path[..<slash])
    name = String(path[path.index(after: slash)...])
    guard !name.isEmpty, name != ".", name != "..", !folder.split(separator: "/").contains("..") else { return nil }
    guard let status = inFolder({ Self.look($0, name) }), status.st_ctim.tv_sec >= start else { return nil }
  }

  /// What somebody else removed meanwhile is as gone.
  func remove() {
    _ = inFolder { unlinkat($0, name, 0) }
  }

  /// Without following the last link.
  private static func look(_ folder: Int32, _ name: String) -> stat? {
    var status = stat()
    guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    let type = status.st_mode & S_IFMT
    return type == S_IFREG || type == S_IFLNK ? status : nil
  }

  /// Only in a folder that nobody but its owner can change.
  private func inFolder<Result>(_ body: (Int32) -> Result?) -> Result? {
    let fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0, status.st_mode & (S_IWGRP | S_IWOTH) == 0 else { return nil }
    return body(fd)
  }
}
