// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Reactor
import ReactorShims
import Synchronization

/// Standard output while there are plugins: what they print becomes lines for the log, and what the program itself has to say goes elsewhere.
/// A thread of its own reads, so that nobody who prints waits for the reactor; what is more than a person can read is counted.
public final class PluginOutput: @unchecked Sendable {
  // The descriptors are set before the thread starts, `show`, `mailbox` and `shownAt` belong to the reactor's thread, `state` locks itself.
  private let pipe: Int32
  /// Readable when the thread is to end, and when it has ended.
  private let stop: Int32
  private let stopped: Int32
  private let state = Mutex<State>(State())
  private var show: (_ isLoss: Bool, String) -> Void = { _, _ in }
  private var reactor: Reactor?
  private var mailbox: Mailbox<Void>?
  private var timer: ReactorTimer?
  private var shownAt: UInt64 = 0

  private struct State {
    var lines: [String] = []
    /// Lines there was no room for.
    var lost = 0
    /// Somebody was told that there are lines.
    var isAnnounced = false
    var announce: @Sendable () -> Void = {}
    /// What comes now is for `lastWords` only: the reactor may not get to show it.
    var isEnding = false
  }

  /// Bytes of a line; a longer one is several.
  private static let longestLine = 1024
  /// So many are kept between two looks.
  private static let mostLines = 200
  private static let millisecondsBetween: UInt64 = 50
  /// What has no end of line is shown after so long.
  private static let patience: Int32 = 200

  /// Standard output becomes a pipe to the one that is returned; `results` is where it led before. At the start, before there are plugins and
  /// other threads.
  public static func takeStandardOutput() throws(ReactorError) -> (output: PluginOutput, results: Int32) {
    for stream in 0...2 as ClosedRange<Int32> where fcntl(stream, F_GETFD) < 0 {
      // What is opened next would become standard output.
      guard open("/dev/null", O_RDWR) == stream else { throw ReactorError("open", errno) }
    }
    var ends: [Int32] = [-1, -1]
    guard ends.withUnsafeMutableBufferPointer({ shim_pipe($0.baseAddress) }) == 0 else { throw ReactorError("pipe", errno) }
    var results = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100)
    if results < 0 { results = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) }
    guard results >= 0, dup2(ends[1], STDOUT_FILENO) >= 0 else { throw ReactorError("dup2", errno) }
    close(ends[1])
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    shim_line_buffer_stdout()
    return (try PluginOutput(pipe: ends[0]), results)
  }

  private init(pipe: Int32) throws(ReactorError) {
    self.pipe = pipe
    stop = makeEventDescriptor()
    stopped = makeEventDescriptor()
    guard stop >= 0, stopped >= 0 else { throw ReactorError("eventfd", errno) }
    try startThread()
  }

  /// For ever, as the process: plugins may print until its end.
  private func startThread() throws(ReactorError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 256 << 10)
    // Signals are the reactor's.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let held = Unmanaged.passRetained(self)
    let error = pthread_create(
      &thread, &attributes,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<PluginOutput>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, held.toOpaque())
    guard error == 0 else {
      held.release()
      throw ReactorError("pthread_create", error)
    }
  }

  // MARK: On the thread that reads

  private func run() {
    var line: [UInt8] = []
    var events = [
      pollfd(fd: pipe, events: Int16(POLLIN), revents: 0), pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let count = poll(&events, 2, line.isEmpty ? -1 : Self.patience)
      if count < 0, errno != EINTR { return end(&line) }
      if count == 0 { keep(&line) }
      if events[0].revents != 0, !readAll(&line) { events[0].fd = -1 }
      if events[1].revents != 0 {
        _ = readAll(&line)
        return end(&line)
      }
    }
  }

  private func end(_ line: inout [UInt8]) {
    if !line.isEmpty { keep(&line) }
    signalEventDescriptor(stopped)
  }

  /// What is there, but not for ever. False: nothing will come any more.
  private func readAll(_ line: inout [UInt8]) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 1 << 14, alignment: 1) { buffer in
      for _ in 0..<64 {
        let count = read(pipe, buffer.baseAddress, buffer.count)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        for byte in buffer[..<count] {
          if byte == UInt8(ascii: "\n") {
            keep(&line)
          } else {
            line.append(byte)
            if line.count == Self.longestLine { keep(&line) }
          }
        }
      }
      return true
    }
  }

  private func keep(_ line: inout [UInt8]) {
    let announce = state.withLock { state -> (@Sendable () -> Void)? in
      if state.lines.count < Self.mostLines {
        state.lines.append(String(decoding: line, as: UTF8.self))
      } else {
        state.lost += 1
      }
      guard !state.isAnnounced else { return nil }
      state.isAnnounced = true
      return state.announce
    }
    line.removeAll(keepingCapacity: true)
    announce?()
  }

  // MARK: On the reactor's thread

  /// Shows lines from now on, and those that came before.
  public func attach(to reactor: Reactor, show: @escaping (_ isLoss: Bool, String) -> Void) {
    self.reactor = reactor
    self.show = show
    let mailbox: Mailbox<Void> = reactor.makeMailbox { [unowned self] _ in came() }
    self.mailbox = mailbox
    let hasLines = state.withLock { state in
      state.announce = { mailbox.send(()) }
      return state.isAnnounced
    }
    if hasLines { mailbox.send(()) }
  }

  /// At once, unless lines were shown a moment ago.
  private func came() {
    guard timer == nil, let reactor else { return }
    let since = (monotonicNow() - shownAt) / 1_000_000
    guard since < Self.millisecondsBetween else { return showAll() }
    timer = reactor.addTimer(afterMilliseconds: Self.millisecondsBetween - since) { [unowned self] in
      timer = nil
      showAll()
    }
  }

  private func showAll() {
    shownAt = monotonicNow()
    guard !state.withLock({ $0.isEnding }) else { return }
    for line in takeAll() { show(line.isLoss, line.text) }
  }

  private func takeAll() -> [(isLoss: Bool, text: String)] {
    let (lines, lost) = state.withLock { state in
      defer { (state.lines, state.lost, state.isAnnounced) = ([], 0, false) }
      return (state.lines, state.lost)
    }
    guard !lines.isEmpty || lost > 0 else { return [] }
    let names = LoadedPlugins.suspects.map { "\"\($0)\"" }
    let who = names.count == 1 ? "plugin \(names[0])" : "a plugin (\(names.joined(separator: " or ")))"
    var told = lines.map { (isLoss: false, text: "\(who) printed: \($0)") }
    if lost > 0 { told.append((true, "\(who) printed \(lost) more lines, which are left out")) }
    return told
  }

  /// Everything that was printed has been read. What is printed later goes nowhere.
  private func drain() {
    shim_flush_stdout()
    let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
    if null >= 0 {
      dup2(null, STDOUT_FILENO)
      close(null)
    }
    signalEventDescriptor(stop)
    var wait = pollfd(fd: stopped, events: Int16(POLLIN), revents: 0)
    _ = poll(&wait, 1, 1000)
  }

  /// After the plugins have ended: shows the rest.
  public func finish() {
    timer?.cancel()
    timer = nil
    drain()
    showAll()
  }

  /// At the end of a process that a plugin ended, on any thread: the last words.
  public func lastWords() -> [String] {
    state.withLock { $0.isEnding = true }
    drain()
    return takeAll().map(\.text)
  }
}
