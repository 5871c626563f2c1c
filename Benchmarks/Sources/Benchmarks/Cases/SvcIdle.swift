// SPDX-License-Identifier: Apache-2.0
import Foundation

/// CPU time and bus connections of an agent with 500 services while nothing happens; a C program that listens to systemd idles beside it.
struct SvcIdle: Benchmark {
  let name = "svc-idle"
  let summary = "500 services, nothing happens: connections to the bus, CPU time"
  private let count = 500

  func run(_ bench: Bench) throws -> [Row] {
    let harness = try Harness(.systemd, bench)
    try harness.install("idle@.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
    let units = (0..<count).map { "idle@\($0).service" }
    let graph = try bench.scratch.write(Graphs.services(units), to: "svc-idle.yaml")
    let running = try bench.agent.start(graph, name: "svc-idle", inside: harness)
    let loop = try harness.start([bench.programs.path("svc_loop"), units[0]], log: "svc-loop.out", until: "ready")
    func connections() throws -> Double {
      guard let inner = Proc.innermostID(running.pid) else { throw Failure("the agent has ended\(running.child.tail)") }
      let list = try harness.run("busctl --system list --unique --no-legend")
      return Double(list.split(separator: "\n").filter { $0.split(separator: " ").dropFirst().first == "\(inner)" }.count)
    }
    let connectionsBefore = try connections()
    let seconds = bench.options.idleSeconds
    let used = try bench.idle(running, beside: loop.pid)
    let connectionsAfter = try connections()
    let active = try harness.run("systemctl list-units --no-legend --state=active 'idle@*' | wc -l")
    guard Int(active.trimmingCharacters(in: .whitespacesAndNewlines)) == count else {
      throw Failure("of \(count) services there run \(active)")
    }
    try bench.agent.stop(running)
    try harness.stop(loop)
    return [
      Row("\(count) services: connections to the bus", .count, [max(connectionsBefore, connectionsAfter)], bar: .exactly(1)),
      Row(
        "\(count) services idle for \(seconds) s: CPU", .seconds, [used.agent], baseline: [used.other],
        bar: .atMost(0.020 * Double(seconds) / 60)),
    ]
  }
}
