// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing
import Values

@testable import Engine
@testable import Reactor

/// §12 of the specification, as far as the engine does it: what it asks of the factory, and when.
@Suite struct ReversalTests {
  private func reversible(_ name: String, text: String = "new", _ change: (inout MetaParameters) -> Void = { _ in }) -> Resource
  {
    thing(name, kind: "reversible", text: text) {
      $0.reverse = true
      change(&$0)
    }
  }

  @Test("§12 Enable: recorded by the first check that applies and succeeds, by none after it, and only with reverse")
  func record() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.failed] }
    bench.apply([reversible("a") { ($0.retry, $0.delay) = (1, 1) }, thing("b", kind: "reversible")])
    try bench.settle()
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check").filter { $0.contains(" a") } == ["check a record", "check a record", "check a"])
    #expect(bench.factory.reversals.keys.map(\.name) == ["a"])
  }

  @Test("§12 Enable: a resource that changes records anew; what is pending stays (see differences)")
  func recordAgain() throws {
    let bench = try Bench()
    try bench.start([reversible("a")])
    bench.apply([reversible("a", text: "newer")])
    try bench.settle()
    #expect(bench.take("check") == ["check a record"])
    #expect(bench.factory.reversals.values.map(\.parameters.first) == [.string("as before")])
  }

  @Test("§12 Graph switch: what is not in the graph any more is put back, by a vertex without edges")
  func added() throws {
    let bench = try Bench()
    try bench.start([reversible("a"), thing("b")], [.order("a", "b")])
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("b")])
    try bench.await("check a")
    #expect(bench.factory.running["a"]?.parameters.first == .string("as before"))
    bench.factory.finish("a", .changed)
    try bench.settle()
    #expect(bench.take("check") == ["check a"])
    #expect(bench.status("a")?.isReversal == true)
    #expect(bench.engine.scheduler.edges.isEmpty)
  }

  @Test("§12 Graph switch: noop for it, as for all, when the option says so")
  func option() throws {
    let bench = try Bench { $0.noop = true }
    bench.factory.reversals[reversible("a").id] = thing("a", kind: "reversible", text: "as before")
    try bench.start([])
    #expect(bench.status("a")?.isReversal == true)
    bench.engine.end()
    #expect(bench.factory.reversals.count == 1, "nothing was put back")
  }

  @Test("§12 Graph switch: one that stays pending goes on as it is; one that has put back leaves (see differences)")
  func kept() throws {
    for fails in [false, true] {
      let bench = try Bench()
      try bench.start([reversible("a")])
      bench.factory.script("a") { $0.ends = [fails ? .failed : .changed] }
      try bench.start([])
      bench.apply([thing("b")])
      try bench.settle()
      #expect(bench.take("make", "destroy", "check") == ["make b"] + (fails ? [] : ["destroy a"]) + ["check b"])
    }
  }

  @Test("§12 Graph switch: it puts back once, and is not watched afterwards (see differences)")
  func once() throws {
    let bench = try Bench()
    try bench.start([reversible("a")])
    bench.apply([])
    try bench.settle()
    #expect(bench.take("check", "forget", "unwatch").suffix(3) == ["check a", "forget a", "unwatch a"])
    #expect(bench.factory.watched.isEmpty)
  }

  @Test("§12 Graph switch: it puts back once, also when it is polled")
  func oncePolled() throws {
    let bench = try Bench()
    bench.factory.reversals[reversible("a").id] = thing("a", kind: "reversible") { $0.poll = 1000 }
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([])
    try bench.await("check a")
    let timer = bench.engine.entries[bench.slot("a", kind: "reversible")]?.timers?.poll
    #expect(timer?.body != nil)
    bench.factory.finish("a", .changed)
    try bench.settle()
    #expect(timer?.body == nil)
  }

  @Test("§12 Graph switch: a reversal that is not valid is a warning; the graph comes in")
  func invalid() throws {
    let bench = try Bench()
    bench.factory.reversals[reversible("a").id] = thing("a", kind: "reversible")
    bench.factory.script("a") { $0.isInvalid = { _ in true } }
    bench.factory.reversalWarnings = [Diagnostic("reversal.corrupt", severity: .warning, "it cannot be read")]
    bench.apply([thing("b")])
    try bench.settle()
    let warnings = bench.events.flatMap { if case .warnings(let all) = $0 { all } else { [Diagnostic]() } }
    #expect(warnings.map(\.code) == ["reversal.corrupt", "test.invalid"])
    #expect(warnings.allSatisfy { $0.severity == .warning })
    #expect(bench.engine.status().map(\.id.name) == ["b"])
  }

  @Test("§12 Graph switch: it joins no group")
  func alone() throws {
    let bench = try Bench()
    let pending = thing("a", kind: "reversible-group")
    bench.factory.reversals[pending.id] = pending
    try bench.start([thing("b", kind: "reversible-group"), thing("c", kind: "reversible-group")])
    #expect(bench.engine.scheduler.vertexCount == 2)
    #expect(bench.status("a")?.leader == nil)
  }

  @Test("§12 Cleanup: forgotten when it reached the clean state, not before")
  func cleanup() throws {
    for fails in [false, true] {
      let bench = try Bench()
      try bench.start([reversible("a")])
      bench.factory.script("a") { $0.ends = [fails ? .failed : .changed] }
      bench.apply([])
      try bench.settle()
      bench.engine.end()
      #expect(bench.take("forget") == (fails ? [] : ["forget a"]))
      #expect(bench.factory.reversals.count == (fails ? 1 : 0))
    }
  }

  @Test("§12 Cleanup: also when the resource comes back: it is applied, and recorded anew")
  func comesBack() throws {
    let bench = try Bench()
    try bench.start([reversible("a")])
    try bench.start([])
    #expect(bench.status("a")?.isReversal == true)
    bench.apply([reversible("a")])
    try bench.settle()
    #expect(bench.take("forget", "destroy", "check") == ["destroy a", "check a record"])
    #expect(bench.status("a")?.isReversal == false)
  }

  @Test("§12 Limits: nothing is put back at the end; what is pending is, by the next process")
  func restart() throws {
    let bench = try Bench()
    try bench.start([reversible("a")])
    bench.engine.end()
    #expect(bench.take("check", "forget") == [])
    let next = try Bench()
    next.factory.reversals = bench.factory.reversals
    try next.start([thing("b")])
    #expect(next.status("a")?.isReversal == true)
  }
}

// Rows not here: the file and its rights, and what is recorded: PluginHostTests. See docs/differences.md: when it is recorded.
