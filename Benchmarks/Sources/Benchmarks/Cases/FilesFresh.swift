// SPDX-License-Identifier: Apache-2.0
import Foundation

/// 10,000 files in one folder, none there yet, beside a loop of create, write, fchmod, rename.
struct FilesFresh: Benchmark {
  let name = "files-fresh"
  let summary = "10,000 files, all to be created"
  private let count = 10_000

  func run(_ bench: Bench) throws -> [Row] {
    func fresh(_ command: (_ folder: String) throws -> [String]) throws -> Double {
      let folder = try bench.scratch.folder("fresh")
      sync()  // the removal of the files of the run before is not to be paid for in this one
      let usage = try bench.programs.measure(try command(folder))
      _ = try bench.programs.number("check_loop", [folder, String(count)])
      return usage.wall
    }
    let graph = try bench.scratch.write(Graphs.files(count, in: bench.scratch.file("fresh")), to: "fresh.yaml")
    let (agent, baseline) = try bench.alternating(
      { try fresh { _ in bench.agent.once(graph) } },
      { try fresh { [bench.programs.path("fresh_loop"), $0, String(count)] } })
    return [
      Row("10,000 files fresh: wall", .seconds, agent, baseline: baseline, bar: .timesBaseline(2, plus: 0.050))
    ]
  }
}
