// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What to say when the kernel refuses a watch.
enum WatchLimit {
  static func failure(_ error: Int32, path: String) -> Failure {
    switch error {
    case EMFILE:
      // inotify_init1 gives the same error for both limits.
      let current = setting("max_user_instances")
      return Failure(
        "no inotify instance left (fs.inotify.max_user_instances is \(text(current))), or too many open files", errno: error,
        hint: "sysctl fs.inotify.max_user_instances=\((current ?? 128) * 4); or raise the limit of open files (ulimit -n)")
    case ENOSPC:
      let current = setting("max_user_watches")
      return Failure(
        "cannot watch \(path): no inotify watch left (fs.inotify.max_user_watches is \(text(current)))", errno: error,
        hint: "sysctl fs.inotify.max_user_watches=\((current ?? 65536) * 2)")
    case EACCES:
      return Failure("cannot watch \(path)", errno: error, hint: "the agent needs permission to read this directory")
    case ENAMETOOLONG:
      let start = String(decoding: path.utf8.prefix(400), as: UTF8.self)
      return Failure("cannot watch \(start)…", errno: error, hint: "a path that can be watched has at most 4095 bytes")
    default:
      return Failure(path.isEmpty ? "cannot start watching files" : "cannot watch \(path)", errno: error)
    }
  }

  /// A number of /proc/sys/fs/inotify.
  static func setting(_ name: String) -> Int? {
    let fd = open("/proc/sys/fs/inotify/\(name)", O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
      let count = read(fd, buffer.baseAddress, buffer.count)
      guard count > 0 else { return nil }
      return Int(String(decoding: buffer[..<count].prefix { $0 >= 48 && $0 <= 57 }, as: UTF8.self))
    }
  }

  private static func text(_ value: Int?) -> String { value.map(String.init) ?? "unknown" }
}
