// SPDX-License-Identifier: Apache-2.0

/// 1,000, 10,000 and 100,000 vertices that do nothing, with three edges each: time and memory beyond those of a graph of
/// one vertex, per vertex, against those of the graph a tenth the size.
struct Growth: Benchmark {
  let name = "growth"
  let summary = "1,000, 10,000 and 100,000 noop vertices with 3 edges each"

  func run(_ bench: Bench) throws -> [Row] {
    let counts = [1, 1_000, 10_000, 100_000]
    let graphs = try counts.map { try bench.scratch.write(Graphs.noops($0), to: "growth-\($0).yaml") }
    for graph in graphs.dropLast() { _ = try bench.programs.measure(bench.agent.once(graph)) }
    // All sizes in turn, so that the machine's moods fall on each of them.
    var runs = counts.map { _ in [Programs.Usage]() }
    for _ in 0..<bench.options.pairs {
      for (index, graph) in graphs.enumerated() {
        runs[index].append(try bench.programs.measure(bench.agent.once(graph), limit: 300))
      }
    }
    func medians(_ pick: (Programs.Usage) -> Double) -> [Double] { runs.map { Samples($0.map(pick)).median } }
    let wall = medians(\.wall)
    let cpu = medians(\.cpu)
    let peak = medians(\.peakBytes)

    var rows: [Row] = []
    for large in 2..<counts.count {
      let title = "growth \(thousands(counts[large - 1])) → \(thousands(counts[large])) vertices"
      func growth(_ medians: [Double], _ unit: Unit) -> (ratio: Double, note: String) {
        let before = medians[large - 1] - medians[0]
        let after = medians[large] - medians[0]
        let note = "\(unit.text(before)) → \(unit.text(after)), beyond \(unit.text(medians[0])) for one vertex"
        return (after / (before * Double(counts[large] / counts[large - 1])), note)
      }
      let time = growth(wall, .seconds)
      let work = growth(cpu, .seconds)
      let memory = growth(peak, .bytes)
      let notes = [time.note, "CPU time: \(Unit.factor.text(work.ratio)): \(work.note)"]
      rows.append(Row("\(title): time", .factor, [time.ratio], bar: .atMost(1.3), notes: notes))
      rows.append(Row("\(title): memory", .factor, [memory.ratio], bar: .atMost(1.3), notes: [memory.note]))
    }
    return rows
  }

  private func thousands(_ count: Int) -> String { "\(count / 1_000)k" }
}
