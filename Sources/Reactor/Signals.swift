// SPDX-License-Identifier: Apache-2.0

import Glibc
import ReactorShims

extension Reactor {
  /// Delivers signals as events. Call it before other threads start: the signals are blocked in this thread and in those it
  /// starts. The source keeps its own descriptor open.
  public func addSignals(_ signals: [Int32], _ body: @escaping (Int32) -> Void) throws(ReactorError) -> FDSource {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    guard pthread_sigmask(SIG_BLOCK, &set, nil) == 0 else { throw ReactorError("pthread_sigmask", errno) }
    let fd = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    guard fd >= 0 else { throw ReactorError("signalfd", errno) }
    return try addFD(fd, events: FDEvents.readable) { _ in
      var info = signalfd_siginfo()
      while read(fd, &info, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size {
        body(Int32(bitPattern: info.ssi_signo))
      }
    }
  }
}
