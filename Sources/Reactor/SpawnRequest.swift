// SPDX-License-Identifier: Apache-2.0

import Glibc
import ReactorShims

/// A program to start, in a session and process group of its own, with standard input at /dev/null.
public struct SpawnRequest: Sendable {
  /// The first without "/" is looked up along PATH; no shell is involved.
  public var arguments: [String]
  /// "NAME=value"; the child sees nothing else.
  public var environment: [String]
  /// "": the agent's; "/" when the program runs as another user.
  public var directory = ""
  /// Name or number; "": the agent's.
  public var user = ""
  /// Name or number; "": the user's primary group.
  public var group = ""
  /// Output not captured goes to /dev/null.
  public var capturesStdout = true
  public var capturesStderr = true
  /// Sent to the process group by `Child.stop` and at the time-out; SIGKILL follows after the grace time.
  public var stopSignal: Int32 = SIGTERM
  public var stopGraceMilliseconds: UInt64 = 5000
  /// 0: none.
  public var timeoutMilliseconds: UInt64 = 0

  public init(_ arguments: [String], environment: [String] = []) {
    self.arguments = arguments
    self.environment = environment
  }
}

/// How a child ended.
public enum ChildExit: Sendable, Equatable {
  case exited(Int32)
  case signalled(Int32)
  /// errno, and in words what could not be done.
  case notStarted(Int32, String)
}

/// A started program: owned by whoever holds it.
struct StartedProgram: Sendable {
  var pid: pid_t
  var pidfd: Int32
  /// Read ends, non-blocking; -1: not captured.
  var stdout: Int32
  var stderr: Int32
  /// The guard that knows of it.
  var link: GuardLink?
}

struct SpawnFailure: Error {
  var errno: Int32
  var step: String
}

extension SpawnRequest {
  /// On a pool thread: looks names up, forks, and waits until the program runs.
  func start(
    openFileLimit: UInt64, coreLimit: UInt64? = nil, number: UInt64, guardian: ChildGuard?
  ) throws(SpawnFailure) -> StartedProgram {
    let path = try programPath()
    let identity = try ProcessIdentity(user: user, group: group)
    let directory = workingDirectory(of: identity)
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { throw SpawnFailure(errno: errno, step: "open /dev/null") }
    defer { close(null) }
    let out = try capturesStdout ? Pipe() : nil
    let err: Pipe?
    do {
      err = try capturesStderr ? Pipe() : nil
    } catch {
      out?.closeBoth()
      throw error
    }
    defer {
      out?.closeWriteEnd()
      err?.closeWriteEnd()
    }

    var failure: Int32 = 0
    var step: Int32 = 0
    func run(_ link: GuardLink?) -> pid_t {
      arguments.withCStringArray { argv in
        environment.withCStringArray { envp in
          path.withCString { path in
            directory.withCString { directory in
              identity.groups.withUnsafeBufferPointer { groups in
                var request = shim_spawn(
                  path: path, argv: argv, envp: envp, cwd: self.directory.isEmpty && !identity.isAnotherUser ? nil : directory,
                  change_identity: identity.isChange ? 1 : 0, uid: identity.uid, gid: identity.gid, groups: groups.baseAddress,
                  group_count: groups.count, stdin_fd: null, stdout_fd: out?.writeEnd ?? null, stderr_fd: err?.writeEnd ?? null,
                  nofile_soft: openFileLimit, sets_core: coreLimit == nil ? 0 : 1, core_soft: coreLimit ?? 0,
                  guard: link?.socket ?? -1, number: number)
                return shim_spawn_program(&request, &failure, &step)
              }
            }
          }
        }
      }
    }
    var link = guardian?.link()
    var attempts = 0
    var pid: pid_t = -1
    repeat {
      pid = run(link)
      guard pid < 0, step == SHIM_STEP_GUARD, let guardian, let unheard = link, isNobodyThere(failure) else { break }
      // It was ended, or stopped, by somebody: another one, and in the end none.
      guardian.lost(unheard)
      attempts += 1
      link = attempts < 3 ? guardian.link() : nil
    } while true
    guard pid >= 0 else {
      out?.closeReadEnd()
      err?.closeReadEnd()
      throw SpawnFailure(errno: failure, step: words(for: step, path: path))
    }
    let pidfd = shim_pidfd_open(pid)
    guard pidfd >= 0 else {
      let reason = errno
      kill(-pid, SIGKILL)
      _ = link?.release(number)
      waitpid(pid, nil, 0)
      out?.closeReadEnd()
      err?.closeReadEnd()
      throw SpawnFailure(errno: reason, step: "pidfd_open")
    }
    return StartedProgram(pid: pid, pidfd: pidfd, stdout: out?.readEnd ?? -1, stderr: err?.readEnd ?? -1, link: link)
  }

  /// The agent's own directory is nothing to hand to another user.
  private func workingDirectory(of identity: ProcessIdentity) -> String {
    directory.isEmpty && identity.isAnotherUser ? "/" : directory
  }

  private func words(for step: Int32, path: String) -> String {
    switch Int(step) {
    case SHIM_STEP_DIRECTORY: "change to the directory \(directory)"
    case SHIM_STEP_IDENTITY: "become user \"\(user)\", group \"\(group)\""
    case SHIM_STEP_STREAMS: "set up its streams"
    case SHIM_STEP_EXEC: "run \(path)"
    case SHIM_STEP_GUARD: "announce it to the guard"
    default: "fork"
    }
  }

  private func isNobodyThere(_ error: Int32) -> Bool {
    [EPIPE, ECONNRESET, ECONNREFUSED, ENOTCONN, EAGAIN].contains(error)
  }

  private func programPath() throws(SpawnFailure) -> String {
    guard let name = arguments.first, !name.isEmpty else {
      throw SpawnFailure(errno: EINVAL, step: "find a program: no name given")
    }
    if name.utf8.contains(UInt8(ascii: "/")) { return name }
    let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    for directory in search.split(separator: ":") where directory.hasPrefix("/") {
      let candidate = "\(directory)/\(name)"
      var status = stat()
      if stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(candidate, X_OK) == 0 { return candidate }
    }
    throw SpawnFailure(errno: ENOENT, step: "find \"\(name)\" along PATH (\(search))")
  }
}

/// Both ends close on exec; the read end does not block.
private struct Pipe {
  let readEnd: Int32
  let writeEnd: Int32

  init() throws(SpawnFailure) {
    var ends: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutableBytes(of: &ends) { shim_pipe($0.bindMemory(to: Int32.self).baseAddress) }
    guard result == 0 else { throw SpawnFailure(errno: errno, step: "make a pipe") }
    (readEnd, writeEnd) = ends
    _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
  }

  func closeReadEnd() { close(readEnd) }
  func closeWriteEnd() { close(writeEnd) }
  func closeBoth() {
    closeReadEnd()
    closeWriteEnd()
  }
}

extension [String] {
  /// A NULL-terminated array for exec. Strings end at their first NUL byte.
  fileprivate func withCStringArray<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
