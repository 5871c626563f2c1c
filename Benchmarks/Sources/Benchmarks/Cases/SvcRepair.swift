// SPDX-License-Identifier: Apache-2.0

/// How soon a service runs again after `systemctl stop`: the same prober against the agent and against a C program that listens to
/// systemd's signals, in turn, on a machine of its own.
struct SvcRepair: Benchmark {
  let name = "svc-repair"
  let summary = "latency of repair after a service was stopped, 200 times"
  private let rounds = 200
  private let unit = "demo.service"

  func run(_ bench: Bench) throws -> [Row] {
    let harness = try Harness(.systemd, bench)
    // Enabled: systemd forgets a unit that nobody wants once it is stopped, with its times.
    try harness.install(
      unit,
      """
      [Unit]
      StartLimitIntervalSec=0
      [Service]
      ExecStart=/bin/sleep infinity
      [Install]
      WantedBy=multi-user.target

      """)
    try harness.run("systemctl enable --quiet \(unit)")
    let graph = try bench.scratch.write(Graphs.services([unit]), to: "svc-repair.yaml")

    let pairs = bench.options.pairs
    /// Nanoseconds as seconds; the first rounds warm up.
    func probe() throws -> [Double] {
      _ = try harness.numbers("svc_probe", [unit, "5"])
      return try harness.numbers("svc_probe", [unit, String((rounds + pairs - 1) / pairs)], limit: 300).map { $0 / 1e9 }
    }
    // Only one of them at a time: both would be woken by each signal.
    let (agent, baseline) = try bench.alternating(
      {
        let running = try bench.agent.start(graph, name: "svc-repair", inside: harness)
        let result = try probe()
        try bench.agent.stop(running)
        return result
      },
      {
        let loop = try harness.start([bench.programs.path("svc_loop"), unit], log: "svc-loop.out", until: "ready")
        let result = try probe()
        try harness.stop(loop)
        return result
      })

    func rows(_ title: String, _ offset: Int) -> [Row] {
      func pick(_ runs: [[Double]]) -> [Double] {
        runs.flatMap { run in stride(from: offset, to: run.count, by: 2).map { run[$0] } }
      }
      let (measured, base) = (pick(agent), pick(baseline))
      return [
        Row("\(title): p50", .seconds, measured, baseline: base, bar: .timesBaseline(1.5, plus: 0)),
        Row("\(title): p99", .seconds, measured, baseline: base, bar: .none, percentile: 99),
      ]
    }
    return rows("service stopped → runs again", 0) + rows("… by systemd's clock, inactive → active", 1)
  }
}
