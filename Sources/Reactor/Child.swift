// SPDX-License-Identifier: Apache-2.0

import Glibc
import ReactorShims

/// A child process of a reactor. Used on the reactor's thread.
public final class Child {
  let number: UInt64
  let request: SpawnRequest
  private unowned let reactor: Reactor
  private var output: ((Int32, UnsafeRawBufferPointer) -> Void)?
  private var exit: ((ChildExit, Bool) -> Void)?
  private var ended: () -> Void = {}

  private var pid: pid_t = -1
  private var pidfd: Int32 = -1
  private var streams: [Stream] = []
  private var exitSource: FDSource?
  private var guarded: GuardedChildren?
  /// Where it is announced.
  private var link: GuardLink?
  private var timeout: ReactorTimer?
  private var grace: ReactorTimer?
  private var timedOut = false
  private var stopRequested = false
  /// `abandon` was called: nobody wants to hear of it.
  private(set) var isAbandoned = false

  private struct Stream {
    var number: Int32
    var fd: Int32
    var source: FDSource?
  }

  /// What is still in its pipes when a child has ended is read up to here; more comes from other holders of the pipe.
  private static let drainLimit = 1 << 20
  private static let bufferSize = 1 << 16

  init(
    number: UInt64, request: SpawnRequest, reactor: Reactor, output: @escaping (Int32, UnsafeRawBufferPointer) -> Void,
    exit: @escaping (ChildExit, Bool) -> Void
  ) {
    self.number = number
    self.request = request
    self.reactor = reactor
    self.output = output
    self.exit = exit
  }

  // MARK: Life

  func started(
    _ result: Result<StartedProgram, SpawnFailure>, guarded: GuardedChildren?, ended: @escaping () -> Void
  ) {
    self.ended = ended
    self.guarded = guarded
    switch result {
    case .failure(let failure): finish(.notStarted(failure.errno, failure.step))
    case .success(let program):
      pid = program.pid
      pidfd = program.pidfd
      link = program.link
      streams = [(Int32(1), program.stdout), (2, program.stderr)].filter { $0.1 >= 0 }
        .map { Stream(number: $0.0, fd: $0.1, source: nil) }
      do throws(ReactorError) {
        exitSource = try reactor.addFD(pidfd, events: FDEvents.readable) { [unowned self] _ in exited() }
        for index in streams.indices {
          let number = streams[index].number
          streams[index].source = try reactor.addFD(streams[index].fd, events: FDEvents.readable) { [unowned self] _ in
            readable(number)
          }
        }
      } catch {
        signalGroup(SIGKILL)
        release()
        waitpid(pid, nil, 0)
        pid = -1
        return finish(.notStarted(error.errno, error.call))
      }
      guarded?.settle()
      if isAbandoned { return signalGroup(SIGKILL) }
      if stopRequested { return signalAndWait() }
      if request.timeoutMilliseconds > 0 {
        timeout = reactor.addTimer(afterMilliseconds: request.timeoutMilliseconds) { [unowned self] in
          timedOut = true
          signalAndWait()
        }
      }
    }
  }

  /// Sends the stop signal to the process group, after the grace time SIGKILL. `exit` is called as usual.
  public func stop() {
    guard !stopRequested, exit != nil else { return }
    stopRequested = true
    if pid > 0 { signalAndWait() }
  }

  /// Kills it with its group; neither `output` nor `exit` is called any more.
  public func abandon() {
    isAbandoned = true
    output = nil
    exit = nil
    signalGroup(SIGKILL)
  }

  private func signalAndWait() {
    signalGroup(request.stopSignal)
    guard grace == nil else { return }
    grace = reactor.addTimer(afterMilliseconds: request.stopGraceMilliseconds) { [unowned self] in signalGroup(SIGKILL) }
  }

  /// While the leader is not reaped its group's number cannot be taken by others.
  private func signalGroup(_ number: Int32) {
    guard pid > 0 else { return }
    kill(-pid, number)
  }

  private func exited() {
    var info = siginfo_t()
    guard waitid(P_PIDFD, id_t(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
    // What the group's leader leaves behind after a stop must not live on.
    if stopRequested || timedOut || isAbandoned { signalGroup(SIGKILL) }
    release()
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return }
    pid = -1
    for stream in streams { drain(stream) }
    let signal = status & 0x7f
    finish(signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal))
  }

  // MARK: The guard

  var isRunning: Bool { pid > 0 }

  /// Has the guard at the end of `link` watch over it. false: not yet.
  func announce(to link: GuardLink) -> Bool {
    guard pid > 0, self.link !== link else { return true }
    guard link.watch(number, pid: pid, pidfd: pidfd) else { return false }
    self.link = link
    return true
  }

  /// What it leaves behind in its group when it ends by itself lives on.
  private func release() {
    if let link { guarded?.release(number, from: link) }
    link = nil
  }

  private func finish(_ how: ChildExit) {
    timeout?.cancel()
    grace?.cancel()
    exitSource?.cancel()
    if pidfd >= 0 { close(pidfd) }
    pidfd = -1
    for stream in streams { closeStream(stream) }
    streams = []
    let exit = exit
    self.exit = nil
    output = nil
    exit?(how, timedOut)
    let ended = ended
    self.ended = {}
    ended()
  }

  // MARK: Output

  private func readable(_ number: Int32) {
    guard let index = streams.firstIndex(where: { $0.number == number }) else { return }
    if read(streams[index]) == 0 {
      closeStream(streams[index])
      streams.remove(at: index)
    }
  }

  private func drain(_ stream: Stream) {
    var total = 0
    while total < Self.drainLimit {
      let count = read(stream)
      guard count > 0 else { return }
      total += count
    }
  }

  /// Bytes passed on; 0: the end; negative: nothing there now.
  private func read(_ stream: Stream) -> Int {
    withUnsafeTemporaryAllocation(byteCount: Self.bufferSize, alignment: 1) { buffer in
      let count = Glibc.read(stream.fd, buffer.baseAddress, buffer.count)
      guard count > 0 else { return count < 0 && errno != EAGAIN && errno != EINTR ? 0 : count }
      output?(stream.number, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      return count
    }
  }

  private func closeStream(_ stream: Stream) {
    stream.source?.cancel()
    close(stream.fd)
  }
}
