// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@testable import Engine

/// Repairs that somebody undoes.
@Suite struct FightTests {
  // MARK: The value

  private func repair(_ fights: inout Fights, _ count: Int, slot: Int = 0, from start: UInt64, every step: UInt64)
    -> [Fights.Verdict]
  {
    (0..<count).map { fights.changed(slot, isRepair: true, now: start + UInt64($0) * step) }
  }

  @Test("More than 20 repairs within 2 s are a fight; fewer, or slower ones, however many, are not")
  func limit() {
    var few = Fights()
    #expect(repair(&few, 20, from: 5, every: 0).allSatisfy { $0 == .single })
    var slow = Fights()
    #expect(repair(&slow, 500, from: 0, every: 101).allSatisfy { $0 == .single })
    var many = Fights()
    let verdicts = repair(&many, 22, from: 0, every: 99)
    #expect(verdicts[19] == .single)
    #expect(verdicts[20] == .begins(repairs: 21, milliseconds: 1980, companions: []))
    #expect(verdicts[21] == .goesOn)
    #expect(many[0] == Fights.Fight(repairs: 22, since: 0, last: 2079))
    #expect(many[1] == nil)
  }

  @Test("What notifications lead to is no fight, but may be with whom")
  func companions() {
    var fights = Fights()
    for now in 0..<100 { #expect(fights.changed(7, isRepair: false, now: UInt64(now)) == .single) }
    _ = repair(&fights, 3, slot: 8, from: 90, every: 1)
    let last = repair(&fights, 21, slot: 1, from: 100, every: 1).last
    #expect(last == .begins(repairs: 21, milliseconds: 20, companions: [7]))
  }

  @Test("Over when it was not put right for 10 s; told how often it was")
  func peace() {
    var fights = Fights()
    _ = repair(&fights, 21, from: 0, every: 1)
    #expect(fights.end(0, now: 5020) == .wait(milliseconds: 5000))
    _ = repair(&fights, 1, from: 6000, every: 1)
    #expect(fights.end(0, now: 10_020) == .wait(milliseconds: 5980))
    #expect(fights.end(0, now: 16_000) == .over(repairs: 22))
    #expect(fights.isEmpty && fights.end(0, now: 16_000) == nil)
    #expect(repair(&fights, 1, from: 16_001, every: 1) == [.single], "and the next one has to begin anew")
  }

  @Test("What leaves is forgotten")
  func forgotten() {
    var fights = Fights()
    _ = repair(&fights, 21, from: 0, every: 1)
    #expect(fights.forget(0) == 21)
    #expect(fights.isEmpty && fights.forget(0) == nil)
  }

  // MARK: In the scheduler

  @Test("A vertex that rests is quiet; what happens meanwhile is one check, later")
  func resting() {
    var s = Scheduler.of(1)
    s.converge()
    s.event(0, now: 0)
    _ = s.checks()
    s.finish(0, changed: true)
    s.rest(0, milliseconds: 1000)
    #expect(s.takeActions() == [.wakeLater(0, .fight, milliseconds: 1000)])
    for now in 0..<5 { s.event(0, now: UInt64(now)) }
    #expect(s.checks() == [])
    #expect(s.isQuiet && !s.isConverged)
    s.wake(0, .fight)
    #expect(s.checks() == [0])
    s.finish(0)
    #expect(s.isConverged)
  }

  // MARK: In the engine

  /// Undoes each repair of a resource until a fight is on.
  private func spoil(_ bench: Bench, _ name: String) throws {
    bench.factory.script(name) { $0.always = .changed }
    var events = 0
    #expect(
      try bench.turn {
        if bench.factory.watched[name] != nil, bench.engine.fights.isEmpty, events < 1000 {
          bench.factory.event(name)
          events += 1
        }
        return !bench.engine.fights.isEmpty
      })
  }

