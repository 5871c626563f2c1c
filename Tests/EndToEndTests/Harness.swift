// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// All end-to-end tests run one after the other: they start the real agent on a small machine.
@Suite(.serialized, .enabled(if: Mgmt.isStaged, "there is no staged tree: run `make e2e-test`")) struct EndToEnd {}

/// The built program, as it would be installed.
enum Mgmt {
  /// The tree `make stage` makes.
  static let stage =
    ProcessInfo.processInfo.environment["MGMT_STAGE"] ?? FileManager.default.currentDirectoryPath + "/.build/stage"
  static let binary = stage + "/bin/mgmt"
  static let isStaged = FileManager.default.isExecutableFile(atPath: binary)
  static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  static let isRoot = geteuid() == 0

  /// Runs a command to its end, with a bound.
  static func run(
    _ arguments: [String], in folder: TemporaryFolder? = nil, environment: [String: String] = [:], bound: Double = 60
  ) throws
    -> Finished
  {
    try command([binary] + arguments, in: folder, environment: environment, bound: bound)
  }

  static func command(
    _ arguments: [String], in folder: TemporaryFolder? = nil, environment: [String: String] = [:], bound: Double = 60
  ) throws -> Finished {
    let running = try Running(arguments, folder: folder, environment: environment)
    return try running.wait(bound: bound)
  }
}

struct Finished {
  var status: Int32
  var out: String
  var err: String
}

struct HarnessError: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// A folder of its own for one test, removed at its end.
final class TemporaryFolder {
  let path: String

  /// For tests with ten thousand files, which disks take long to make and remove.
  static let memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"

  init(in folder: String = "/tmp") throws {
    var template = Array("\(folder)/mgmt-e2e.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw HarnessError("mkdtemp: \(errno)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    chmod(path, 0o755)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  subscript(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: self[name], atomically: false, encoding: .utf8)
    return self[name]
  }

  func read(_ name: String) -> String? { try? String(contentsOfFile: self[name], encoding: .utf8) }

  func exists(_ name: String) -> Bool {
    var status = stat()
    return lstat(self[name], &status) == 0
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: self[name], withIntermediateDirectories: true)
  }
}

/// A process that runs; its output goes to files, which cannot fill up like pipes.
final class Running {
  let process = Process()
  private let output: TemporaryFolder

  init(_ arguments: [String], folder: TemporaryFolder? = nil, environment: [String: String] = [:]) throws {
    output = try TemporaryFolder()
    process.executableURL = URL(filePath: arguments[0])
    process.arguments = Array(arguments.dropFirst())
    if let folder { process.currentDirectoryURL = URL(filePath: folder.path) }
    var all = ProcessInfo.processInfo.environment
    all.merge(environment) { $1 }
    all["LD_LIBRARY_PATH"] = nil
    process.environment = all
    try output.write("out", "")
    try output.write("err", "")
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: output["out"])
    process.standardError = FileHandle(forWritingAtPath: output["err"])
    // The threads that tests run on block most signals, and a child inherits that: a shell would wait for its children forever.
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  var pid: pid_t { process.processIdentifier }
  var outPath: String { output["out"] }
  var out: String { output.read("out") ?? "" }
  var err: String { output.read("err") ?? "" }

  func signal(_ number: Int32) { kill(pid, number) }

  func wait(bound: Double = 60) throws -> Finished {
    guard poll(bound: bound, { !process.isRunning }) else {
      kill(pid, SIGKILL)
      throw HarnessError("still running after \(bound) s; standard error:\n\(err.suffix(4000))")
    }
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    return Finished(status: status, out: out, err: err)
  }
}

/// Looks again and again until something is so; false after the bound. What is waited for happens in another process.
@discardableResult
func poll(bound: Double = 20, _ done: () -> Bool) -> Bool {
  let end = Date().addingTimeInterval(bound)
  while !done() {
    if Date() > end { return false }
    usleep(2000)
  }
  return true
}

/// `mgmt run --json` with a state directory of its own.
final class AgentProcess {
  let running: Running
  let folder: TemporaryFolder

  /// One line of its output.
  struct Event {
    var name: String
    var members: [String: Any]
    var resource: String? { members["resource"] as? String }
    var status: String? { members["status"] as? String }
  }

  init(_ folder: TemporaryFolder, graph: String, options: [String] = [], prefixCommand: [String] = []) throws {
    self.folder = folder
    try folder.write("graph.yaml", graph)
    running = try Running(
      prefixCommand + [Mgmt.binary, "run", "--json", "--prefix", folder["state"], "--converger-timeout", "0"] + options
        + ["yaml", folder["graph.yaml"]])
  }

  private var parsed: [Event] = []
  private var parsedBytes: UInt64 = 0

  /// All events so far. Only what was added since the last look is read: there may be ten thousands.
  var events: [Event] {
    guard let file = FileHandle(forReadingAtPath: running.outPath), (try? file.seek(toOffset: parsedBytes)) != nil,
      let added = try? file.readToEnd(), let end = added.lastIndex(of: UInt8(ascii: "\n"))
    else { return parsed }
    for line in added[...end].split(separator: UInt8(ascii: "\n")) {
      guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else { continue }
      if let name = object["event"] as? String { parsed.append(Event(name: name, members: object)) }
    }
    parsedBytes += UInt64(end + 1 - added.startIndex)
    return parsed
  }

  /// Waits for an event; the test fails when it does not come.
  func expect(_ what: String, bound: Double = 30, sourceLocation: SourceLocation = #_sourceLocation, _ matches: (Event) -> Bool)
  {
    let came = poll(bound: bound) { events.contains(where: matches) || !running.process.isRunning }
    #expect(
      came && events.contains(where: matches), "no event: \(what)\n\(running.out.suffix(3000))\n\(running.err.suffix(3000))",
      sourceLocation: sourceLocation)
  }

  func expectConverged(times: Int = 1, sourceLocation: SourceLocation = #_sourceLocation) {
    let came = poll(bound: 30) {
      events.filter { $0.name == "converged" && $0.members["converged"] as? Bool == true }.count >= times
    }
    #expect(
      came, "not converged \(times) times\n\(running.out.suffix(3000))\n\(running.err.suffix(3000))",
      sourceLocation: sourceLocation)
  }

  /// Ends it with ^C.
  func stop() throws -> Finished {
    running.signal(SIGINT)
    return try running.wait()
  }
}
