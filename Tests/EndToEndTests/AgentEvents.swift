// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Questions to the events of an agent.
extension AgentProcess {
  /// The events since the `number`th graph began, the first being 0, up to when it had converged. An edit that asks for nothing does
  /// not end the convergence before it, so it need not be reported anew.
  func settled(graph number: Int, sourceLocation: SourceLocation = #_sourceLocation) -> [Event] {
    func found() -> ArraySlice<Event>? {
      let all = events
      let graphs = all.indices.filter { all[$0].name == "graph" }
      guard graphs.count > number, isConverged(all) else { return nil }
      return all[graphs[number]...]
    }
    var looks = 0
    let came = poll(bound: 30) {
      looks = found() == nil ? 0 : looks + 1
      // A look may come between two events of one moment, two of them do not.
      return looks == 2 || !running.process.isRunning
    }
    #expect(
      came && found() != nil, "graph \(number) did not converge\n\(running.out.suffix(3000))\n\(running.err.suffix(3000))",
      sourceLocation: sourceLocation)
    return Array(found() ?? [])
  }

  private func isConverged(_ events: [Event]) -> Bool {
    events.last { $0.name == "converged" || $0.name == "stalled" }?.members["converged"] as? Bool == true
  }

  /// What was logged about a resource, or about none; lines of the plugins and of the agent.
  func logged(_ resource: String? = nil) -> [String] {
    events.filter { $0.name == "log" && $0.resource == resource }.compactMap { $0.members["text"] as? String }
  }

  /// "from -> to" of the edges that were found.
  var automaticEdges: [String] { events.automaticEdges }

  /// "member in leader" of the groups that were formed.
  var groups: [String] {
    events.filter { $0.name == "grouped" }.map { "\($0.resource ?? "") in \($0.members["leader"] as? String ?? "")" }
  }

  /// "from.field -> to.parameter" of what was received.
  var received: [String] {
    events.filter { $0.name == "received" }.map {
      let members = $0.members.compactMapValues { $0 as? String }
      return "\(members["from"] ?? "").\(members["field"] ?? "") -> \(members["resource"] ?? "").\(members["parameter"] ?? "")"
    }
  }

  /// The diagnostic of the last check of a resource that failed.
  func failure(_ resource: String) -> [String: Any]? {
    events.last { $0.name == "check-ended" && $0.resource == resource && $0.status == "failed" }?
      .members["diagnostic"] as? [String: Any]
  }

  /// `before` was done before `after` was begun, each of them for the first time.
  func expectOrder(_ before: String, _ after: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let end = positions("check-ended", before).first
    let start = positions("check-started", after).first
    #expect(
      end != nil && start != nil && (end ?? 0) < (start ?? 0), "\(before) at \(end ?? -1), \(after) at \(start ?? -1)",
      sourceLocation: sourceLocation)
  }

  /// How many descriptors it has open.
  var descriptorCount: Int { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(running.pid)/fd"))?.count ?? -1 }
}

extension [AgentProcess.Event] {
  var automaticEdges: [String] {
    filter { $0.name == "automatic-edge" }.map {
      "\($0.members["from"] as? String ?? "") -> \($0.members["to"] as? String ?? "")"
    }
  }

  /// The resources whose checks began, in order.
  var checked: [String] { filter { $0.name == "check-started" }.compactMap(\.resource) }

  /// Of the graph they begin with: vertices, kept, added, removed.
  var counts: [Int] { ["vertices", "kept", "added", "removed"].map { first?.members[$0] as? Int ?? -1 } }
}

/// `mgmt graph yaml FILE`, in a folder.
func graphCommand(_ folder: TemporaryFolder, _ graph: String, _ options: String...) throws -> Finished {
  try folder.write("graph.yaml", graph)
  return try Mgmt.run(["graph", "yaml", folder["graph.yaml"], "--prefix", folder["state"]] + options)
}

/// The lines of a text that begin with a word, without it.
func lines(_ text: String, after prefix: String) -> [String] {
  text.split(separator: "\n").filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
}
