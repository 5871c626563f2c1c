// SPDX-License-Identifier: Apache-2.0

import Glibc
import ReactorShims

/// One running guard, and the socket that leads to it. While the socket is open the guard takes the agent to live, so it is closed
/// only when nobody uses it any more.
final class GuardLink: Sendable {
  let socket: Int32
  let pid: pid_t
  let pidfd: Int32

  /// Runs the program; waits until it does.
  init(path: String) throws(SpawnFailure) {
    var (socket, failure): (Int32, Int32) = (-1, 0)
    let pid = shim_guard_start(path, &socket, &failure)
    guard pid > 0 else { throw SpawnFailure(errno: failure, step: "run \(path)") }
    let pidfd = shim_pidfd_open(pid)
    guard pidfd >= 0 else {
      let reason = errno
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
      close(socket)
      throw SpawnFailure(errno: reason, step: "pidfd_open")
    }
    (self.socket, self.pid, self.pidfd) = (socket, pid, pidfd)
  }

  deinit {
    close(socket)
    close(pidfd)
  }

  /// Ends a guard that does not answer, before the socket is closed: it must not take that for the agent's end.
  func end() { shim_pidfd_send_signal(pidfd, SIGKILL) }

  /// false: the guard is busy or gone.
  func watch(_ number: UInt64, pid: pid_t, pidfd: Int32) -> Bool {
    shim_guard_watch(socket, number, pid, pidfd) == 0
  }

  /// false: the guard is busy. One that is gone has nothing to release.
  func release(_ number: UInt64) -> Bool {
    shim_guard_release(socket, number) == 0 || errno != EAGAIN
  }
}
