// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Bench {
  /// CPU seconds that an agent, and a process beside it, use while nothing happens, from one second on: what follows converging (a log line, a
  /// thread that ends) is not idling.
  func idle(_ running: Agent.Running, beside other: pid_t) throws -> (agent: Double, other: Double) {
    sleep(1)
    func used() throws -> (Double, Double) { (try Proc.cpuSeconds(running.pid), try Proc.cpuSeconds(other)) }
    let before = try used()
    let start = ContinuousClock.now
    try Deadline(seconds: Double(options.idleSeconds) + 5).until("the idle time is over", every: 0.2) {
      if running.child.hasEnded { throw Failure("the agent ended while it should idle\(running.child.tail)") }
      return ContinuousClock.now - start >= .seconds(options.idleSeconds)
    }
    let after = try used()
    return (after.0 - before.0, after.1 - before.1)
  }
}
