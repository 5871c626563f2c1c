// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import PluginHost
import Reactor
import Values

/// Text for a person or a program: all of it, also when a pipe takes it in pieces.
enum Output {
  // Set once, at the start, while there is one thread.
  nonisolated(unsafe) private static var resultsDescriptor = STDOUT_FILENO
  /// Held by the thread that writes results. Never freed: the end of the process takes it.
  nonisolated(unsafe) private static let turn = {
    let turn = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(turn, nil)
    return turn
  }()

  /// Where results go. Standard output itself belongs to the plugins as soon as there are some.
  static var results: Int32 { resultsDescriptor }

  /// Before plugins are loaded: what they print does not get among the results, and when one of them ends the program that is told.
  /// `isEvents`: results are events, a JSON object a line.
  static func prepareForPlugins(isEvents: Bool) throws(ReactorError) -> PluginOutput {
    let (output, results) = try PluginOutput.takeStandardOutput()
    resultsDescriptor = results
    ExitGuard.arm { diagnostic in
      for line in output.lastWords() { write(Visible.line(line) + "\n", to: STDERR_FILENO) }
      DiagnosticOutput.write([diagnostic])
      guard isEvents else { return }
      // Not in the middle of a line of the reactor's thread, and no line of it comes after.
      var deadline = timespec()
      clock_gettime(CLOCK_REALTIME, &deadline)
      deadline.tv_sec += 1
      pthread_mutex_timedlock(turn, &deadline)
      write(JSONView.line(diagnostic), to: results)
    }
    return output
  }

  /// One after the other.
  static func writeResults(_ bytes: [UInt8]) {
    pthread_mutex_lock(turn)
    write(bytes, to: results)
    pthread_mutex_unlock(turn)
  }

  static func write(_ text: String, to fd: Int32) {
    write(Array(text.utf8), to: fd)
  }

  /// False: not all of it; errno says why.
  @discardableResult
  static func write(_ bytes: [UInt8], to fd: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.write(fd, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if count < 0, errno == EAGAIN {
          var wait = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
          guard poll(&wait, 1, 5000) > 0 else { return false }
        } else if count < 0, errno != EINTR {
          return false
        }
      }
      return true
    }
  }
}

/// Lines collected and written when there are many or the loop has nothing else to do.
struct LineBuffer {
  private var bytes: [UInt8] = []
  private let write: ([UInt8]) -> Void

  init(fd: Int32) { write = { Output.write($0, to: fd) } }

  private init(write: @escaping ([UInt8]) -> Void) { self.write = write }

  static var results: LineBuffer { LineBuffer(write: Output.writeResults) }

  mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    if bytes.count > 1 << 16 { flush() }
  }

  mutating func append(_ more: [UInt8]) {
    bytes.append(contentsOf: more)
    if bytes.count > 1 << 16 { flush() }
  }

  mutating func flush() {
    guard !bytes.isEmpty else { return }
    write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
