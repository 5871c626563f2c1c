// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing
import Values

@testable import Engine

/// Graphs that come faster than they converge, over checks that end when chance has it.
@Suite struct SwapUnderFireTests {
  @Test("Under fire: 200 random graphs: each resource keeps its rules, and nothing is lost or done twice", arguments: 0..<30)
  func fire(seed: Int) throws {
    let fire = try Fire(seed: UInt64(seed))
    try fire.run(graphs: 200)
    #expect(fire.violations == [], "seed \(seed)")
  }

  @Test("Under fire: what is equal in both graphs is neither made nor checked again")
  func equal() throws {
    let bench = try Bench()
    var random = SeededGenerator(state: 1)
    var running: [String: String] = [:]
    for _ in 0..<200 {
      var next: [String: String] = [:]
      for name in 0..<8 where Bool.random(using: &random) { next["t\(name)"] = Bool.random(using: &random) ? "x" : "y" }
      bench.apply(next.sorted { $0.key < $1.key }.map { thing($0.key, text: $0.value) })
      try bench.settle()
      let fresh = next.filter { running[$0.key] != $0.value }.keys.sorted()
      let calls = bench.take()
      #expect(calls.filter { $0.hasPrefix("make ") }.sorted() == fresh.map { "make \($0)" })
      #expect(calls.filter { $0.hasPrefix("check ") }.sorted() == fresh.map { "check \($0)" })
      running = next
    }
  }
}

/// A random world around an engine. All checks are held and ended by chance.
private final class Fire {
  private let bench: Bench
  private var random: SeededGenerator
  /// No notifications: then each check has a cause of its own.
  private let isCalm: Bool
  private let mayFail: Bool
  /// Some kinds take their time before a graph can come in.
  private let mayPrepare: Bool
  private var graphs: [String: ResourceGraph] = [:]
  private var committed: ResourceGraph?
  private var instances: [String: FakeInstance] = [:]
  /// By instance, for those that are in no group: how often it may be checked at most.
  private var allowed: [ObjectIdentifier: Int] = [:]
  /// Kept, so that their identifiers are not used again.
  private var known: [ObjectIdentifier: FakeInstance] = [:]
  /// How often it had been checked when its last event came.
  private var checksBefore: [ObjectIdentifier: Int] = [:]
  /// Name and text of all that is to be realized, and of what was.
  private var urgent: Set<String> = []
  private var realized: Set<String> = []
  private(set) var violations: [String] = []

  init(seed: UInt64) throws {
    bench = try Bench()
    random = SeededGenerator(state: seed)
    isCalm = seed % 2 == 0
    mayFail = seed % 3 == 0
    mayPrepare = seed % 5 < 3
    bench.factory.holdsPreparations = mayPrepare
    for name in Self.names { bench.factory.script(name) { $0.always = .held } }
    bench.onEvent = { [unowned self] in heard($0) }
  }

  private static let names = (0..<10).map { "t\($0)" }

  private func chance(_ one: Int, of many: Int) -> Bool { Int.random(in: 0..<many, using: &random) < one }

