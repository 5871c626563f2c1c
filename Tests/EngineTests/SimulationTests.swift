// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Engine

/// Random graphs under random schedules of workers, events, failures, retries, limits, broken watches and swaps, from a seed.
@Suite struct SimulationTests {
  @Test("Order, notifications and convergence hold under random schedules", arguments: 0..<40)
  func schedules(block: Int) {
    for seed in block * 250..<(block + 1) * 250 {
      var world = World(seed: UInt64(seed))
      world.run()
      #expect(world.violations == [], "seed \(seed)")
    }
  }
}

struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// A world in which checks take random times and fail at random, and what must hold in it.
private struct World {
  private struct Running {
    var refresh: Bool
    /// Notifications it deals with.
    var owed: Set<Int>
  }

  private struct Wake {
    var vertex: Int
    var pause: Scheduler.Pause
    var due: UInt64
  }

  var violations: [String] = []
  private var scheduler = Scheduler()
  private var random: SeededGenerator
  private var now: UInt64 = 1
  private var vertices: Set<Int> = []
  private var hidden: Set<Int> = []
  private var edges: [Scheduler.Edge] = []
  private var running: [Int: Running] = [:]
  private var wakes: [Wake] = []
  private var unready: Set<Int> = []
  /// In their present lives.
  private var everSucceeded: Set<Int> = []
  /// By vertex: those whose notifications it has yet to deal with.
  private var owed: [Int: Set<Int>] = [:]
  private var broken: Set<Int> = []

  init(seed: UInt64) { random = SeededGenerator(state: seed) }

  private mutating func chance(_ one: Int, of many: Int) -> Bool { Int.random(in: 0..<many, using: &random) < one }

  mutating func run() {
    for vertex in 0..<Int.random(in: 1...12, using: &random) { add(vertex) }
    connect()
    scheduler.resume()
    for vertex in unready.sorted().shuffled(using: &random) { ready(vertex) }
    obey()
    for _ in 0..<Int.random(in: 0...80, using: &random) { step() }
    settle()
  }

  // MARK: What happens

  private mutating func step() {
    now += UInt64.random(in: 0...200, using: &random)
    switch Int.random(in: 0..<9, using: &random) {
    case 0: event()
    case 1: wakeOne()
    case 2:
      scheduler.pause()
      if chance(1, of: 2) { connect(anew: false) }
      scheduler.resume()
    case 3 where chance(1, of: 4): swap()
    case 4 where chance(1, of: 4): loseWatch()
    case 4: if let vertex = unready.sorted().randomElement(using: &random) { ready(vertex) }
    case 5: if let vertex = vertices.sorted().randomElement(using: &random), !hidden.contains(vertex) { receive(vertex) }
    default: if let vertex = running.keys.sorted().randomElement(using: &random) { end(vertex, fails: chance(1, of: 4)) }
    }
    obey()
  }

  private mutating func event() {
    guard let vertex = vertices.sorted().randomElement(using: &random) else { return }
    scheduler.event(vertex, now: now)
  }

  private mutating func receive(_ vertex: Int) { scheduler.received(vertex, now: now) }

  private mutating func wakeOne() {
    guard !wakes.isEmpty else { return }
    let wake = wakes.removeFirst()
    now = max(now, wake.due)
    scheduler.wake(wake.vertex, wake.pause)
  }

  private mutating func ready(_ vertex: Int) {
    guard running[vertex] == nil, unready.remove(vertex) != nil else { return }
    scheduler.ready(vertex, now: now)
  }

  private mutating func loseWatch() {
    guard let vertex = vertices.subtracting(hidden).sorted().randomElement(using: &random) else { return }
    scheduler.watchLost(vertex)
    unready.insert(vertex)
  }

  private mutating func end(_ vertex: Int, fails: Bool) {
    guard let check = running.removeValue(forKey: vertex) else { return }
    let changed = chance(1, of: 2)
    if !fails {
      everSucceeded.insert(vertex)
      if check.refresh { owed[vertex]?.subtract(check.owed) }
      if changed {
        for edge in edges where Int(edge.from) == vertex && edge.notify && !hidden.contains(Int(edge.to)) {
          owed[Int(edge.to), default: []].insert(vertex)
        }
      }
    }
    scheduler.checkEnded(vertex, fails ? .failure : .success(changed: changed), now: now)
  }

  // MARK: The graph

  private mutating func add(_ vertex: Int) {
    var treatment = Scheduler.Treatment(isRefreshable: true, isHidden: chance(1, of: 10))
    if chance(1, of: 3) { treatment.semaphores = ["s:2"] }
    if chance(1, of: 3) { treatment.retry = RetryPolicy(limit: chance(1, of: 3) ? -1 : 3, delay: 30, resets: chance(1, of: 2)) }
    if chance(1, of: 5) { treatment.bucket = TokenBucket(limit: 5, burst: 2) }
    scheduler.add(vertex, treatment)
    vertices.insert(vertex)
    if treatment.isHidden {
      hidden.insert(vertex)
      everSucceeded.insert(vertex)
    } else {
      unready.insert(vertex)
    }
  }

