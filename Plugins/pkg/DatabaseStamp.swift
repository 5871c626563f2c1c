// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The files that package managers write whenever packages come or go, and how they look now, with apt's lists. PackageKit reports
/// only what it does itself; `apt-get`, `dpkg` and `rpm` are noticed by these.
struct DatabaseStamp: Equatable, Sendable {
  static let paths = [
    "/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite-wal", "/var/lib/rpm/Packages.db",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "/usr/lib/sysimage/rpm/Packages.db",
    "/var/lib/pacman/local",
  ]
  /// Those that are there.
  static var present: [String] { paths.filter { access($0, F_OK) == 0 } }
  private static let lists = ["/var/lib/apt/lists", "/var/lib/apt/lists/partial"]
  /// The stamp is another one too when there are newer lists of packages: apt's are the only ones it knows.
  static var coversLists: Bool { access(paths[0], F_OK) == 0 && access(lists[0], F_OK) == 0 }
  /// Held by apt and dpkg while they work on packages. Of the locks on lists and archives nothing is awaited: PackageKit tries for
  /// them at each attempt, which would wake all who wait.
  static let lock = "/var/lib/dpkg/lock-frontend"

  private struct Look: Equatable {
    var inode: UInt64
    var size: Int64
    var seconds: Int
    var nanoseconds: Int
  }
  private var looks: [Look?]

  static func now() -> DatabaseStamp {
    DatabaseStamp(
      looks: (paths + lists).map { path in
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Look(
          inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
          nanoseconds: status.st_mtim.tv_nsec)
      })
  }

  /// Seconds since apt last fetched a list of packages, by whatever program; nil: not known.
  static func listsAge() -> Int? {
    var status = stat()
    guard stat(lists[1], &status) == 0 else { return nil }
    return max(0, time(nil) - status.st_mtim.tv_sec)
  }
}
