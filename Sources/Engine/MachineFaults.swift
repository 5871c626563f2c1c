// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc

/// The system's errors that are the machine's and not the declaration's: nobody announces their end, so what failed because of them is
/// tried again by the clock. Others, as a missing directory or a right that is missing, end with an event or an edit.
enum MachineFaults {
  private static let numbers: Set<Int32> = [
    // Room and resources: somebody else may give them back.
    ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, ENOBUFS, ENOLCK,
    // In use: a lease, a lock, a limit of processes, a mount, a program that runs.
    EAGAIN, EBUSY, ETXTBSY,
    // The medium, or a file system the kernel made read-only.
    EIO, EREMOTEIO, EROFS,
    // A file system or a service on another machine.
    ESTALE, ETIMEDOUT, ENETDOWN, ENETUNREACH, ENETRESET, EHOSTDOWN, EHOSTUNREACH,
    ECONNREFUSED, ECONNRESET, ECONNABORTED, ENOTCONN,
    // A call that was interrupted, or given up by the system.
    EINTR, ECANCELED,
  ]

  static func contains(_ reason: Diagnostic) -> Bool { numbers.contains(reason.systemError) }
}
