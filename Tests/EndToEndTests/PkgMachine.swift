// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

let noPackageMachine = Comment(rawValue: PackageMachine.missing ?? "")

/// An agent on a machine of its own with a real PackageKit and a repository of tiny packages (scripts/harness/packagekit).
final class PackageMachine {
  let folder: TemporaryFolder
  let agent: AgentProcess
  private var commands = 0
  private var marks = 0

  static let harness = Mgmt.repository + "/scripts/harness/packagekit"
  /// Why there can be no such machine here; nil: there can. Making one takes two seconds.
  static let missing: String? = {
    guard let tried = try? Mgmt.command([harness, "true"]), tried.status == 77 else { return nil }
    return tried.err.split(separator: "\n").last.map(String.init) ?? "skipped: it does not say why"
  }()

  /// A line of shell: another package manager works until there is a file `release`.
  static let holdLock = hold("/var/lib/dpkg/lock-frontend")
  static func hold(_ lock: String) -> String {
    "python3 -c 'import fcntl,os,time; f=open(\"\(lock)\",\"w\"); fcntl.lockf(f,fcntl.LOCK_EX); "
      + "open(\"held\",\"w\").close(); [time.sleep(0.05) for _ in iter(lambda: os.path.exists(\"release\"), True)]' 3>&- & "
      + "until [ -e held ]; do sleep 0.02; done"
  }

  /// Runs commands that come through a pipe beside the program it becomes.
  private static let server = """
    cd "$1"; shift
    bash setup >setup.out 2>&1 || { cat setup.out >&2; exit 99; }
    while read -r number command <&3; do
      bash -c "$command" >"out.$number" 2>&1; echo $? >"status.$number.new"; mv "status.$number.new" "status.$number"
    done 3<>commands &
    exec "$@"
    """

  /// `setup` runs inside before the agent starts. `wrapper`: what starts the agent.
  init(graph: String, setup: String = "", options: [String] = [], wrapper: [String] = []) throws {
    folder = try TemporaryFolder()
    guard mkfifo(folder["commands"], 0o600) == 0 else { throw HarnessError("mkfifo: \(errno)") }
    try folder.write(
      "setup",
      """
      busctl --system monitor --match "type='method_call',interface='org.freedesktop.PackageKit.Transaction'" >calls 2>&1 3>&- &
      until grep -q Monitoring calls; do sleep 0.02; done
      \(setup)
      """)
    agent = try AgentProcess(
      folder, graph: graph, options: options,
      prefixCommand: [Self.harness, "--bind", folder.path, "--", "bash", "-c", Self.server, "server", folder.path] + wrapper)
  }

  deinit { agent.running.signal(SIGTERM) }

  /// Runs a line of shell inside, beside the agent.
  @discardableResult func run(_ command: String, bound: Double = 60) throws -> Finished {
    commands += 1
    let number = commands
    try send("\(number) \(command)\n", bound: bound)
    let ended = { [folder, agent] in folder.exists("status.\(number)") || !agent.running.process.isRunning }
    guard poll(bound: bound, ended), folder.exists("status.\(number)") else { throw HarnessError("no end of: \(command)") }
    let status = Int32(folder.read("status.\(number)")?.trimmingCharacters(in: .newlines) ?? "") ?? -1
    return Finished(status: status, out: folder.read("out.\(number)") ?? "", err: "")
  }

  /// Without a reader the machine has not come up yet, or has ended.
  private func send(_ line: String, bound: Double) throws {
    var pipe: Int32 = -1
    _ = poll(bound: bound) { [folder, agent] in
      pipe = open(folder["commands"], O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      return pipe >= 0 || !agent.running.process.isRunning
    }
    guard pipe >= 0 else { throw HarnessError("the machine has ended, or is not there: \(agent.running.err.suffix(500))") }
    defer { close(pipe) }
    let bytes = Array(line.utf8)
    guard write(pipe, bytes, bytes.count) == bytes.count else { throw HarnessError("write: \(errno)") }
  }

  /// How many calls of a method PackageKit got so far, from whomever. What listens writes in its own time: it is waited for a call of our
  /// own, which comes after all others.
  func calls(_ method: String) throws -> Int {
    marks += 1
    let mark = "/mark_\(marks)"
    // There is no such object: it is refused.
    try run("busctl call org.freedesktop.PackageKit \(mark) org.freedesktop.PackageKit.Transaction Mark")
    guard poll(bound: 30, { [folder] in folder.read("calls")?.contains("Path=\(mark) ") == true }) else {
      throw HarnessError("busctl monitor does not tell of \(mark)")
    }
    return (folder.read("calls") ?? "").split(separator: "\n").filter { $0.hasSuffix("Member=\(method)") }.count
  }

  /// The installed version, nil: none.
  func version(_ package: String) throws -> String? {
    let words = try run("dpkg-query -W -f '${db:Status-Status} ${Version}' \(package)").out.split(separator: " ")
    return words.first == "installed" && words.count == 2 ? String(words[1]) : nil
  }

  /// Waits until a check of a resource ended so, the `times`th time.
  func expectEnd(
    of resource: String, _ status: String, times: Int = 1, bound: Double = 60,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let came = poll(bound: bound) { ends(of: resource, status) >= times || !agent.running.process.isRunning }
    #expect(
      came && ends(of: resource, status) >= times,
      "\(resource) was not \(status)\n\(agent.running.out.suffix(4000))\n\(agent.running.err.suffix(2000))",
      sourceLocation: sourceLocation)
  }

  func expectFailure(of resource: String, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    let failures = failures(of: resource)
    for part in parts {
      #expect(failures.contains { $0.contains(part) }, "\(part) in \(failures)", sourceLocation: sourceLocation)
    }
  }

  func ends(of resource: String, _ status: String) -> Int {
    agent.events.filter { $0.name == "check-ended" && $0.resource == resource && $0.status == status }.count
  }

  /// What the checks of a resource reported, as "path: was -> will".
  func changes(of resource: String) -> [String] {
    agent.events.filter { $0.name == "check-ended" && $0.resource == resource }.flatMap { event in
      (event.members["changes"] as? [[String: Any]] ?? []).map {
        "\($0["path"] as? String ?? ""): \($0["was"] as? String ?? "") -> \($0["will"] as? String ?? "")"
      }
    }
  }

  /// Whether something was logged.
  func logged(_ text: String) -> Bool { agent.events.contains { ($0.members["text"] as? String)?.contains(text) ?? false } }

  /// Texts of the failures of a resource's checks: message and hint.
  func failures(of resource: String) -> [String] {
    agent.events.filter { $0.name == "check-ended" && $0.resource == resource && $0.status == "failed" }.map {
      let diagnostic = $0.members["diagnostic"] as? [String: Any]
      return [diagnostic?["message"], diagnostic?["title"], diagnostic?["hint"]].compactMap { $0 as? String }
        .joined(separator: " | ")
    }
  }
}

/// A graph of packages with these parameters each.
func packages(_ names: [String], _ parameters: [String] = [], more: String = "") -> String {
  var lines = ["graph: packages", "resources:", "  pkg:"]
  for name in names { lines += ["  - name: \(name)"] + parameters.map { "    \($0)" } }
  return lines.joined(separator: "\n") + "\n" + more
}
