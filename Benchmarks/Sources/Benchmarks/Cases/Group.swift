// SPDX-License-Identifier: Apache-2.0
import Foundation

/// 10,000 vertices any of which may be in a group with any other, and 20,000 edges: how long compiling takes the agent, by its own
/// clock, beside a C program that forms the same groups in the plainest way.
struct Group: Benchmark {
  let name = "group"
  let summary = "10,000 groupable vertices with 20,000 random edges"
  private let count = 10_000
  private let edges = 20_000

  func run(_ bench: Bench) throws -> [Row] {
    let names = (0..<count).map { String(format: "n%05d", $0) }
    let pairs = Graphs.pairs(edges, of: count)
    let graph = try bench.scratch.write(Graphs.noops(names, edges: pairs), to: "groups.yaml")
    let lines = pairs.map { "\($0.from) \($0.to)\n" }.joined()
    let list = try bench.scratch.write("\(count)\n" + lines, to: "groups.list")

    func loop() throws -> [Double] {
      let numbers = try bench.programs.numbers("group_loop", [list])
      guard numbers.count == count + 1 else { throw Failure("group_loop printed \(numbers.count) numbers") }
      return numbers
    }
    let groups = try verify(try bench.compile(graph).graph, names, leaders: try loop().dropFirst().map { Int($0) })
    let (agent, baseline) = try bench.alternating({ try bench.compile(graph).graph.seconds }, { try loop()[0] })
    return [
      Row(
        "compile 10,000 noops, 20,000 edges: groups", .seconds, agent, baseline: baseline, bar: .atMost(1),
        notes: ["\(groups) groups, the same as those of the C program"])
    ]
  }

  /// The groups must be those of the C program, which names each by its first member. Returns how many there are.
  private func verify(_ graph: CompiledGraph, _ names: [String], leaders: [Int]) throws -> Int {
    let found = Dictionary(uniqueKeysWithValues: graph.vertices.map { ($0.name, $0.leader) })
    guard found.count == names.count, graph.edges.count == edges else {
      throw Failure("compiled are \(found.count) vertices and \(graph.edges.count) edges")
    }
    for (vertex, leader) in leaders.enumerated() {
      let expected = vertex == leader ? nil : "noop[\(names[leader])]"
      guard let actual = found[names[vertex]], actual == expected else {
        let actual = (found[names[vertex]] ?? nil) ?? "none"
        throw Failure("\(names[vertex]): its leader is \(actual), but group_loop has \(expected ?? "none")")
      }
    }
    let groups = Set(leaders).count
    guard groups < names.count else { throw Failure("nothing was grouped") }
    return groups
  }
}
