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
    let seconds = bench.options.idleSeconds
    let used = try bench.idle(running, beside: loop.child.pid)
    try bench.agent.stop(running)
    try bench.programs.stop(loop.child)
    return [
      Row(
        "10,000 files idle for \(seconds) s: CPU", .seconds, [used.agent], baseline: [used.other],
        bar: .atMost(0.010 * Double(seconds) / 60))
    ]
  }
}
