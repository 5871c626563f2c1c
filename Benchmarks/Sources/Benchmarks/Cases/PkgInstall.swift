// SPDX-License-Identifier: Apache-2.0

/// Three packages that are missing, beside one call of `pkcon install`.
struct PkgInstall: Benchmark {
  let name = "pkg-install"
  let summary = "3 packages missing: one transaction, as fast as pkcon install of the three"
  private let names = ["cowsay", "powertop", "sl"]

  func run(_ bench: Bench) throws -> [Row] {
    let machine = try PackageMachine(bench)
    let graph = try bench.scratch.write(Graphs.packages(names), to: "pkg-install.yaml")
    let once = bench.agent.once(graph)
    func install(_ command: [String]) throws -> Double {
      let usage = try machine.harness.measure(command)
      try machine.verify(names)
      try machine.remove(names)
      return usage.wall
    }
    let pkcon = ["/usr/bin/pkcon", "install", "--noninteractive", "-y"] + names
    _ = (try install(once), try install(pkcon))
    let small = try bench.alternating({ try install(once) }, { try install(pkcon) })
    try machine.addIndex(of: 60_000)
    _ = (try install(once), try install(pkcon))
    let calls = try machine.calls { _ = try install(once) }
    let pkconCalls = try machine.calls { _ = try install(pkcon) }
    let large = try bench.alternating({ try install(once) }, { try install(pkcon) })
    return [
      Row(
        "3 packages missing: installing transactions", .count, [Double(calls["InstallPackages"] ?? 0)], bar: .exactly(1),
        notes: [PackageMachine.text(calls), "pkcon: " + PackageMachine.text(pkconCalls)]),
      Row(
        "3 packages missing: wall (pkcon install)", .seconds, small.0, baseline: small.1, bar: .timesBaseline(1.1, plus: 0)),
      Row(
        "… of 60,000 that are known: wall", .seconds, large.0, baseline: large.1, bar: .timesBaseline(1.1, plus: 0)),
    ]
  }
}
