// SPDX-License-Identifier: Apache-2.0

/// 3, 100 and 1,000 packages that are installed, beside a C program that asks PackageKit once for the same names: on a machine
/// that knows as many packages as Debian has, and on one that knows few others, where the question takes as long as starting the agent.
struct PkgCheck: Benchmark {
  let name = "pkg-check"
  let summary = "3, 100 and 1,000 packages, all installed: one Resolve"
  private let counts = [3, 100, 1_000]

  func run(_ bench: Bench) throws -> [Row] {
    let machine = try PackageMachine(bench)
    try machine.harness.run("harness-repository installed \(counts.max() ?? 0)")
    let small = try rows(counts[0], "3 packages installed", machine, bench)
    try machine.addIndex(of: 60_000)
    return try small
      + counts.flatMap { count in
        let number = count >= 1_000 ? "\(count / 1_000),000" : "\(count)"
        return try rows(count, "\(number) of 60,000 installed", machine, bench)
      }
  }

  private func rows(_ count: Int, _ title: String, _ machine: PackageMachine, _ bench: Bench) throws -> [Row] {
    let names = (1...count).map { "many-\($0)" }
    let graph = try bench.scratch.write(Graphs.packages(names), to: "pkg-check.yaml")
    let nothing = try bench.scratch.write(Graphs.noops(1), to: "pkg-nothing.yaml")
    let list = try bench.scratch.write(names.joined(separator: "\n") + "\n", to: "pkg-check.list")
    func check() throws -> (wall: Double, inside: Double, cpu: Double) {
      let log = "pkg-check.out"
      let usage = try machine.harness.measure(bench.agent.command(["--json", "--converged-timeout=0"], graph), log: log)
      let events = try Event.read(bench.programs.path(log))
      guard let start = events.first(where: { $0.name == "start" })?.time,
        let end = events.first(where: { $0.name == "converged" })?.time
      else { throw Failure("the agent has not converged") }
      return (usage.wall, end - start, usage.cpu)
    }
    func resolve() throws -> Double {
      let log = "resolve.out"
      let usage = try machine.harness.measure([bench.programs.path("resolve"), list], log: log)
      let found = try Proc.text(bench.programs.path(log)).split(separator: "\n").first
      guard found == "\(count)" else { throw Failure("resolve found \(found ?? "nothing") of \(count) packages") }
      return usage.wall
    }
    _ = (try check(), try resolve())
    let calls = try machine.calls { _ = try check() }
    var idle: [Double] = []
    let (agent, baseline) = try bench.alternating(
      check,
      {
        idle.append(try machine.harness.measure(bench.agent.once(nothing)).wall)
        return try resolve()
      })
    func text(_ seconds: [Double]) -> String { Unit.seconds.text(Samples(seconds).median) }
    return [
      Row(
        "\(title): Resolve calls", .count, [Double(calls["Resolve"] ?? 0)], bar: .exactly(1),
        notes: [PackageMachine.text(calls)]),
      Row(
        "\(title): start to converged (one Resolve)", .seconds, agent.map(\.inside), baseline: baseline,
        bar: .timesBaseline(1.2, plus: 0)),
      Row(
        "\(title): wall (one Resolve)", .seconds, agent.map(\.wall), baseline: baseline, bar: .timesBaseline(1.2, plus: 0),
        notes: ["the agent with one noop, in turn with these: \(text(idle)); CPU time of the agent: \(text(agent.map(\.cpu)))"]),
    ]
  }
}
