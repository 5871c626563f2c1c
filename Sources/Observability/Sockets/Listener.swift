// SPDX-License-Identifier: Apache-2.0

import Glibc
import ObservabilityShims
import Reactor

/// Takes connections in at a listening socket, which it owns.
final class Listener {
  private let fd: Int32
  private let reactor: Reactor
  private let take: (Int32) -> Void
  private var source: FDSource?
  private var timer: ReactorTimer?

  private static let batch = 16
  /// When there are no descriptors or memory left: trying at once would not end.
  private static let pauseMilliseconds: UInt64 = 1000

  /// `take` owns the descriptor it is given.
  init(fd: Int32, reactor: Reactor, _ take: @escaping (Int32) -> Void) throws(ReactorError) {
    self.fd = fd
    self.reactor = reactor
    self.take = take
    source = try reactor.addFD(fd, events: FDEvents.readable) { [unowned self] _ in accept() }
  }

  private func accept() {
    for _ in 0..<Self.batch {
      let connection = shim_accept(fd)
      if connection >= 0 {
        take(connection)
        continue
      }
      switch errno {
      case EAGAIN: return
      case EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ENETUNREACH: continue
      default: return pause()
      }
    }
  }

  private func pause() {
    source?.modify(events: 0)
    timer = reactor.addTimer(afterMilliseconds: Self.pauseMilliseconds) { [unowned self] in
      timer = nil
      source?.modify(events: FDEvents.readable)
    }
  }

  func close() {
    guard let source else { return }
    source.cancel()
    self.source = nil
    timer?.cancel()
    Glibc.close(fd)
  }
}
