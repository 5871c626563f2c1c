// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// Writes graphs in the YAML format.
struct GraphText {
  private var resources: [(kind: String, items: String)] = []
  private var edges = ""

  /// Values: strings, numbers, booleans, lists of strings, maps of strings. `meta`: as YAML writes it inside of braces.
  mutating func add(_ kind: String, _ name: String, _ fields: KeyValuePairs<String, Any> = [:], meta: String = "") {
    var item = "  - name: \(Self.quoted(name))\n"
    for (key, value) in fields { item += "    \(key): \(Self.text(value))\n" }
    if !meta.isEmpty { item += "    meta: {\(meta)}\n" }
    if resources.last?.kind == kind {
      resources[resources.count - 1].items += item
    } else if let index = resources.firstIndex(where: { $0.kind == kind }) {
      resources[index].items += item
    } else {
      resources.append((kind, item))
    }
  }

  /// A file with this content.
  mutating func file(_ path: String, _ content: String, _ name: String? = nil, meta: String = "") {
    add(
      "file", name ?? (path as NSString).lastPathComponent, ["path": path, "state": "exists", "content": content], meta: meta)
  }

  /// A directory.
  mutating func directory(_ path: String, _ name: String, meta: String = "") {
    add("file", name, ["path": path + "/", "state": "exists"], meta: meta)
  }

  /// A command of a shell.
  mutating func shell(_ name: String, _ script: String, watchfiles: [String] = [], meta: String = "") {
    add(
      "exec", name,
      ["cmd": script, "shell": "/bin/sh", "env": ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], "watchfiles": watchfiles],
      meta: meta)
  }

  /// Ends are written as "kind[name]".
  mutating func edge(
    _ from: String, _ to: String, notify: Bool = false, receive: KeyValuePairs<String, String> = [:]
  ) {
    edges += "- name: \(Self.quoted(from + "->" + to))\n  from: \(Self.end(from))\n  to: \(Self.end(to))\n"
    if notify { edges += "  notify: true\n" }
    if !receive.isEmpty { edges += "  receive: {\(receive.map { "\($0): \($1)" }.joined(separator: ", "))}\n" }
  }

  var text: String {
    var text = "graph: test\nresources:\n"
    for (kind, items) in resources { text += "  \(kind):\n\(items)" }
    if resources.isEmpty { text = "graph: test\nresources: {}\n" }
    return text + (edges.isEmpty ? "" : "edges:\n" + edges)
  }

  /// A graph of numbered files: `folder/0`, `folder/1` and so on, with names that are their numbers.
  static func files(_ count: Int, in folder: String, content: (Int) -> String) -> String {
    var graph = GraphText()
    for number in 0..<count { graph.file("\(folder)/\(number)", content(number), "\(number)") }
    return graph.text
  }

  private static func end(_ id: String) -> String {
    let parts = id.split(separator: "[", maxSplits: 1)
    return "{kind: \(parts[0]), name: \(quoted(String(parts[1].dropLast())))}"
  }

  private static func text(_ value: Any) -> String {
    switch value {
    case let value as String: quoted(value)
    case let value as [String]: "[" + value.map(quoted).joined(separator: ", ") + "]"
    case let value as [String: String]:
      "{" + value.sorted { $0.key < $1.key }.map { "\(quoted($0.key)): \(quoted($0.value))" }.joined(separator: ", ") + "}"
    default: "\(value)"
    }
  }

  private static func quoted(_ text: String) -> String {
    if text.withCString({ strpbrk($0, "\\\"\n\t") }) == nil { return "\"\(text)\"" }
    let escaped = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
      .replacingOccurrences(of: "\n", with: "\\n").replacingOccurrences(of: "\t", with: "\\t")
    return "\"" + escaped + "\""
  }
}

extension AgentProcess {
  /// Positions of a resource's events of one name.
  func positions(_ name: String, _ resource: String) -> [Int] {
    events.indices.filter { events[$0].name == name && events[$0].resource == resource }
  }

  /// The statuses of the checks of a resource, in order.
  func statuses(_ resource: String) -> [String] {
    events.filter { $0.name == "check-ended" && $0.resource == resource }.compactMap(\.status)
  }

  /// The last event, once it has ended.
  var end: Event? { events.last { $0.name == "end" } }

  var claimedConvergence: Bool { events.contains { $0.name == "converged" && $0.members["converged"] as? Bool == true } }

  /// All diagnostics of all events, as one text of titles and hints.
  var diagnosticText: String {
    var lines: [String] = []
    for event in events {
      var found = event.members["diagnostics"] as? [[String: Any]] ?? []
      if let one = event.members["diagnostic"] as? [String: Any] { found.append(one) }
      for diagnostic in found {
        lines += ["code", "title", "hint"].compactMap { diagnostic[$0] as? String }
        lines += diagnostic["notes"] as? [String] ?? []
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Replaces the graph as most editors do: a new file is renamed over the old one.
  func edit(_ graph: String) throws {
    try folder.write("graph.yaml.new", graph)
    guard rename(folder["graph.yaml.new"], folder["graph.yaml"]) == 0 else { throw HarnessError("rename: \(errno)") }
  }

  /// Ends it with two signals, the second once the first was heard: they do not queue. Running commands are stopped.
  func stopHard() throws {
    for number in 1...2 {
      running.signal(SIGINT)
      if !running.process.isRunning { break }
      poll { !running.process.isRunning || interruptions >= number }
    }
    _ = try running.wait()
  }

  /// How many signals to end it has heard.
  var interruptions: Int {
    events.filter { ($0.members["text"] as? String)?.hasPrefix("interrupted by") ?? false }.count
  }

  /// The number of a line "Name:   12 kB" of /proc/PID/status.
  func processStatus(_ name: String) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/\(running.pid)/status", encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
      return line.split(whereSeparator: { $0 == "\t" || $0 == " " }).dropFirst().first.flatMap { Int($0) }
    }
    return nil
  }
}

/// Not gone, and no zombie that waits for whoever adopted it.
func isRunning(_ pid: pid_t) -> Bool {
  guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
  return !text.contains(") Z ")
}

extension TemporaryFolder {
  /// What is in a small file; faster than `read` for thousands of them.
  func smallText(_ name: String) -> String? {
    let fd = open(self[name], O_RDONLY)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    return String(unsafeUninitializedCapacity: 65_536) { max(0, Glibc.read(fd, $0.baseAddress, $0.count)) }
  }

  /// Names in a folder of it, sorted; hidden ones too.
  func names(_ folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: self[folder])) ?? []).sorted()
  }
}
