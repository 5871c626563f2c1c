// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The same packages by the agent and by `puppet apply`, on the same machine, in turn: all there, and all missing.
struct PuppetApply: Benchmark {
  let name = "puppet"
  let summary = "3 and 20 packages, check and install, beside puppet apply"
  private let puppet = "/usr/bin/puppet"

  func run(_ bench: Bench) throws -> [Row] {
    guard access(puppet, X_OK) == 0 else { throw Skipped("there is no \(puppet) (Debian's puppet-agent)") }
    let machine = try PackageMachine(bench)
    try machine.harness.run("harness-repository many 20 >&2")
    try machine.addIndex(of: 60_000)
    return try [3, 20].flatMap { try rows($0, machine, bench) }
  }

  private func rows(_ count: Int, _ machine: PackageMachine, _ bench: Bench) throws -> [Row] {
    let names = (1...count).map { "many-\($0)" }
    let graph = try bench.scratch.write(Graphs.packages(names), to: "puppet.yaml")
    let quoted = names.map { "'\($0)'" }.joined(separator: ", ")
    let manifest = try bench.scratch.write("package { [\(quoted)]: ensure => installed }\n", to: "puppet.pp")
    let commands = (bench.agent.once(graph), [puppet, "apply", "--color=false", manifest])
    func check(_ command: [String]) throws -> Double {
      let wall = try machine.harness.measure(command).wall
      try machine.verify(names)
      return wall
    }
    func install(_ command: [String]) throws -> Double {
      try machine.remove(names)
      return try check(command)
    }
    func row(_ title: String, _ measured: ([Double], [Double])) -> Row {
      let faster = Samples(measured.1).median / Samples(measured.0).median
      return Row(
        "\(count) packages, \(title): wall (puppet apply)", .seconds, measured.0, baseline: measured.1, bar: .none,
        notes: ["puppet apply takes \(Unit.factor.text(faster)) as long"])
    }
    try machine.harness.run("apt-get install -qq \(names.joined(separator: " ")) >&2")
    _ = (try check(commands.0), try check(commands.1))
    let pairs = min(3, bench.options.pairs)
    return [
      row("all there", try bench.alternating(times: pairs, { try check(commands.0) }, { try check(commands.1) })),
      row("all missing", try bench.alternating(times: pairs, { try install(commands.0) }, { try install(commands.1) })),
    ]
  }
}
