// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A machine of its own with a real systemd (scripts/harness/systemd). Agents and commands go into it; it ends with this object.
final class ServiceMachine {
  let folder: TemporaryFolder
  private let harness: Running
  private let systemd: String

  private static let program = Mgmt.repository + "/scripts/harness/systemd"

  /// Why there can be no such machine here; nil: there can.
  static let missing: String? = {
    guard let tried = try? Mgmt.command([program, "--", "true"]), tried.status == 77 else { return nil }
    return tried.err.split(separator: "\n").last.map(String.init) ?? "skipped: it does not say why"
  }()

  init() throws {
    folder = try TemporaryFolder()
    let folder = folder
    harness = try Running(
      [Self.program, "--pid-file", folder["systemd"], "--bind", folder.path, "--bind", Mgmt.stage, "--", "sleep", "infinity"])
    let harness = harness
    guard poll(bound: 90, { folder.exists("systemd") || !harness.process.isRunning }), let pid = folder.read("systemd") else {
      throw HarnessError("no machine: \(harness.err)")
    }
    systemd = pid.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  deinit {
    harness.signal(SIGTERM)
    _ = try? harness.wait(bound: 20)
  }

  /// What brings a command into the machine.
  var enter: [String] {
    [
      "/usr/bin/nsenter", "--target", systemd, "--all", "--", "/usr/bin/env",
      "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket",
    ]
  }

  /// A line of shell.
  @discardableResult func run(_ command: String) throws -> Finished {
    try Mgmt.command(enter + ["/bin/sh", "-c", command])
  }

  /// The first line a command prints.
  func ask(_ command: String) throws -> String {
    try run(command).out.split(separator: "\n").first.map(String.init) ?? ""
  }

  /// Waits until a command prints this.
  func expect(_ command: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    var last = ""
    let came = poll(bound: 30) {
      last = (try? ask(command)) ?? ""
      return last == text
    }
    #expect(came, "\(command): \(last) instead of \(text)", sourceLocation: sourceLocation)
  }

  /// Unit files, written before systemd reads its files anew. Those without a section are services that run this program.
  func units(_ files: [String: String], reload: Bool = true) throws {
    for (name, text) in files {
      try folder.write("unit", text.hasPrefix("[") ? text : Self.service(text))
      try run("cp \(folder["unit"]) /etc/systemd/system/\(name)")
    }
    if reload { try run("systemctl daemon-reload") }
  }

  static func service(_ program: String, _ more: String = "") -> String {
    "[Service]\nExecStart=\(program)\n\(more)\n[Install]\nWantedBy=multi-user.target\n"
  }

  /// A program that ends when `proceed` was called.
  static let waits = "/bin/sh -c 'until [ -e /tmp/proceed ]; do sleep 0.05; done'"

  func proceed() throws { try run("touch /tmp/proceed") }

  /// In place of a demo.service that hangs, one that runs; the agent is to start it.
  func mendDemo(_ agent: AgentProcess) throws {
    try units(["demo.service": "/bin/sleep infinity"])
    try run("systemctl kill -s KILL demo")
    agent.expectEnds("changed")
    expect("systemctl is-active demo", "active")
  }

  func agent(_ graph: String, options: [String] = [], enter more: [String] = []) throws -> AgentProcess {
    try AgentProcess(folder, graph: graph, options: options, prefixCommand: enter + more)
  }

  /// ^C, from inside: the processes of the machine are not the children of what brought them there.
  func stop(_ agent: AgentProcess) throws -> Finished {
    agent.expect("start") { $0.name == "start" }
    let pid = agent.events.first { $0.name == "start" }?.members["pid"] as? Int ?? 0
    try run("kill -INT \(pid)")
    return try agent.running.wait()
  }
}

/// A graph with one `svc`.
func service(_ name: String, _ parameters: String...) -> String {
  (["graph: services", "resources:", "  svc:", "  - name: \(name)"] + parameters.map { "    \($0)" }).joined(separator: "\n")
    + "\n"
}

extension AgentProcess {
  func expectStarted(_ resource: String, sourceLocation: SourceLocation = #_sourceLocation) {
    expect("a check of \(resource)", sourceLocation: sourceLocation) { $0.name == "check-started" && $0.resource == resource }
  }

  /// How often a check of the only resource, or of this one, ended so.
  func ends(_ status: String, of resource: String? = nil) -> Int {
    events.filter { $0.name == "check-ended" && $0.status == status && (resource == nil || $0.resource == resource) }.count
  }

  func expectEnds(
    _ status: String, of resource: String? = nil, times: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let came = poll(bound: 60) { ends(status, of: resource) >= times || !running.process.isRunning }
    #expect(
      came && ends(status, of: resource) >= times,
      "not \(status) \(times) times\n\(running.out.suffix(4000))\n\(running.err.suffix(2000))", sourceLocation: sourceLocation)
  }

  /// "path was -> will" of all changes.
  var changes: [String] {
    events.filter { $0.name == "check-ended" }.flatMap { $0.members["changes"] as? [[String: Any]] ?? [] }.map {
      "\($0["path"] as? String ?? "") \($0["was"] as? String ?? "") -> \($0["will"] as? String ?? "")"
    }
  }

  /// Title and hint of the last failure.
  var lastFailure: String {
    let diagnostic = events.last { $0.name == "check-ended" && $0.status == "failed" }?.members["diagnostic"] as? [String: Any]
    return [diagnostic?["title"], diagnostic?["hint"]].compactMap { $0 as? String }.joined(separator: " | ")
  }
}
