// SPDX-License-Identifier: Apache-2.0

public import Engine

/// How the resources of a graph stand, by kind: made when somebody asks.
struct KindCounts {
  var resources: [Int]
  /// Two for each kind: those tried again by themselves, those that are not.
  var failures: [Int]
  var fights: [Int]

  init(_ metrics: Metrics, _ visit: ((ResourceStatus) -> Void) -> Void) {
    var resources = [Int](repeating: 0, count: metrics.kinds.count)
    var failures = [Int](repeating: 0, count: metrics.kinds.count * 2)
    var fights = resources
    visit { status in
      let row = metrics.row(of: status.id.kind)
      while resources.count <= row {
        resources.append(0)
        failures += [0, 0]
        fights.append(0)
      }
      resources[row] += 1
      if status.fight != nil { fights[row] += 1 }
      if status.phase == .failed { failures[row * 2 + (status.triesAgain ? 0 : 1)] += 1 }
    }
    self.resources = resources
    self.failures = failures
    self.fights = fights
  }
}

extension Metrics {
  /// All metrics in Prometheus' text format. `visit` shows every resource as it stands.
  /// `isRefused`: the newest graph was refused, and the one before goes on.
  public func text(isConverged: Bool, isRefused: Bool, _ visit: ((ResourceStatus) -> Void) -> Void) -> [UInt8] {
    let counts = KindCounts(self, visit)
    let labels = kinds.map { Exposition.labels(["kind": $0]) }
    var out = Exposition()
    writeChecks(labels, &out)
    writeFailures(labels, counts, &out)
    out.family("mgmt_fights_total", .counter, "Resources somebody began to fight over: each repair is undone.")
    for (row, label) in labels.enumerated() { out.sample(fights[row], labels: label) }
    out.family("mgmt_fights", .gauge, "Resources that are fought over now.")
    for (row, label) in labels.enumerated() { out.sample(UInt64(counts.fights[row]), labels: label) }
    out.family("mgmt_resources", .gauge, "Resources of the graph that runs.")
    for (row, label) in labels.enumerated() { out.sample(UInt64(counts.resources[row]), labels: label) }
    writeGraph(isConverged, isRefused, &out)
    out.family("mgmt_checkapply_duration_seconds", .histogram, "How long checks took.")
    for (row, label) in labels.enumerated() { durations.write(row: row, labels: label, to: &out) }
    out.family("mgmt_reaction_seconds", .histogram, "Time from an event to the end of the check it led to.")
    for (row, label) in labels.enumerated() { reactions.write(row: row, labels: label, to: &out) }
    ProcessMetrics.write(to: &out)
    return out.bytes
  }

  private func writeChecks(_ labels: [String], _ out: inout Exposition) {
    out.family(
      "mgmt_checkapply_total", .counter,
      "Checks that ended: asked to mend (apply), found something not as asked (eventful), failed (errorful).")
    for (row, label) in labels.enumerated() {
      for bits in 0..<8 {
        let rest = ",apply=\"\(bits & 4 != 0)\",eventful=\"\(bits & 2 != 0)\",errorful=\"\(bits & 1 != 0)\""
        out.sample(checks[row * 8 + bits], labels: label + rest)
      }
    }
  }

  private func writeFailures(_ labels: [String], _ counts: KindCounts, _ out: inout Exposition) {
    let names = ["soft", "hard"].map { ",failure=\"\($0)\"" }
    out.family("mgmt_failures_total", .counter, "Failures: soft ones are tried again by themselves, hard ones are not.")
    for (row, label) in labels.enumerated() {
      for (index, name) in names.enumerated() { out.sample(failures[row * 2 + index], labels: label + name) }
    }
    out.family("mgmt_failures", .gauge, "Resources that have failed now: soft ones are tried again by themselves.")
    for (row, label) in labels.enumerated() {
      for (index, name) in names.enumerated() { out.sample(UInt64(counts.failures[row * 2 + index]), labels: label + name) }
    }
  }

  private func writeGraph(_ isConverged: Bool, _ isRefused: Bool, _ out: inout Exposition) {
    out.family("mgmt_graph_start_time_seconds", .gauge, "When the graph that runs began, in seconds since 1970.")
    out.sample(graphStart)
    out.family("mgmt_converged", .gauge, "1: everything is as the graph that runs asks.")
    out.sample(isConverged ? 1.0 : 0.0)
    out.family("mgmt_graph_refused", .gauge, "1: the newest graph was refused, and the one before goes on.")
    out.sample(isRefused ? 1.0 : 0.0)
    out.family("mgmt_graph_refusals_total", .counter, "Graphs that were refused.")
    out.sample(refusals)
    out.family("mgmt_automatic_edges", .gauge, "Edges that were added to the graph automatically.")
    out.sample(Double(automaticEdges))
    out.family("mgmt_grouped", .gauge, "Resources that are members of automatic groups.")
    out.sample(Double(groupedMembers))
    out.family("mgmt_compile_seconds", .histogram, "How long compiling a graph took.")
    compiles.write(row: 0, labels: "", to: &out)
  }
}

extension ResourceStatus {
  /// It has failed and is tried again by itself: now, or when what it waits for has come.
  fileprivate var triesAgain: Bool { nextAttempt != nil || isRunning || waiting != nil }
}
