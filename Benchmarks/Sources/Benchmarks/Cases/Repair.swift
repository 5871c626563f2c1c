// SPDX-License-Identifier: Apache-2.0

/// How soon a disturbed file is as asked again: the same prober against the agent and against the inotify loop, in turn.
struct Repair: Benchmark {
  let name = "repair"
  let summary = "latency of repair after delete, overwrite and create, 200 times each"
  private let rounds = 200

  func run(_ bench: Bench) throws -> [Row] {
    let folder = try bench.scratch.folder("repair-agent")
    let loopFolder = try bench.scratch.folder("repair-loop")
    let loop = try WatchLoop(bench.programs, folder: loopFolder, count: 3, log: "repair-loop.out")
    let running = try bench.agent.start(try bench.scratch.write(Graphs.repair(in: folder), to: "repair.yaml"))

    func probe(_ mode: String, _ folder: String, _ rounds: Int) throws -> [Double] {
      try bench.programs.numbers("probe", [mode, folder, "2", String(rounds)], limit: 300).map { $0 / 1e9 }
    }
    let pairs = bench.options.pairs
    var rows: [Row] = []
    for (mode, title) in [
      ("delete", "repair after delete"), ("overwrite", "repair after overwrite"), ("create", "removal of an unwanted file"),
    ] {
      _ = (try probe(mode, folder, 5), try probe(mode, loopFolder, 5))
      let each = (rounds + pairs - 1) / pairs
      let (agent, baseline) = try bench.alternating({ try probe(mode, folder, each) }, { try probe(mode, loopFolder, each) })
      let measured = agent.flatMap(\.self)
      let base = baseline.flatMap(\.self)
      rows.append(Row("\(title): p50", .seconds, measured, baseline: base, bar: .timesBaseline(1.5, plus: 0)))
      rows.append(Row("\(title): p99", .seconds, measured, baseline: base, bar: .none, percentile: 99))
    }
    try bench.agent.stop(running)
    try bench.programs.stop(loop.child)
    return rows
  }
}
