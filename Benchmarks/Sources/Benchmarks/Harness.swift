// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A machine of its own with a real systemd, and a real PackageKit if asked for (`scripts/harness`). Commands are brought into it;
/// the clocks are the same inside. It ends with this object.
final class Harness {
  enum Kind: String {
    case systemd, packagekit
  }

  /// A process inside.
  struct Inside {
    let child: Child
    /// Its id outside; that of `child` is what brought it in.
    let pid: pid_t
  }

  private let bench: Bench
  private let harness: Child
  private let systemd: String

  init(_ kind: Kind, _ bench: Bench) throws {
    self.bench = bench
    let pidFile = bench.scratch.file("harness.pid")
    try? FileManager.default.removeItem(atPath: pidFile)
    let bound = try [bench.scratch.path, bench.agent.tree].filter { try !Proc.isOnRoot($0) || $0 == bench.scratch.path }
    let harness = try bench.programs.start(
      [bench.options.repository + "/scripts/harness/" + kind.rawValue, "--pid-file", pidFile]
        + bound.flatMap { ["--bind", $0] } + ["--", "sleep", "infinity"], log: "harness.out")
    self.harness = harness
    do {
      try Deadline(seconds: 120).until("the machine of the harness has booted") {
        if access(pidFile, F_OK) == 0 { return true }
        guard harness.hasEnded else { return false }
        let reason = ((try? Proc.text(harness.errors)) ?? "").split(separator: "\n").last.map(String.init) ?? ""
        if try harness.wait(limit: 1) == 77 { throw Skipped(reason.replacing("skipped: ", with: "")) }
        throw Failure("the harness has failed\(harness.tail)")
      }
    } catch {
      Self.end(harness)
      throw error
    }
    systemd = try Proc.text(pidFile).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  deinit { Self.end(harness) }

  private static func end(_ harness: Child) {
    kill(harness.pid, SIGTERM)
    // Also after ^C, which ends all other waits: killed, it could not clean up.
    for _ in 0..<2_000 where !harness.hasEnded { usleep(5_000) }
  }

  /// What brings a command inside.
  private var enter: [String] {
    [
      "/usr/bin/nsenter", "--target", systemd, "--all", "--", "/usr/bin/env",
      "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket",
    ]
  }

  /// Starts a command that runs until stopped.
  func start(_ command: [String], log: String) throws -> Inside {
    let child = try bench.programs.start(enter + command, log: log)
    var pid: pid_t?
    try Deadline(seconds: 10).until("the command is inside") {
      pid = Proc.children(child.pid).first
      if pid == nil, child.hasEnded { throw Failure("\(command.first ?? ""): not started\(child.tail)") }
      return pid != nil
    }
    return Inside(child: child, pid: pid ?? child.pid)
  }

  /// Starts a command and waits until its output contains `word`.
  func start(_ command: [String], log: String, until word: String) throws -> Inside {
    let inside = try start(command, log: log)
    try Deadline(seconds: 60).until("\(command.first ?? "") is ready") {
      if inside.child.hasEnded { throw Failure("\(command.first ?? "") has ended early\(inside.child.tail)") }
      return try Proc.text(inside.child.output).contains(word) || Proc.text(inside.child.errors).contains(word)
    }
    return inside
  }

  /// Sends SIGINT and waits for the end.
  func stop(_ inside: Inside) throws {
    try bench.programs.stop(inside.child, pid: inside.pid)
  }

  /// Runs a line of shell to its end and returns what it printed.
  @discardableResult func run(_ line: String, limit: Double = 120) throws -> String {
    let child = try bench.programs.start(enter + ["/bin/sh", "-c", line], log: "harness-run.out")
    guard try child.wait(limit: limit) == 0 else { throw Failure("'\(line)' failed inside the harness\(child.tail)") }
    return try Proc.text(child.output)
  }

  /// Writes a unit file.
  func install(_ unit: String, _ text: String) throws {
    try run("cp \(bench.scratch.write(text, to: "unit")) /etc/systemd/system/\(unit) && systemctl daemon-reload")
  }

  /// Runs a command to its end and tells what it used.
  func measure(_ command: [String], limit: Double = 120, log: String = "measured.out") throws -> Programs.Usage {
    try bench.programs.measure(command, through: enter, limit: limit, log: log)
  }

  /// Runs one of the C programs to its end and returns the numbers it printed, one a line.
  func numbers(_ program: String, _ arguments: [String], limit: Double = 120) throws -> [Double] {
    try bench.programs.numbers(program, arguments, through: enter, limit: limit)
  }
}

/// Why a benchmark cannot be done on this system: no failure.
struct Skipped: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}