  func run(graphs count: Int) throws {
    for number in 0..<count {
      apply(number)
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        step()
        if chance(1, of: 3) { try bench.reactor.runOnce(maximumWait: 0) }
      }
    }
    try settle()
  }

  // MARK: What happens

  private func apply(_ number: Int) {
    var graph = ResourceGraph(name: "\(number)")
    for name in Self.names where chance(2, of: 3) {
      let isUrgent = !mayFail && chance(1, of: 40)
      let text = chance(1, of: 4) ? "new" : "usual"
      graph.resources.append(thing(name, kind: kind(of: name), text: text) { $0.realize = isUrgent })
    }
    for to in graph.resources.indices {
      for from in 0..<to where chance(1, of: 5) {
        graph.edges.append(ResourceEdge(from: from, to: to, notify: !isCalm && chance(1, of: 2)))
      }
    }
    for resource in graph.resources where resource.meta.realize { urgent.insert(key(resource.id.name, resource.parameters)) }
    graphs[graph.name] = graph
    bench.engine.apply(graph)
  }

  /// Some may form groups.
  private func kind(of name: String) -> String {
    switch name {
    case "t7", "t8", "t9": "group"
    case "t6" where mayPrepare: "prepared"
    default: "thing"
    }
  }

  private func key(_ name: String, _ parameters: [Value]) -> String { "\(name) \(parameters[0])" }

  private func step() {
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      if let name = bench.factory.watched.keys.sorted().randomElement(using: &random) { event(name) }
    case 1 where mayPrepare: bench.factory.endPreparations()
    default: finishOne()
    }
  }

  private func event(_ name: String) {
    guard let instance = bench.factory.watched[name] else { return }
    allowed[ObjectIdentifier(instance), default: 0] += 1
    checksBefore[ObjectIdentifier(instance)] = instance.checkCount
    known[ObjectIdentifier(instance)] = instance
    bench.factory.event(name)
  }

  private func finishOne() {
    guard let name = bench.factory.running.keys.sorted().randomElement(using: &random),
      let instance = bench.factory.running[name]
    else { return }
    let end: FakeFactory.End = mayFail && chance(1, of: 5) ? .failed : chance(1, of: 3) ? .changed : .ok
    if end != .failed { realize(instance) }
    bench.factory.finish(name, end)
  }

  private func realize(_ instance: FakeInstance) {
    realized.insert(key(instance.id.name, instance.parameters))
    for member in instance.members { realize(member) }
  }

  /// Nothing fails any more; all events have come.
  private func settle() throws {
    for name in bench.factory.watched.keys.sorted() where mayFail || chance(1, of: 2) { event(name) }
    let isDone = try bench.turn {
      bench.factory.endPreparations()
      while let name = bench.factory.running.keys.sorted().randomElement(using: &random) {
        if let instance = bench.factory.running[name] { realize(instance) }
        bench.factory.finish(name)
      }
      return bench.engine.isConverged
    }
    if !isDone { violations.append("never converged") }
    violations += bench.factory.violations
    if !mayFail, !urgent.isSubset(of: realized) { violations.append("not realized: \(urgent.subtracting(realized))") }
    if committed?.name != "\(graphs.count - 1)" { violations.append("the last graph did not come in") }
    checkCounts()
    bench.engine.end()
    violations += bench.factory.violations
    if bench.factory.made != bench.factory.destroyed {
      violations.append("\(bench.factory.made) made, \(bench.factory.destroyed) destroyed")
    }
  }

  // MARK: What must hold

  private func heard(_ event: EngineEvent) {
    switch event {
    case .graphStarted(let summary): cameIn(summary.name)
    case .graphRejected(let reasons): violations.append("refused: \(reasons)")
    default: break
    }
  }

  /// Equal resources are the very same instances. Those that come are not watched yet.
  private func cameIn(_ name: String) {
    guard let graph = graphs[name] else { return }
    let before = Dictionary(uniqueKeysWithValues: (committed?.resources ?? []).map { ($0.id.name, $0) })
    for resource in graph.resources where resource.id.kind == "thing" {
      let place = bench.engine.place(of: resource.id, isHidden: false)
      let instance = place.flatMap { bench.engine.entries[$0.slot]?.leader.instance as? FakeInstance }
      if let old = before[resource.id.name], old.isEquivalent(to: resource), instances[resource.id.name] !== instance {
        violations.append("\(resource.id) is another in graph \(name)")
      }
      instances[resource.id.name] = instance
      if let instance { known[ObjectIdentifier(instance)] = instance }
    }
    committed = graph
  }

  /// One check when it comes, and one for each event, or for several at once.
  private func checkCounts() {
    for instance in bench.factory.watched.values {
      if let before = checksBefore[ObjectIdentifier(instance)], instance.checkCount <= before {
        violations.append("\(instance.id) was not checked after its last event")
      }
    }
    guard isCalm else { return }
    for (id, instance) in known where instance.id.kind == "thing" && instance.checkCount > 1 + (allowed[id] ?? 0) {
      violations.append("\(instance.id) was checked \(instance.checkCount) times for \(allowed[id] ?? 0) events")
    }
  }
}
