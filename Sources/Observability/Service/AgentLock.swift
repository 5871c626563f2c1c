// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Glibc
import Reactor

/// Only one agent at a time uses a prefix. The kernel gives the lock up when the process ends, however it ends; the file stays.
///
/// The file may be removed while an agent runs, with the whole prefix. So the agent also holds a name that nobody can remove (`PrefixName`).
public final class AgentLock {
  private let fd: Int32
  private var name: PrefixName?
  private static let name = "agent.lock"

  private init(fd: Int32) { self.fd = fd }

  deinit { close(fd) }

  /// Refuses when another process has it.
  public static func take(in directory: EngineDirectory) throws(MgmtError) -> AgentLock {
    let path = "\(directory.path)/\(name)"
    let fd = openat(directory.fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
    guard fd >= 0 else { throw failure(path, systemMessage(errno)) }
    let lock = AgentLock(fd: fd)
    var status = stat()
    guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw failure(path, "it is not a file") }
    while flock(fd, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK: throw taken(by: lock.readPID(), directory.prefix)
      default: throw failure(path, systemMessage(errno))
      }
    }
    switch PrefixName.take(directory) {
    case .taken(let name): lock.name = name
    case .held(let pid): throw taken(by: pid, directory.prefix)
    case .unknown: break
    }
    lock.writePID()
    return lock
  }

  private func writePID() {
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(fd, 0) == 0 else { return }
    // What is written is for people: the lock holds without.
    _ = text.withUnsafeBytes { pwrite(fd, $0.baseAddress, $0.count, 0) }
  }

  /// Of the process that holds it, as far as it can be told.
  private func readPID() -> pid_t? {
    let bytes = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in count = max(0, pread(fd, buffer.baseAddress, 32, 0))
    }
    return pid_t(String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)).flatMap { $0 > 0 ? $0 : nil }
  }

  private static func taken(by pid: pid_t?, _ prefix: String) -> MgmtError {
    MgmtError(
      Diagnostic(
        "host.locked", "another mgmt\(pid.map { " (pid \($0))" } ?? "") uses the prefix \(prefix)",
        hint:
          "stop it\(pid.map { " (kill \($0))" } ?? ""), or give this one a directory of its own with --prefix or --tmp-prefix"))
  }

  private static func failure(_ path: String, _ note: String) -> MgmtError {
    MgmtError(
      Diagnostic(
        "host.prefix", "the lock \(path) cannot be taken", notes: [note],
        hint: "give another directory with --prefix, or use --tmp-prefix"))
  }
}
