// SPDX-License-Identifier: Apache-2.0

/// 10,000 files in one folder that are as asked: start to converged and exit, beside a loop of open, fstat, read, compare.
struct FilesInPlace: Benchmark {
  let name = "files-in-place"
  let summary = "10,000 files, nothing to do"
  private let count = 10_000

  func run(_ bench: Bench) throws -> [Row] {
    let folder = try bench.scratch.folder("in-place")
    _ = try bench.programs.number("fresh_loop", [folder, String(count)])
    let graph = try bench.scratch.write(Graphs.files(count, in: folder), to: "in-place.yaml")
    let loop = [bench.programs.path("check_loop"), folder, String(count)]
    _ = try bench.programs.measure(loop)
    _ = try bench.programs.measure(bench.agent.once(graph))

    let (agent, baseline) = try bench.alternating(
      { try bench.programs.measure(bench.agent.once(graph)) }, { try bench.programs.measure(loop) })
    let cpu = Unit.seconds.text(Samples(agent.map(\.cpu)).median)

    let running = try bench.agent.start(graph)
    let descriptors = try Proc.inotifyDescriptors(running.child.pid)
    try bench.agent.stop(running)

    return [
      Row(
        "10,000 files in place: wall", .seconds, agent.map(\.wall), baseline: baseline.map(\.wall),
        bar: .timesBaseline(3, plus: 0.050), notes: ["CPU time of the agent: \(cpu)"]),
      Row(
        "10,000 files in place: peak RSS", .bytes, agent.map(\.peakBytes), baseline: baseline.map(\.peakBytes),
        bar: .atMost(60 * 1_048_576)),
      Row(
        "10,000 files watched: inotify fds", .count, [Double(descriptors)], bar: .exactly(1),
        notes: ["all of the process: those of the file plugin, and any the agent has for the graph file and plugin folders"]),
    ]
  }
}
