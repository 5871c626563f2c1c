// SPDX-License-Identifier: Apache-2.0
import Foundation

/// 10,000 files in one folder, none there yet, beside a loop of create, write, fchmod, rename. Both bring them to the disk in the end.
struct FilesFresh: Benchmark {
  let name = "files-fresh"
  let summary = "10,000 files, all to be created"
  private let count = 10_000

  func run(_ bench: Bench) throws -> [Row] {
    let graph = try bench.scratch.write(Graphs.files(count, in: bench.scratch.file("fresh")), to: "fresh.yaml")
    func fresh(_ command: (_ folder: String) throws -> [String]) throws -> Double {
      let folder = try bench.scratch.folder("fresh")
      sync()  // the removal of the files of the run before is not to be paid for in this one
      let usage = try bench.programs.measure(try command(folder))
      _ = try bench.programs.number("check_loop", [folder, String(count)])
      return usage.wall
    }
    let log = "fresh.out"
    /// Seconds the agent waited for the disk, by its own clock. Events cost time, so these runs are not those above.
    func settled() throws -> Double {
      let folder = try bench.scratch.folder("fresh")
      sync()
      _ = try bench.programs.measure(bench.agent.command(["--json", "--converged-timeout=0"], graph), log: log)
      _ = try bench.programs.number("check_loop", [folder, String(count)])
      guard let duration = try Event.read(bench.programs.path(log)).first(where: { $0.name == "settled" })?.numbers["duration"]
      else { throw Failure("the agent has not brought its files to the disk") }
      return duration
    }
    func synced() throws -> Double {
      let folder = try bench.scratch.folder("fresh")
      sync()
      let numbers = try bench.programs.numbers("fresh_loop", [folder, String(count)])
      guard numbers.count == 2 else { throw Failure("fresh_loop printed \(numbers.count) numbers") }
      return numbers[1]
    }
    let (agent, baseline) = try bench.alternating(
      { try fresh { _ in bench.agent.once(graph) } },
      { try fresh { [bench.programs.path("fresh_loop"), $0, String(count)] } })
    let (wait, plainWait) = try bench.alternating(settled, synced)
    return [
      Row("10,000 files fresh, on the disk: wall", .seconds, agent, baseline: baseline, bar: .timesBaseline(2, plus: 0.050)),
      Row("10,000 files fresh: of that syncfs", .seconds, wait, baseline: plainWait, bar: .none),
    ]
  }
}
