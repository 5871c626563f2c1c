// SPDX-License-Identifier: Apache-2.0
import Foundation

/// `mgmt --version`, beside a C program and a Swift program that print one line.
struct Version: Benchmark {
  let name = "version"
  let summary = "mgmt --version, from fork to exit"

  func run(_ bench: Bench) throws -> [Row] {
    let programs = bench.programs
    let swift = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("HelloSwift").path
    _ = try programs.measure([bench.agent.path, "--version"])
    var swiftHello: [Double] = []
    let (agent, hello) = try bench.alternating(
      times: 20,
      { try programs.measure([bench.agent.path, "--version"]).wall },
      {
        if let swift, access(swift, X_OK) == 0 { swiftHello.append(try programs.measure([swift]).wall) }
        return try programs.measure([programs.path("hello")]).wall
      })
    let note =
      swiftHello.isEmpty ? [] : ["a Swift program that prints one line: \(Unit.seconds.text(Samples(swiftHello).median))"]
    return [Row("mgmt --version (C hello)", .seconds, agent, baseline: hello, bar: .atMost(0.010), notes: note)]
  }
}
