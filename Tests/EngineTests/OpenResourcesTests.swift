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
