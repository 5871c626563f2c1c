// SPDX-License-Identifier: Apache-2.0

/// 1,000, 10,000 and 100,000 vertices that do nothing, with three edges each: time and memory beyond those of a graph of
/// one vertex, per vertex, against those of the graph a tenth the size.
struct Growth: Benchmark {
  let name = "growth"
  let summary = "1,000, 10,000 and 100,000 noop vertices with 3 edges each"

  func run(_ bench: Bench) throws -> [Row] {
    func measure(_ count: Int, runs: Int) throws -> (wall: Samples, peak: Samples) {
      let graph = try bench.scratch.write(Graphs.noops(count), to: "growth.yaml")
      _ = count < 100_000 ? try bench.programs.measure(bench.agent.once(graph)) : nil
      let all = try (0..<runs).map { _ in try bench.programs.measure(bench.agent.once(graph), limit: 300) }
      return (Samples(all.map(\.wall)), Samples(all.map(\.peakBytes)))
    }
    let pairs = bench.options.pairs
    let one = try measure(1, runs: pairs * 2)
    let sizes = try [(1_000, pairs * 2), (10_000, pairs), (100_000, min(3, pairs))].map {
      ($0.0, try measure($0.0, runs: $0.1))
    }

    var rows: [Row] = []
    for (small, large) in zip(sizes, sizes.dropFirst()) {
      let title = "growth \(thousands(small.0)) → \(thousands(large.0)) vertices"
      func row(_ what: String, _ unit: Unit, _ pick: ((wall: Samples, peak: Samples)) -> Double) -> Row {
        let startUp = pick(one)
        let before = pick(small.1) - startUp
        let after = pick(large.1) - startUp
        let ratio = after / (before * Double(large.0 / small.0))
        let note = "\(unit.text(before)) → \(unit.text(after)), beyond \(unit.text(startUp)) for one vertex"
        return Row("\(title): \(what)", .factor, [ratio], bar: .atMost(1.3), notes: [note])
      }
      rows.append(row("time", .seconds) { $0.wall.median })
      rows.append(row("memory", .bytes) { $0.peak.median })
    }
    return rows
  }

  private func thousands(_ count: Int) -> String { "\(count / 1_000)k" }
}
