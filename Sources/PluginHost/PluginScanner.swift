// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Reactor
import ReactorShims

/// Reads the descriptions of plugins without running foreign code in this process: short-lived children load them, say what
/// they found through a pipe, and are killed when that takes too long. Blocks until all have answered or ended.
public struct PluginScanner: Sendable {
  /// The program that knows `PluginScanChild`.
  public var executable: String
  /// Milliseconds for one plugin.
  public var timeout: UInt64
  /// Children at a time.
  public var concurrency: Int

  static let defaultTimeout: UInt64 = 5000

  public init(executable: String = "/proc/self/exe", timeout: UInt64 = 5000, concurrency: Int = 4) {
    self.executable = executable
    self.timeout = timeout
    self.concurrency = max(1, concurrency)
  }

  /// In the order of `files`.
  func scan(_ files: [PluginFile]) -> [ScanOutcome] {
    var outcomes: [ScanOutcome?] = Array(repeating: nil, count: files.count)
    var waiting = Array(files.indices.reversed())
    var running: [ScanProcess] = []
    while !waiting.isEmpty || !running.isEmpty {
      while running.count < concurrency, let index = waiting.popLast() {
        if let refusal = Self.formatRefusal(files[index]) {
          outcomes[index] = .refused(refusal)
          continue
        }
        do throws(MgmtError) {
          running.append(try ScanProcess(files[index], index: index, scanner: self))
        } catch {
          outcomes[index] = error.diagnostics.first.map(ScanOutcome.refused)
        }
      }
      guard !running.isEmpty else { continue }
      Self.wait(running)
      for position in running.indices.reversed() {
        guard let outcome = running[position].step() else { continue }
        outcomes[running[position].index] = outcome
        running.remove(at: position)
      }
    }
    return zip(files, outcomes).map { file, outcome in
      outcome ?? .refused(PluginDiagnostics.scanImpossible(file.path, "no process could be started"))
    }
  }

  /// What the first bytes say needs no process.
  private static func formatRefusal(_ file: PluginFile) -> Diagnostic? {
    var bytes = [UInt8](repeating: 0, count: ELFHeader.size)
    let count = bytes.withUnsafeMutableBytes { pread(file.fd, $0.baseAddress, $0.count, 0) }
    guard count >= 0 else { return PluginDiagnostics.unreadable(file.path, systemMessage(errno)) }
    return ELFHeader.refusal(Array(bytes.prefix(count))).map {
      PluginDiagnostics.format(file.path, $0, hint: "remove it, or copy it anew when the copy was cut short")
    }
  }

  /// Until one of them has something to say, or its time is over.
  private static func wait(_ running: [ScanProcess]) {
    var events: [pollfd] = []
    var deadline = UInt64.max
    for process in running {
      deadline = min(deadline, process.deadline)
      if process.pipe >= 0 { events.append(pollfd(fd: process.pipe, events: Int16(POLLIN), revents: 0)) }
      events.append(pollfd(fd: process.pidfd, events: Int16(POLLIN), revents: 0))
    }
    let now = monotonicNow()
    let milliseconds = deadline > now ? (deadline - now + 999_999) / 1_000_000 : 0
    poll(&events, nfds_t(events.count), Int32(clamping: milliseconds))
  }
}

/// One child that scans.
private final class ScanProcess {
  let index: Int
  let deadline: UInt64
  let pidfd: Int32
  /// -1: at its end.
  private(set) var pipe: Int32
  private let file: PluginFile
  private let pid: pid_t
  private let timeout: UInt64
  private var bytes: [UInt8] = []

