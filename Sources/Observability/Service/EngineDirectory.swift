// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Glibc
import Reactor

/// `<prefix>/engine`: where the lock and the status socket of an agent are. Open, and checked through its descriptor, so that it cannot be
/// swapped for another.
public final class EngineDirectory {
  public let prefix: String
  let fd: Int32

  private init(prefix: String, fd: Int32) {
    self.prefix = prefix
    self.fd = fd
  }

  deinit { close(fd) }

  var path: String { prefix + "/engine" }

  /// Made if it is not there. Nobody but the agent's user may write to it.
  public static func make(prefix: String) throws(MgmtError) -> EngineDirectory {
    let parent = Glibc.open(prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw failure(prefix, [systemMessage(errno)]) }
    defer { close(parent) }
    guard mkdirat(parent, "engine", 0o755) == 0 || errno == EEXIST else {
      throw failure(prefix + "/engine", [systemMessage(errno)])
    }
    let fd = openat(parent, "engine", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard fd >= 0 else { throw failure(prefix + "/engine", [systemMessage(errno)]) }
    let directory = EngineDirectory(prefix: prefix, fd: fd)
    var status = stat()
    guard fstat(fd, &status) == 0 else { throw failure(directory.path, [systemMessage(errno)]) }
    guard status.st_uid == geteuid() else {
      throw failure(directory.path, ["it belongs to user \(status.st_uid), not to user \(geteuid())"])
    }
    guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
      throw failure(
        directory.path, ["others may write to it (mode \(String(status.st_mode & 0o7777, radix: 8)))"],
        hint: "take that right away: chmod go-w \(directory.path)")
    }
    return directory
  }

  /// To look into, by a client. nil: errno says why.
  static func look(prefix: String) -> EngineDirectory? {
    let fd = Glibc.open(prefix + "/engine", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    return fd >= 0 ? EngineDirectory(prefix: prefix, fd: fd) : nil
  }

  private static func failure(_ path: String, _ notes: [String], hint: String? = nil) -> MgmtError {
    MgmtError(
      Diagnostic(
        "host.prefix", "the directory for state, \(path), cannot be used", notes: notes,
        hint: hint ?? "give another with --prefix, or use --tmp-prefix"))
  }

  /// Without links; nil: it cannot be told.
  var realPath: String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink("/proc/self/fd/\(fd)", start, buffer.count - 1)
      guard count > 0 else { return nil }
      buffer[count] = 0
      return String(cString: start)
    }
  }

  /// A way to a name in it that fits a socket's address however long the prefix is.
  func shortPath(_ name: String) -> String { "/proc/self/fd/\(fd)/\(name)" }
}