  /// Edges lead from lower to higher numbers.
  private mutating func connect(anew: Bool = true) {
    if anew {
      edges = []
      for to in vertices.sorted() {
        for from in vertices.sorted() where from < to && chance(1, of: 4) {
          edges.append(.init(from: from, to: to, notify: chance(1, of: 2)))
        }
      }
    }
    edges.removeAll { !vertices.contains(Int($0.from)) || !vertices.contains(Int($0.to)) }
    scheduler.replaceEdges(edges)
    // A notification goes with its edge.
    for (vertex, senders) in owed {
      owed[vertex] = senders.filter { sender in
        edges.contains { Int($0.from) == sender && Int($0.to) == vertex && $0.notify }
      }
    }
  }

  /// As the engine does it: those that leave are closed, end their checks, and go while everything is paused.
  private mutating func swap() {
    let leaving = vertices.sorted().filter { _ in chance(1, of: 3) }
    for vertex in leaving { scheduler.close(vertex) }
    obey()
    while let vertex = running.keys.sorted().first(where: leaving.contains) {
      end(vertex, fails: chance(1, of: 3))
      if chance(1, of: 3) { event() }
      obey()
    }
    scheduler.pause()
    for vertex in leaving {
      scheduler.remove(vertex)
      vertices.remove(vertex)
      hidden.remove(vertex)
      unready.remove(vertex)
      everSucceeded.remove(vertex)
      wakes.removeAll { $0.vertex == vertex }
    }
    for vertex in leaving where chance(2, of: 3) { add(vertex) }
    if chance(1, of: 2), let last = vertices.max() { add(last + 1) }
    for (vertex, _) in owed where !vertices.contains(vertex) || hidden.contains(vertex) { owed[vertex] = nil }
    connect(anew: chance(1, of: 2))
    scheduler.resume()
  }

  // MARK: What must hold

  /// Does what the scheduler asks for.
  private mutating func obey() {
    for action in scheduler.takeActions() {
      switch action {
      case .wakeLater(let vertex, let pause, let milliseconds):
        wakes.append(Wake(vertex: vertex, pause: pause, due: now + milliseconds))
      case .check(let vertex, let refresh): begin(vertex, refresh)
      }
    }
  }

  private mutating func begin(_ vertex: Int, _ refresh: Bool) {
    if !vertices.contains(vertex) || hidden.contains(vertex) { violations.append("\(vertex) is not to be checked") }
    if running[vertex] != nil { violations.append("\(vertex) runs twice at once") }
    if unready.contains(vertex) { violations.append("\(vertex) runs without a watch") }
    for edge in edges where Int(edge.to) == vertex && vertices.contains(Int(edge.from)) {
      if !everSucceeded.contains(Int(edge.from)) { violations.append("\(vertex) started before \(edge.from) ever succeeded") }
    }
    let notifications = owed[vertex] ?? []
    if !notifications.isEmpty, !refresh { violations.append("\(vertex) lost a notification") }
    running[vertex] = Running(refresh: refresh, owed: notifications)
  }

  /// From here on nothing fails but what is broken for good: all else must converge, or be kept back by that.
  private mutating func settle() {
    if chance(1, of: 3), let vertex = vertices.subtracting(hidden).sorted().randomElement(using: &random) { broken = [vertex] }
    for vertex in unready.sorted() where running[vertex] == nil { ready(vertex) }
    for vertex in vertices.sorted() { scheduler.event(vertex, now: now) }
    obey()
    var steps = 0
    while !running.isEmpty || !wakes.isEmpty || !unready.isEmpty {
      steps += 1
      // What is broken and retries without end is cut off by its watch.
      if steps == 2000 { for vertex in broken { scheduler.watchFailed(vertex) } }
      guard steps < 5000 else { return violations.append("never quiet") }
      wakeOne()
      obey()
      if let vertex = running.keys.sorted().randomElement(using: &random) { end(vertex, fails: broken.contains(vertex)) }
      for vertex in unready.sorted() { ready(vertex) }
      obey()
    }
    if !scheduler.isQuiet { violations.append("something is waited for that never comes") }
    if broken.isEmpty {
      if !scheduler.isConverged { violations.append("quiet but not converged") }
      let lost = owed.filter { !$0.value.isEmpty }
      if !lost.isEmpty { violations.append("notifications lost: \(lost)") }
    } else {
      checkBlame()
    }
  }

  /// Whatever is not as asked is broken, or comes after what is.
  private mutating func checkBlame() {
    var behind = broken
    for vertex in vertices.sorted() where edges.contains(where: { Int($0.to) == vertex && behind.contains(Int($0.from)) }) {
      behind.insert(vertex)
    }
    for vertex in vertices.sorted() {
      let flags = scheduler.flags(of: vertex)
      if broken.contains(vertex), !flags.contains(.failed) { violations.append("\(vertex) is broken and not reported") }
      guard flags.contains(.dirty), !broken.contains(vertex) else { continue }
      if !behind.contains(vertex) { violations.append("\(vertex) is not done, and nothing before it failed") }
      if scheduler.blockers(of: vertex).isEmpty { violations.append("\(vertex) is not done and nothing is to blame") }
    }
  }
}
