// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The example graph of three commands in a row and one beside them, ten seconds each, with five seconds to converge.
struct Graph8: Benchmark {
  let name = "graph8"
  let summary = "examples/yaml/graph8.yaml: 35 s, and its two first commands start together"

  func run(_ bench: Bench) throws -> [Row] {
    let graph = bench.options.repository + "/examples/yaml/graph8.yaml"
    guard access(graph, R_OK) == 0 else { throw Failure.system(graph) }
    let dot = bench.scratch.file("graph8.dot")
    let flags = ["--json", "--hostname", "bench", "--converged-timeout=5", "--graphviz=" + dot]
    let log = "graph8.out"
    let usage = try bench.programs.measure(bench.agent.command(flags, graph), limit: 60, log: log)
    let events = try Event.read(bench.programs.path(log))
    func start(_ name: String) throws -> Double {
      guard let time = events.first(where: { $0.name == "check-started" && $0.resource == "exec[\(name)]" })?.time else {
        throw Failure("no event tells when exec[\(name)] started")
      }
      return time
    }
    let skew = abs(try start("exec1") - start("exec4"))
    let names = ["graph8.dot", "graph8.dot@bench", "graph8.dot.png", "graph8.dot@bench.png"]
    let written = names.filter { access(bench.scratch.file($0), F_OK) == 0 }
    let note = "graph written to: " + (written.isEmpty ? "no file" : written.joined(separator: ", "))
    return [
      Row("graph8 with --converged-timeout=5", .seconds, [usage.wall], bar: .between(35, 35.5), notes: [note]),
      Row("graph8: exec1 and exec4 start apart", .seconds, [skew], bar: .atMost(0.020)),
    ]
  }
}
