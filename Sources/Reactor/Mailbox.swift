// SPDX-License-Identifier: Apache-2.0

import Glibc
import ReactorShims
import Synchronization

/// A descriptor that becomes readable when signalled and stays so until it is read; -1: errno says why.
public func makeEventDescriptor() -> Int32 {
  eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
}

/// From any thread.
public func signalEventDescriptor(_ fd: Int32) {
  var one: UInt64 = 1
  _ = write(fd, &one, 8)
}

/// Wakes a reactor from other threads: an eventfd, written once per sleep.
final class Wakeup: Sendable {
  let fd: Int32
  private let isPending = Atomic<Bool>(false)

  init() throws(ReactorError) {
    fd = makeEventDescriptor()
    guard fd >= 0 else { throw ReactorError("eventfd", errno) }
  }

  deinit { close(fd) }

  func wake() {
    guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
    signalEventDescriptor(fd)
  }

  /// The descriptor is not readable any more; `wake` does nothing until `rearm`.
  func quieten() {
    var count: UInt64 = 0
    _ = read(fd, &count, 8)
  }

  /// Before looking at what was sent, so that a later `wake` is not lost.
  func rearm() { isPending.store(false, ordering: .sequentiallyConsistent) }
}

/// Carries messages from any thread to a handler on the reactor's thread, in order. The only way in from other threads.
public final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Mutex<[Message]>([])
  private let wakeup: Wakeup

  init(wakeup: Wakeup) {
    self.wakeup = wakeup
  }

  /// From any thread.
  public func send(_ message: Message) {
    let isFirst = messages.withLock { messages in
      messages.append(message)
      return messages.count == 1
    }
    if isFirst { wakeup.wake() }
  }

  func takeAll() -> [Message] {
    messages.withLock { messages in
      let taken = messages
      messages = []
      return taken
    }
  }
}
