// SPDX-License-Identifier: Apache-2.0

import Glibc
import Reactor

/// One connection: what comes in is handed on, what is to go out is kept until the other side takes it. Never blocks; ends by itself
/// when the other side is gone or a bound has passed.
final class Connection {
  /// Bytes that came in.
  var received: (UnsafeRawBufferPointer) -> Void = { _ in }
  /// Everything given to `send` is on its way.
  var drained: () -> Void = {}
  /// It has ended, for whatever reason. Called once.
  var ended: () -> Void = {}

  private let fd: Int32
  private let reactor: Reactor
  private var source: FDSource?
  private var events = FDEvents.readable
  private var output: [UInt8] = []
  private var written = 0
  private var timer: ReactorTimer?
  private var progress = monotonicNow()
  private var isFinishing = false
  private var discarded = 0

  private static let readSize = 4096
  private static let writeSize = 1 << 18
  /// What is read and thrown away after the answer, so that the answer is not lost.
  private static let maximumDiscarded = 1 << 16

  /// Owns the descriptor, which does not block.
  init(fd: Int32, reactor: Reactor) throws(ReactorError) {
    self.fd = fd
    self.reactor = reactor
    do throws(ReactorError) {
      source = try reactor.addFD(fd, events: events) { [unowned self] in handle($0) }
    } catch {
      Glibc.close(fd)
      throw error
    }
  }

  deinit {
    timer?.cancel()
    guard let source else { return }
    source.cancel()
    Glibc.close(fd)
  }

  var isOpen: Bool { source != nil }
  /// Bytes that wait for the other side.
  var pendingBytes: Int { output.count - written }

  func send(_ bytes: [UInt8]) {
    guard isOpen, !isFinishing, !bytes.isEmpty else { return }
    if pendingBytes == 0 {
      output = bytes
      written = 0
      progress = monotonicNow()
    } else {
      output.append(contentsOf: bytes)
    }
    listen(for: events | FDEvents.writable)
  }

  /// Ends it once everything is written and the other side has taken it.
  func finish() {
    guard isOpen, !isFinishing else { return }
    isFinishing = true
    if pendingBytes == 0 { progress = monotonicNow() }
    if pendingBytes == 0 { shutdown(fd, Int32(SHUT_WR)) }
  }

  func close() {
    guard let source else { return }
    source.cancel()
    self.source = nil
    timer?.cancel()
    timer = nil
    Glibc.close(fd)
    let ended = ended
    (received, drained, self.ended) = ({ _ in }, {}, {})
    ended()
  }

  // MARK: Bounds

  /// Ends it after so many milliseconds, whatever happens.
  func end(afterMilliseconds bound: UInt64) {
    timer?.cancel()
    timer = reactor.addTimer(afterMilliseconds: bound) { [unowned self] in close() }
  }

  /// Ends it when something waits to be taken for so long. Replaces `end(afterMilliseconds:)`.
  func endWhenStalled(milliseconds bound: UInt64) {
    guard isOpen else { return }
    timer?.cancel()
    let isWaiting = pendingBytes > 0 || isFinishing
    let waited = isWaiting ? (monotonicNow() - progress) / 1_000_000 : 0
    guard waited < bound else { return close() }
    timer = reactor.addTimer(afterMilliseconds: bound - waited) { [unowned self] in endWhenStalled(milliseconds: bound) }
  }

  // MARK: Events

  private func listen(for events: UInt32) {
    guard events != self.events else { return }
    self.events = events
    source?.modify(events: events)
  }

  private func handle(_ happened: UInt32) {
    if happened & FDEvents.writable != 0 { write() }
    if isOpen, happened & FDEvents.readable != 0 { read() }
    if isOpen, happened & (FDEvents.error | FDEvents.hangup) != 0 { close() }
  }

  private func read() {
    withUnsafeTemporaryAllocation(byteCount: Self.readSize, alignment: 1) { buffer in
      let count = Glibc.read(fd, buffer.baseAddress, buffer.count)
      if count > 0 {
        if isFinishing {
          discarded += count
          if discarded > Self.maximumDiscarded { close() }
        } else {
          received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
      } else if count == 0 {
        // The other side says nothing more; it may still listen.
        if isFinishing, pendingBytes == 0 { return close() }
        listen(for: events & ~FDEvents.readable)
      } else if errno != EAGAIN, errno != EINTR {
        close()
      }
    }
  }

  private func write() {
    guard pendingBytes > 0 else { return listen(for: events & ~FDEvents.writable) }
    let count = output.withUnsafeBytes { bytes in
      let rest = UnsafeRawBufferPointer(rebasing: bytes[written..<min(bytes.count, written + Self.writeSize)])
      return Glibc.send(fd, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
    }
    if count < 0 {
      if errno != EAGAIN, errno != EINTR { close() }
      return
    }
    written += count
    progress = monotonicNow()
    guard pendingBytes == 0 else { return }
    output = []
    written = 0
    listen(for: events & ~FDEvents.writable)
    if isFinishing {
      shutdown(fd, Int32(SHUT_WR))
      if events & FDEvents.readable == 0 { close() }
    } else {
      drained()
    }
  }
}
