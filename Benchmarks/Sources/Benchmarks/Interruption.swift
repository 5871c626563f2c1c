// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// ^C during a run: every wait ends with an error, so that what was started is stopped and the scratch folder removed.
final class Interruption {
  /// The signal that came, or 0.
  private static let received = Atomic<Int32>(0)
  static var signal: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  private let sources: [any DispatchSourceSignal]

  init() {
    sources = [SIGINT, SIGTERM].map { number in
      Glibc.signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { Self.received.store(number, ordering: .relaxed) }
      source.activate()
      return source
    }
  }

  deinit { for source in sources { source.cancel() } }
}
