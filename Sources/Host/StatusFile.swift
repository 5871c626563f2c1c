// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Reactor

/// A file that gets a line, `true` or `false`, at each change of convergence.
struct StatusFile {
  private let fd: Int32

  init(path: String) throws(MgmtError) {
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard fd >= 0 else {
      throw MgmtError(
        Diagnostic(
          "run.status-file", "the status file \(path) cannot be written", notes: [systemMessage(errno)],
          hint: "give a path in a directory that exists with --converger-status-file"))
    }
  }

  func append(_ isConverged: Bool) {
    Output.write(isConverged ? "true\n" : "false\n", to: fd)
  }
}
