// SPDX-License-Identifier: Apache-2.0

/// 1,000 commands that sleep one second, all at once, beside a C loop that spawns and waits.
struct ParallelExec: Benchmark {
  let name = "exec"
  let summary = "1,000 exec resources 'sleep 1' at once"
  private let count = 1_000

  func run(_ bench: Bench) throws -> [Row] {
    let graph = try bench.scratch.write(Graphs.execs(count, command: "/bin/sleep 1"), to: "exec.yaml")
    var most = 0
    func agent() throws -> Double {
      let start = ContinuousClock.now
      let child = try bench.programs.start(bench.agent.once(graph), log: "exec.out")
      let code = try child.wait(limit: 120) { most = max(most, Proc.threads(child.pid) ?? 0) }
      guard code == 0 else { throw Failure("the agent ended with status \(code)\(child.tail)") }
      return (ContinuousClock.now - start) / .seconds(1)
    }
    let (measured, baseline) = try bench.alternating(
      agent, { try bench.programs.measure([bench.programs.path("spawn_loop"), String(count), "/bin/sleep", "1"]).wall })
    return [
      Row("1,000 × exec 'sleep 1': wall", .seconds, measured, baseline: baseline, bar: .atMost(2)),
      Row("1,000 × exec 'sleep 1': most threads", .count, [Double(most)], bar: .atMost(24)),
    ]
  }
}