  @Test("Told once, put right less often, and no convergence is claimed until it is over")
  func engine() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")])
    try spoil(bench, "a")
    for _ in 0..<50 {
      bench.factory.event("a")
      try bench.reactor.runOnce(maximumWait: 1)
    }
    let news = bench.events.compactMap { event in
      if case .fightBegan(let id, let news) = event { "\(id) \(news.code)" } else { nil }
    }
    #expect(news == ["thing[a] resource.fight"])
    #expect(bench.status("a")?.fight?.companions == [])
    #expect(bench.status("a")?.waiting == .fight)
    #expect(bench.status("b")?.fight == nil)
    #expect(!bench.engine.isConverged)
    #expect(bench.convergence.last == "stalled")
    #expect(bench.status("a").map { $0.changes <= 24 } == true, "put right once a second at most")
    // Calm for 10 s, as the fight sees it.
    let slot = bench.slot("a")
    #expect(bench.engine.fights.end(slot, now: bench.engine.milliseconds() + Fights.peace) != nil)
    bench.factory.script("a") { $0.always = .ok }
    #expect(try bench.turn { bench.engine.isConverged })
    #expect(bench.phase("a") == .ok)
  }

  @Test("Converges not, but ends: the fight counts as quiet")
  func stalls() throws {
    let bench = try Bench { $0.convergedTimeout = 1 }
    bench.apply([thing("a"), thing("b")], [.notify("a", "b")])
    #expect(try bench.turn { bench.engine.isConverged })
    try spoil(bench, "a")
    bench.factory.script("b") { $0.always = .changed }
    #expect(
      try bench.turn {
        if bench.factory.watched["a"] != nil { bench.factory.event("a") }
        return bench.convergence.last == "stalled"
      })
  }

  @Test("A resource that leaves the graph, or is declared anew, takes its fight along")
  func leaves() throws {
    let bench = try Bench()
    try bench.start([thing("a")])
    try spoil(bench, "a")
    bench.apply([thing("a", text: "new")])
    #expect(try bench.turn { bench.engine.fights.isEmpty })
    let ends = bench.events.compactMap { if case .fightEnded(let id, let repairs) = $0 { (id.name, repairs) } else { nil } }
    #expect(ends.count == 1 && ends.first?.0 == "a" && (ends.first?.1 ?? 0) > Fights.limit)
  }

  @Test("Two of one graph that undo each other are told about each other")
  func oneGraph() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")])
    for name in ["a", "b"] { bench.factory.script(name) { $0.always = .changed } }
    bench.onEvent = { [unowned bench] event in
      guard case .checkEnded(let id, _, _) = event, bench.engine.fights.isEmpty else { return }
      bench.reactor.afterCallback { [unowned bench] in bench.factory.event(id.name == "a" ? "b" : "a") }
    }
    bench.factory.event("a")
    #expect(try bench.turn { !bench.engine.fights.isEmpty })
    let fought = try #require(bench.engine.status().first { $0.fight != nil })
    #expect(fought.fight?.companions.map(\.name) == [fought.id.name == "a" ? "b" : "a"])
  }
}

/// Why something is changed.
@Suite struct ReasonTests {
  private func reasons(_ bench: Bench, _ name: String) -> [ChangeReason] {
    bench.events.compactMap { event in
      if case .checkEnded(let id, _, let context) = event, id.name == name { context.reason } else { nil }
    }
  }

  @Test("What follows from an edit before it is intended; what somebody does afterwards is corrective")
  func inherited() throws {
    let bench = try Bench()
    let arrows = [Arrow.order("a", "b"), .order("b", "c")]
    try bench.start([thing("a"), thing("b"), thing("c"), thing("other")], arrows)
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.apply([thing("a", text: "new"), thing("b"), thing("c"), thing("other")], arrows)
    try bench.settle()
    bench.factory.script("b") { $0.ends = [.changed] }
    for name in ["b", "other"] { bench.factory.event(name) }
    try bench.settle()
    bench.factory.event("c")
    try bench.settle()
    #expect(reasons(bench, "b") == [.intended])
    #expect(reasons(bench, "c") == [.intended])
    #expect(reasons(bench, "other") == [.corrective], "it has nothing to do with it")
    bench.forget()
    for name in ["b", "c"] {
      bench.factory.event(name)
      try bench.settle()
    }
    #expect(reasons(bench, "b") == [.corrective] && reasons(bench, "c") == [.corrective])
  }

  @Test("What follows from a repair is corrective, what it receives from an edit is intended")
  func received() throws {
    let bench = try Bench()
    try bench.start([thing("s", text: "old"), thing("r")], [.send("s", "text", "r", "text")])
    bench.factory.script("s") { $0.ends = [.changed] }
    bench.factory.script("r") { $0.ends = [.changed] }
    bench.factory.event("s")
    try bench.settle()
    bench.factory.event("r")
    try bench.settle()
    #expect(reasons(bench, "s") == [.corrective] && reasons(bench, "r") == [.corrective])
    bench.forget()
    for name in ["s", "r"] { bench.factory.script(name) { $0.ends = [.changed] } }
    bench.apply([thing("s", text: "new"), thing("r")], [.send("s", "text", "r", "text")])
    try bench.settle()
    #expect(reasons(bench, "s") == [.intended] && reasons(bench, "r") == [.intended])
  }
}
