// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The agent under test: how it is called, how a test knows that it has converged, and how it is stopped.
struct Agent {
  /// An agent that goes on running.
  struct Running {
    let child: Child
    /// The id of its process; another than the child's when it is in a harness.
    let pid: pid_t
    let statusFile: String

    /// How often it has converged so far: the status file gets a line "true" each time.
    var timesConverged: Int {
      ((try? Proc.text(statusFile)) ?? "").split(separator: "\n").filter { $0 == "true" }.count
    }

    /// Waits until it has converged more than `before` times.
    func waitConverged(after before: Int = 0, limit: Double = 120) throws {
      try Deadline(seconds: limit).until("the agent has converged") {
        if child.hasEnded { throw Failure("the agent has ended early\(child.tail)") }
        return timesConverged > before
      }
    }
  }

  let path: String
  /// The installed tree it is in.
  var tree: String { URL(fileURLWithPath: path).deletingLastPathComponent().deletingLastPathComponent().path }
  private let pluginArguments: [String]
  private let programs: Programs
  private let scratch: Scratch
  private let prefix: String

  init(options: Options, programs: Programs, scratch: Scratch) throws {
    path = options.mgmt.hasPrefix("/") ? options.mgmt : FileManager.default.currentDirectoryPath + "/" + options.mgmt
    guard access(path, X_OK) == 0 else {
      throw Failure.system("\(path): cannot be run; build and stage the agent first, or give --mgmt")
    }
    pluginArguments = options.pluginPaths.flatMap { ["--plugin-path", $0] }
    prefix = try scratch.folder("prefix")
    self.programs = programs
    self.scratch = scratch
  }

  /// The command line of `mgmt run FLAGS yaml GRAPH`, with a prefix in the scratch folder: its descriptor cache is warm
  /// after the first run, as on a machine where the agent is installed.
  func command(_ flags: [String], _ graph: String) -> [String] {
    [path, "run", "--prefix", prefix] + pluginArguments + flags + ["yaml", graph]
  }

  /// The command line of a run that ends as soon as it has converged.
  func once(_ graph: String) -> [String] { command(["--converged-timeout=0"], graph) }

  /// The command line that compiles a graph and prints it as JSON; `mgmt run` has filled the descriptor cache of its prefix before.
  func compile(_ graph: String) -> [String] {
    [path, "graph", "yaml", graph, "--compiled", "--json", "--prefix", prefix] + pluginArguments
  }

  /// Starts an agent that keeps running, and waits until it has converged.
  func start(
    _ graph: String, flags: [String] = [], name: String = "agent", inside harness: Harness? = nil, limit: Double = 120
  ) throws -> Running {
    let status = scratch.file(name + ".status")
    try? FileManager.default.removeItem(atPath: status)
    let arguments = command(["--converger-timeout=0", "--converger-status-file", status] + flags, graph)
    let log = name + ".out"
    let inside = try harness?.start(arguments, log: log)
    let child = try inside?.child ?? programs.start(arguments, log: log)
    let running = Running(child: child, pid: inside?.pid ?? child.pid, statusFile: status)
    try running.waitConverged(limit: limit)
    return running
  }

  /// Sends SIGINT and waits for the end.
  /// - Returns: seconds from the signal to the end.
  @discardableResult func stop(_ running: Running) throws -> Double { try programs.stop(running.child, pid: running.pid) }
}

extension Programs {
  /// Sends SIGINT to `child`, or to the process `pid` below it, and waits for its end. Returns the seconds that took.
  @discardableResult func stop(_ child: Child, pid: pid_t? = nil) throws -> Double {
    let seconds = try number("stop", [String(pid ?? child.pid), "30"]) / 1e9
    _ = try child.wait(limit: 5)
    return seconds
  }
}
