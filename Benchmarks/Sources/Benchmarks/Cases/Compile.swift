// SPDX-License-Identifier: Apache-2.0

/// 10,000 and 100,000 files in nested directories without a declared edge: how long the agent takes to make the resources, the edges
/// and an order, by its own clock, beside a C program that finds the same edges and an order.
struct Compile: Benchmark {
  let name = "compile"
  let summary = "10,000 and 100,000 files in nested directories: automatic edges and order"
  private let counts = [10_000, 100_000]
  private let runs = 3

  func run(_ bench: Bench) throws -> [Row] {
    let trees = counts.map { Graphs.tree($0, in: bench.scratch.file("tree")) }
    let graphs = try trees.map { try bench.scratch.write(Graphs.tree($0), to: "tree-\($0.count).yaml") }
    let lists = try trees.map { try bench.scratch.write($0.joined(separator: "\n") + "\n", to: "tree-\($0.count).list") }
    for (paths, graph) in zip(trees, graphs) { try verify(try bench.compile(graph).graph, paths) }

    // Both sizes in turn, so that the machine's moods fall on each of them.
    var seconds = counts.map { _ in [Double]() }
    var loops = seconds
    var usages: [Programs.Usage] = []
    for _ in 0..<runs {
      for size in counts.indices {
        let compiled = try bench.compile(graphs[size])
        seconds[size].append(compiled.graph.seconds)
        if size == 1 { usages.append(compiled.usage) }
        let loop = try bench.programs.numbers("parent_loop", [lists[size]])
        guard loop.count == 2, loop[1] == Double(counts[size] - 1) else {
          throw Failure("parent_loop: \(counts[size] - 1) edges were expected, it printed \(loop)")
        }
        loops[size].append(loop[0])
      }
    }
    let medians = seconds.map { Samples($0).median }
    let least = seconds.map { Samples($0).least }
    let loopMedians = loops.map { Samples($0).median }
    let (wall, peak) = (Samples(usages.map(\.wall)).median, Samples(usages.map(\.peakBytes)).median)
    return [
      Row(
        "compile 100,000 nested files", .seconds, seconds[1], baseline: loops[1], bar: .atMost(2),
        notes: [
          "\(counts[1] - 1) automatic edges, each from the directory the file is in",
          "the whole command, with the YAML and the JSON: \(Unit.seconds.text(wall)), \(Unit.bytes.text(peak))",
        ]),
      Row(
        "compile 10,000 → 100,000 files: growth", .factor, [medians[1] / medians[0]],
        baseline: [loopMedians[1] / loopMedians[0]], bar: .atMost(13),
        notes: [
          "\(Unit.seconds.text(medians[0])) → \(Unit.seconds.text(medians[1]))",
          "by the least of the runs: \(Unit.factor.text(least[1] / least[0]))",
        ]),
    ]
  }

  /// Each path but the root of the tree has one edge, from the directory it is in.
  private func verify(_ graph: CompiledGraph, _ paths: [String]) throws {
    let expected = Set(paths.dropFirst().map { "file[\(parent(of: $0))] → file[\($0)]" })
    let found = graph.automaticEdges.map { "\($0.from) → \($0.to)" }
    guard found.count == expected.count, Set(found) == expected, graph.vertices.count == paths.count else {
      let other = Set(found).symmetricDifference(expected).min() ?? "none"
      throw Failure(
        "\(paths.count) files must have \(expected.count) automatic edges, there are \(found.count); a difference: \(other)")
    }
  }

  private func parent(of path: String) -> Substring {
    let path = path.hasSuffix("/") ? path.dropLast() : path[...]
    return path.lastIndex(of: "/").map { path[...$0] } ?? ""
  }
}
