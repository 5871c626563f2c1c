// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@testable import Engine

/// What a look without applying cannot know yet.
@Suite struct OpenResourcesTests {
  private func open(_ bench: Bench) -> [String: [String]] {
    Dictionary(
      uniqueKeysWithValues: bench.engine.openResources().map { ($0.key.name, $0.value.map(\.name)) })
  }

  @Test("A failure after what would be changed is open, at any distance, and so is what waits for it alone")
  func spreads() throws {
    let bench = try Bench { $0.noop = true }
    bench.factory.script("first") { $0.ends = [.differs] }
    bench.factory.script("fails") { $0.ends = [.failed] }
    bench.factory.script("broken") { $0.ends = [.failed] }
    bench.apply(
      ["first", "between", "fails", "waits", "further", "broken", "both"].map { thing($0) },
      [
        .order("first", "between"), .order("between", "fails"), .order("fails", "waits"), .order("waits", "further"),
        .order("fails", "both"), .order("broken", "both"),
      ])
    try bench.settle()
    #expect(open(bench) == ["fails": ["first"], "waits": ["first"], "further": ["first"]])
    let isOpen = bench.events.compactMap { event -> String? in
      guard case .checkEnded(let id, _, let context) = event, context.isOpen else { return nil }
      return id.name
    }
    #expect(isOpen == ["fails"])
  }

  @Test("Where changes are made nothing is open")
  func applies() throws {
    let bench = try Bench()
    bench.factory.script("first") { $0.ends = [.changed] }
    bench.factory.script("fails") { $0.ends = [.failed] }
    bench.apply([thing("first"), thing("fails")], [.order("first", "fails")])
    try bench.settle()
    #expect(open(bench).isEmpty)
  }
}

@Suite struct CountTests {
  @Test("nothing counts as asked, nor as waiting, before its watch is armed; what failed is not counted twice")
  func counts() throws {
    let bench = try Bench()
    for name in ["a", "b", "c"] { bench.factory.script(name) { $0.holdsReady = true } }
    bench.factory.script("b") { $0.always = .failed }
    bench.apply([thing("a"), thing("b"), thing("c")])
    try bench.await("watch c")
    #expect([bench.engine.counts.total, bench.engine.counts.starting, bench.engine.counts.pending] == [3, 3, 3])
    #expect([bench.engine.counts.ok, bench.engine.counts.waiting] == [0, 0])
    bench.factory.ready("a")
    bench.factory.ready("b")
    try #expect(bench.turn { bench.engine.counts.failed == 1 && bench.engine.counts.ok == 1 })
    #expect([bench.engine.counts.starting, bench.engine.counts.pending, bench.engine.counts.waiting] == [1, 1, 0])
    bench.factory.breakWatch("a")
    #expect([bench.engine.counts.failed, bench.engine.counts.pending, bench.engine.counts.ok] == [2, 1, 0])
    bench.factory.ready("c")
    try #expect(bench.turn { bench.engine.counts.ok == 1 })
    #expect([bench.engine.counts.starting, bench.engine.counts.pending] == [0, 0])
  }
}
