// SPDX-License-Identifier: Apache-2.0

/// From fork until the one file of the graph, which is not there yet, has been created: an upper bound for the first check.
struct FirstCheck: Benchmark {
  let name = "first-check"
  let summary = "mgmt run, from fork until its one file is there"

  func run(_ bench: Bench) throws -> [Row] {
    func appear(_ name: String, _ command: (_ folder: String) throws -> [String]) throws -> Double {
      let folder = try bench.scratch.folder("first-" + name)
      return try bench.programs.number("appear", [folder, "f1", "30"] + command(folder)) / 1e9
    }
    func agent() throws -> Double {
      try appear("agent") { folder in
        bench.agent.once(try bench.scratch.write(Graphs.files(1, in: folder), to: "first.yaml"))
      }
    }
    let cold = try agent()
    let (measured, baseline) = try bench.alternating(
      times: max(10, bench.options.pairs), agent, { try appear("baseline") { [bench.programs.path("create"), $0] } })
    let note = "the very first run, with an empty prefix (plugins not yet in the cache): \(Unit.seconds.text(cold))"
    return [
      Row("mgmt run to first file (C create)", .seconds, measured, baseline: baseline, bar: .atMost(0.030), notes: [note])
    ]
  }
}