  init(_ file: PluginFile, index: Int, scanner: PluginScanner) throws(MgmtError) {
    self.file = file
    self.index = index
    timeout = scanner.timeout
    deadline = monotonicNow() + scanner.timeout * 1_000_000
    var ends: [Int32] = [-1, -1]
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0, ends.withUnsafeMutableBufferPointer({ shim_pipe($0.baseAddress) }) == 0 else {
      let reason = systemMessage(errno)
      if null >= 0 { close(null) }
      throw MgmtError(PluginDiagnostics.scanImpossible(file.path, reason))
    }
    defer {
      close(null)
      close(ends[1])
    }
    pipe = ends[0]
    _ = fcntl(pipe, F_SETFL, O_NONBLOCK)
    var failure: Int32 = 0
    var step: Int32 = 0
    // The loader gets what it got for this process, the plugin nothing else.
    let environment = getenv("LD_LIBRARY_PATH").map { ["LD_LIBRARY_PATH=\(String(cString: $0))"] } ?? []
    pid = Self.withCStrings(["mgmt", PluginScanChild.argument, file.name]) { argv in
      Self.withCStrings(environment) { envp in
        scanner.executable.withCString { path in
          var request = shim_spawn(
            path: path, argv: argv, envp: envp, cwd: nil, change_identity: 0, uid: 0, gid: 0, groups: nil, group_count: 0,
            stdin_fd: file.directory.fd, stdout_fd: ends[1], stderr_fd: null, nofile_soft: 0, sets_core: 0, core_soft: 0,
            guard: -1, number: 0)
          return shim_spawn_program(&request, &failure, &step)
        }
      }
    }
    guard pid > 0 else {
      pidfd = -1
      close(pipe)
      throw MgmtError(
        PluginDiagnostics.scanImpossible(file.path, "cannot run \(scanner.executable): \(systemMessage(failure))"))
    }
    pidfd = shim_pidfd_open(pid)
    guard pidfd >= 0 else {
      let reason = systemMessage(errno)
      kill(-pid, SIGKILL)
      waitpid(pid, nil, 0)
      close(pipe)
      throw MgmtError(PluginDiagnostics.scanImpossible(file.path, reason))
    }
  }

  /// Takes what is there. Not nil: it is over and cleaned up.
  func step() -> ScanOutcome? {
    readAll()
    var info = siginfo_t()
    // WNOWAIT: while it is not reaped its group's number cannot be taken by others.
    let hasEnded = waitid(P_PIDFD, id_t(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_signo != 0
    let isLate = monotonicNow() >= deadline
    guard hasEnded || isLate || bytes.count > Self.answerLimit else { return nil }
    kill(-pid, SIGKILL)
    var status: Int32 = 0
    var reaped: pid_t
    repeat { reaped = waitpid(pid, &status, 0) } while reaped < 0 && errno == EINTR
    if hasEnded { readAll() }
    if pipe >= 0 { close(pipe) }
    close(pidfd)
    guard hasEnded || !isLate else { return .refused(PluginDiagnostics.scanHung(file.path, milliseconds: timeout)) }
    return outcome(status: reaped == pid && hasEnded ? status : 0)
  }

  private static let answerLimit = DescriptorLimits.encoded + 64

  private func outcome(status: Int32) -> ScanOutcome {
    let signal = status & 0x7f
    if signal == SIGXCPU || signal == SIGALRM { return .refused(PluginDiagnostics.scanHung(file.path, milliseconds: timeout)) }
    guard signal == 0 else { return .refused(PluginDiagnostics.scanEnded(file.path, "crashed (\(Self.signalName(signal)))")) }
    guard let answer = ScanAnswer(decoding: bytes) else {
      let code = status >> 8 & 0xff
      let how = bytes.isEmpty ? "ended its process (exit status \(code))" : "wrote something else than a description"
      return .refused(PluginDiagnostics.scanEnded(file.path, how))
    }
    guard file.isStillInPlace else { return .refused(PluginDiagnostics.changed(file.path)) }
    return answer.outcome(path: file.path)
  }

  private func readAll() {
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
      while pipe >= 0, bytes.count <= Self.answerLimit {
        let count = read(pipe, buffer.baseAddress, buffer.count)
        if count > 0 {
          bytes.append(contentsOf: buffer[..<count])
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
          close(pipe)
          pipe = -1
        } else if errno == EAGAIN {
          return
        }
      }
    }
  }

  private static func signalName(_ number: Int32) -> String {
    switch number {
    case SIGSEGV: "SIGSEGV"
    case SIGBUS: "SIGBUS"
    case SIGILL: "SIGILL"
    case SIGFPE: "SIGFPE"
    case SIGABRT: "SIGABRT"
    case SIGTRAP: "SIGTRAP"
    case SIGSYS: "SIGSYS"
    case SIGKILL: "SIGKILL"
    case SIGTERM: "SIGTERM"
    case SIGXFSZ: "SIGXFSZ, it tried to write a file"
    default: "signal \(number)"
    }
  }

  private static func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
  ) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
