// SPDX-License-Identifier: Apache-2.0
import Foundation

/// CPU time of an agent that watches 10,000 files while nothing happens; the inotify loop idles beside it.
struct IdleCPU: Benchmark {
  let name = "idle"
  let summary = "10,000 files watched, nothing happens: CPU time"
  private let count = 10_000

  func run(_ bench: Bench) throws -> [Row] {
    let folder = try bench.scratch.folder("idle")
    let loop = try WatchLoop(bench.programs, folder: folder, count: count, log: "idle-loop.out")
    let graph = try bench.scratch.write(Graphs.files(count, in: folder), to: "idle.yaml")
    let running = try bench.agent.start(graph)
    sleep(1)  // what follows converging (a log line, a thread that ends) is not idling

    let seconds = bench.options.idleSeconds
    func used() throws -> (Double, Double) { (try Proc.cpuSeconds(running.child.pid), try Proc.cpuSeconds(loop.child.pid)) }
    let before = try used()
    let start = ContinuousClock.now
    try Deadline(seconds: Double(seconds) + 5).until("the idle time is over", every: 0.2) {
      if running.child.hasEnded { throw Failure("the agent ended while it should idle\(running.child.tail)") }
      return ContinuousClock.now - start >= .seconds(seconds)
    }
    let after = try used()
    try bench.agent.stop(running)
    try bench.programs.stop(loop.child)
    return [
      Row(
        "10,000 files idle for \(seconds) s: CPU", .seconds, [after.0 - before.0], baseline: [after.1 - before.1],
        bar: .atMost(0.010 * Double(seconds) / 60))
    ]
  }
}
