// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A process we started, with its output in files. Every wait for it has an end.
final class Child {
  let pid: pid_t
  let output: String
  let errors: String
  private var status: Int32?

  /// - Parameters:
  ///   - command: path and arguments.
  ///   - output: file for standard output; standard error goes to `output` + ".err".
  init(_ command: [String], environment: [String], output: String) throws {
    guard let program = command.first else { throw Failure("an empty command") }
    self.output = output
    errors = output + ".err"
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)

    // Our own handling of ^C is not theirs; a terminal's ^C goes to us alone.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    var arguments = command.map { strdup($0) } + [nil]
    var variables = environment.map { strdup($0) } + [nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    var started: pid_t = 0
    let code = posix_spawn(&started, program, &actions, &attributes, &arguments, &variables)
    guard code == 0 else { throw Failure.system(program, code) }
    pid = started
  }

  deinit {
    guard status == nil else { return }
    kill(pid, SIGKILL)
    var ignored: Int32 = 0
    waitpid(pid, &ignored, 0)
  }

  /// Whether the process has ended; reaps it.
  var hasEnded: Bool {
    if status != nil { return true }
    var found: Int32 = 0
    guard waitpid(pid, &found, WNOHANG) == pid else { return false }
    status = found
    return true
  }

  /// Waits for the end, at most `limit` seconds, calling `sample` every two milliseconds.
  /// - Returns: the exit code, or 128 + the number of the signal that ended it.
  func wait(limit: Double, sample: () -> Void = {}) throws -> Int32 {
    try Deadline(seconds: limit).until("\(pid) has ended", every: 0.002) {
      sample()
      return hasEnded
    }
    let status = status ?? 0
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
  }

  /// The end of what it wrote, for an error message.
  var tail: String {
    let text = [errors, output].compactMap { try? Proc.text($0) }.joined()
    let lines = text.split(separator: "\n").suffix(6).map { "\n      | " + $0.prefix(200) }
    return lines.isEmpty ? "" : ":" + lines.joined()
  }
}
