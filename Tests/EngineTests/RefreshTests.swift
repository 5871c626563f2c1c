// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@testable import Engine

/// §9 of the specification: notifications.
@Suite struct RefreshTests {
  /// A chain whose edges notify, converged; then the first changes.
  private func changed(
    third: (inout MetaParameters) -> Void = { _ in }, then change: (Bench) -> Void = { _ in }
  ) throws -> Bench {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b"), thing("c", third)], [.notify("a", "b"), .notify("b", "c")])
    bench.factory.script("a") { $0.ends = [.changed] }
    change(bench)
    bench.factory.event("a")
    try bench.settle()
    return bench
  }

  @Test("§9 Set when the one before did work, only on edges that notify")
  func set() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b"), thing("c")], [.notify("a", "b"), .order("a", "c")])
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a"], "it did no work")
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b refresh"])
  }

  @Test("What differs and is left so notifies those that change nothing either, and nobody else")
  func differs() throws {
    let bench = try Bench()
    let looks: (inout MetaParameters) -> Void = { $0.noop = true }
    try bench.start(
      [thing("a", looks), thing("b", looks), thing("c"), thing("d", looks)],
      [.notify("a", "b"), .notify("a", "c"), .order("a", "d")])
    bench.factory.script("a") { $0.ends = [.differs] }
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a noop", "check b noop refresh"])
    bench.factory.event("b")
    try bench.settle()
    #expect(bench.take("check") == ["check b noop"], "it was dealt with")
  }

  @Test("§9 Pending until its receiver has succeeded")
  func pending() throws {
    let bench = try changed(then: { $0.factory.script("b") { $0.ends = [.failed] } })
    #expect(bench.take("check") == ["check a", "check b refresh"])
    bench.factory.event("b")
    try bench.settle()
    #expect(bench.take("check") == ["check b refresh"])
    bench.factory.event("b")
    try bench.settle()
    #expect(bench.take("check") == ["check b"])
  }

  @Test("§9 Pending: one that comes while the receiver deals with another is not lost")
  func secondOne() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b")], [.notify("a", "b")])
    bench.factory.script("a") { $0.ends = [.changed, .changed] }
    bench.factory.script("b") { $0.ends = [.held] }
    bench.factory.event("a")
    try bench.await("check b refresh")
    bench.factory.event("a")
    #expect(try bench.turn { bench.factory.calls.count { $0 == "end a changed" } == 2 })
    bench.factory.finish("b")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b refresh", "check a", "check b refresh"])
  }

  @Test("§9 Noop: reported once, then dropped (see differences)")
  func noop() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("b") { $0.noop = true }], [.notify("a", "b")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.event("a")
    try bench.settle()
    bench.factory.event("b")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check b noop refresh", "check b noop"])
  }

  @Test("§9 Not refreshable: cleared nevertheless, and by itself no reason for a check")
  func notRefreshable() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("p", kind: "plain")], [.notify("a", "p")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.event("a")
    try bench.settle()
    bench.factory.event("p")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check p"])
  }

  @Test("§9 No forwarding: who was notified and changed nothing notifies nobody")
  func noForwarding() throws {
    #expect(try changed().take("check") == ["check a", "check b refresh"])
    let forwarded = try changed(then: { $0.factory.script("b") { $0.ends = [.changed] } })
    #expect(forwarded.take("check") == ["check a", "check b refresh", "check c refresh"])
  }

  @Test("§9 No forwarding through a hidden one")
  func hidden() throws {
    let bench = try changed(third: { $0.hidden = true }, then: { $0.factory.script("b") { $0.ends = [.changed] } })
    #expect(bench.take("check") == ["check a", "check b refresh"])
    #expect(bench.convergence.last == "converged")
    #expect(bench.engine.scheduler.edges.allSatisfy { $0.refresh == .none })
  }

  @Test("§9 A change that a refresh leads to says so")
  func reason() throws {
    let bench = try changed()
    let reasons = bench.events.compactMap { event -> (String, ChangeReason)? in
      if case .checkEnded(let id, _, let context) = event { (id.name, context.reason) } else { nil }
    }
    #expect(reasons.map(\.0) == ["a", "b"])
    #expect(reasons.map(\.1) == [.corrective, .refresh])
  }

  @Test("§9 A group is notified when any of its members is")
  func members() throws {
    let bench = try Bench()
    try bench.start([thing("a"), thing("g", kind: "group"), thing("m", kind: "group")], [.order("a", "g"), .notify("a", "m")])
    bench.factory.script("a") { $0.ends = [.changed] }
    bench.factory.event("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check g refresh"])
  }
}
