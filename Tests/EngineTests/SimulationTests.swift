// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Engine

/// Random graphs under random schedules of events, failures and recoveries, from a seed.
@Suite struct SimulationTests {
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }

  private struct World {
    var scheduler = Scheduler()
    var random: Generator
    var edges: [Scheduler.Edge] = []
    var running: [Int: Bool] = [:]
    var everSucceeded: Set<Int> = []
    /// Notifications a vertex has been owed since it last succeeded.
    var owed: Set<Int> = []
    var wakes: [Int] = []
    var now: UInt64 = 0

    mutating func collect() -> [String] {
      var violations: [String] = []
      for action in scheduler.takeActions() {
        switch action {
        case .wakeLater(let vertex, _): wakes.append(vertex)
        case .check(let vertex, let refresh):
          if running[vertex] != nil { violations.append("\(vertex) runs twice at once") }
          for edge in edges where Int(edge.to) == vertex && !everSucceeded.contains(Int(edge.from)) {
            violations.append("\(vertex) started before \(edge.from) ever succeeded")
          }
          if owed.contains(vertex), !refresh { violations.append("\(vertex) lost a notification") }
          running[vertex] = refresh
        }
      }
      return violations
    }

    mutating func end(_ vertex: Int, fails: Bool) {
      guard let refresh = running.removeValue(forKey: vertex) else { return }
      let changed = Bool.random(using: &random)
      if !fails {
        everSucceeded.insert(vertex)
        if refresh { owed.remove(vertex) }
        if changed {
          for edge in edges where Int(edge.from) == vertex && edge.notify && running[Int(edge.to)] == nil {
            owed.insert(Int(edge.to))
          }
        }
      }
      scheduler.checkEnded(vertex, fails ? .failure : .success(changed: changed), now: now)
    }
  }

  @Test("Order, notifications and convergence hold under random schedules", arguments: 0..<40)
  func schedules(block: Int) {
    for seed in block * 250..<(block + 1) * 250 {
      let violations = simulate(seed: UInt64(seed))
      #expect(violations == [], "seed \(seed)")
    }
  }

  private func simulate(seed: UInt64) -> [String] {
    var world = World(random: Generator(state: seed))
    let count = Int.random(in: 1...12, using: &world.random)
    for vertex in 0..<count { world.scheduler.add(vertex, refreshable: true, semaphores: vertex % 3 == 0 ? ["s:2"] : []) }
    for to in 0..<count {
      for from in 0..<to where Int.random(in: 0..<4, using: &world.random) == 0 {
        world.edges.append(.init(from: from, to: to, notify: Bool.random(using: &world.random)))
      }
    }
    world.scheduler.replaceEdges(world.edges)
    world.scheduler.resume()
    for vertex in (0..<count).shuffled(using: &world.random) { world.scheduler.ready(vertex) }
    var violations = world.collect()

    for _ in 0..<Int.random(in: 0...60, using: &world.random) {
      world.now += UInt64.random(in: 0...200, using: &world.random)
      switch Int.random(in: 0..<6, using: &world.random) {
      case 0: world.scheduler.event(Int.random(in: 0..<count, using: &world.random), now: world.now)
      case 1 where !world.wakes.isEmpty: world.scheduler.wake(world.wakes.removeFirst())
      case 2:
        world.scheduler.pause()
        if Bool.random(using: &world.random) { world.scheduler.replaceEdges(world.edges) }
        world.scheduler.resume()
      default:
        guard let vertex = world.running.keys.sorted().randomElement(using: &world.random) else { continue }
        world.end(vertex, fails: Int.random(in: 0..<4, using: &world.random) == 0)
      }
      violations += world.collect()
    }
    return violations + settle(&world, count)
  }

  /// From here on nothing fails: everything must converge.
  private func settle(_ world: inout World, _ count: Int) -> [String] {
    var violations: [String] = []
    for vertex in 0..<count { world.scheduler.event(vertex, now: world.now) }
    violations += world.collect()
    var steps = 0
    while !world.running.isEmpty || !world.wakes.isEmpty {
      steps += 1
      guard steps < 10_000 else { return violations + ["never quiet"] }
      if !world.wakes.isEmpty { world.scheduler.wake(world.wakes.removeFirst()) }
      violations += world.collect()
      if let vertex = world.running.keys.sorted().randomElement(using: &world.random) { world.end(vertex, fails: false) }
      violations += world.collect()
    }
    if !world.scheduler.isConverged { violations.append("quiet but not converged") }
    if !world.owed.isEmpty { violations.append("notifications lost: \(world.owed)") }
    return violations
  }
}
