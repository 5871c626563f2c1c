// SPDX-License-Identifier: Apache-2.0

/// From SIGINT to the end of an agent that watches many files.
struct Interrupt: Benchmark {
  let name = "interrupt"
  let summary = "^C with 1,000 and with 10,000 watched files"

  func run(_ bench: Bench) throws -> [Row] {
    try [(1_000, "1,000", 0.050), (10_000, "10,000", 0.200)].map { count, title, limit in
      let folder = try bench.scratch.folder("interrupt")
      _ = try bench.programs.number("fresh_loop", [folder, String(count)])
      let graph = try bench.scratch.write(Graphs.files(count, in: folder), to: "interrupt.yaml")
      let (agent, baseline) = try bench.alternating(
        { try bench.agent.stop(try bench.agent.start(graph)) },
        {
          try bench.programs.stop(try WatchLoop(bench.programs, folder: folder, count: count, log: "interrupt-loop.out").child)
        })
      return Row("^C with \(title) watched files", .seconds, agent, baseline: baseline, bar: .atMost(limit))
    }
  }
}
