// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One of 1,000 resources changes in the YAML file under a running agent: who is checked again, counted from the events.
struct LiveEdit: Benchmark {
  let name = "live-edit"
  let summary = "one of 1,000 resources changes in the YAML: what is checked, what restarted"
  private let count = 1_000

  func run(_ bench: Bench) throws -> [Row] {
    let folder = try bench.scratch.folder("edit")
    let graph = try bench.scratch.write(Graphs.files(count, in: folder), to: "edit.yaml")
    let running = try bench.agent.start(graph, flags: ["--json"], name: "edit")
    let output = running.child.output
    let offset = try Event.settle(output)
    let converged = running.timesConverged

    try bench.scratch.write(Graphs.files(count, in: folder, changed: 500), to: "edit.yaml")
    try Deadline(seconds: 30).until("the changed file has its new content") {
      if running.child.hasEnded { throw Failure("the agent has ended\(running.child.tail)") }
      return try Proc.text(folder + "/f500").contains("changed")
    }
    try running.waitConverged(after: converged, limit: 30)
    try Event.settle(output)
    let events = try Event.read(output, from: offset)
    try bench.agent.stop(running)

    let checked = Set(events.filter { $0.name == "check-started" }.compactMap(\.resource))
    let graphs = events.filter { $0.name == "graph" }
    guard let kept = graphs.first?.numbers["kept"], graphs.count == 1 else {
      throw Failure("one edit began \(graphs.count) graphs instead of one")
    }
    let restarted = max(0, Double(count - 1) - kept)
    var kinds: [String: Int] = [:]
    for event in events { kinds[event.name, default: 0] += 1 }
    let note = "events: " + kinds.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    return [
      Row("live edit of 1 of 1,000: checked", .count, [Double(checked.count)], bar: .exactly(1), notes: [note]),
      Row("live edit of 1 of 1,000: restarted", .count, [restarted], bar: .exactly(0)),
    ]
  }
}
