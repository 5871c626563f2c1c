// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing
import Values

@testable import Engine

/// Two resources with one primary identity: refused when they ask for different things, warned about otherwise.
@Suite struct SameThingTests {
  private func bench(_ names: [String] = ["a", "b"], _ change: (inout EngineOptions) -> Void = { _ in }) throws -> Bench {
    let bench = try Bench(change)
    for name in names { bench.factory.script(name) { $0.primary = { _ in "/same" } } }
    return bench
  }

  private func one(_ name: String, kind: String = "edged", text: String = "", choice: String = "x", hidden: Bool = false)
    -> Resource
  {
    thing(name, kind: kind, text: text, choice: choice) {
      $0.hidden = hidden
      $0.autoEdge = name != "b"
    }
  }

  private func refusals(_ bench: Bench) -> [Diagnostic] {
    bench.events.flatMap { if case .graphRejected(let all) = $0 { all } else { [Diagnostic]() } }
  }

  private func warnings(_ bench: Bench) -> [Diagnostic] {
    bench.events.flatMap { if case .warnings(let all) = $0 { all } else { [Diagnostic]() } }
  }

  @Test("Same thing: with other parameters the graph is refused, and both places are shown")
  func refused() throws {
    let bench = try bench()
    var (first, second) = (one("a", text: "secret one"), one("b", text: "secret two"))
    func span(_ line: Int) -> SourceSpan {
      SourceSpan(file: "g", start: .init(line: line, column: 1), end: .init(line: line, column: 2))
    }
    (first.origin, second.origin) = (span(1), span(2))
    bench.apply([first, second])
    let error = try #require(refusals(bench).first)
    #expect(refusals(bench).count == 1)
    #expect(error.code == "graph.same" && error.severity == .error && error.resource == "edged[b]")
    #expect(error.title == "edged[b] and edged[a] are the same thing and ask for different things")
    #expect(error.labels == [.init(span(2), "again"), .init(span(1), "first")])
    #expect(error.notes.prefix(2) == ["Both are the thing /same.", "They differ in: text."])
    #expect(bench.factory.made == bench.factory.destroyed)
  }

  @Test("Same thing: equal but for what says which thing it is: a warning, and the graph runs")
  func warned() throws {
    let bench = try bench()
    bench.apply([one("a", choice: "x"), one("b", choice: "y")])
    try bench.settle()
    #expect(refusals(bench) == [])
    #expect(warnings(bench).map(\.code) == ["graph.same"] && warnings(bench).allSatisfy { $0.severity == .warning })
    #expect(bench.engine.counts.total == 2)
  }

  @Test("Same thing: of other kinds, or with other identities, or with received values, it is not equal")
  func different() throws {
    let kinds = try bench()
    kinds.apply([one("a"), one("b", kind: "prepared")])
    #expect(refusals(kinds).map(\.code) == ["graph.same"])

    let identities = try bench()
    identities.factory.script("b") { $0.identities = { _ in [("path", "/same/")] } }
    identities.apply([one("a"), one("b")])
    #expect(refusals(identities).map(\.code) == ["graph.same"])

    let received = try bench()
    received.apply([one("a"), one("b"), thing("sender")], [.send("sender", "text", "b", "text")])
    #expect(refusals(received).map { $0.notes.dropFirst().first } == ["They differ in: text."])
  }

  @Test("Same thing: hidden resources and other identities are no harm; nor is it without automatic edges")
  func harmless() throws {
    let hidden = try bench()
    hidden.apply([one("a", text: "x"), one("b", text: "y", hidden: true)])
    try hidden.settle()
    #expect(refusals(hidden) == [] && warnings(hidden) == [])

    let plain = try bench([])
    for name in ["a", "b"] { plain.factory.script(name) { $0.identities = { _ in [("path", "/same")] } } }
    plain.apply([one("a", text: "x"), one("b", text: "y")])
    try plain.settle()
    #expect(refusals(plain) == [] && warnings(plain) == [])

    let without = try bench { $0.automaticEdges = false }
    without.apply([one("a", text: "x"), one("b", text: "y")])
    #expect(refusals(without).map(\.code) == ["graph.same"])
  }

  @Test("Same thing: one runs and is kept, the other comes with an edit")
  func edited() throws {
    let bench = try bench()
    try bench.start([one("a", text: "x")])
    bench.apply([one("a", text: "x"), one("b", text: "y")])
    try bench.settle()
    #expect(refusals(bench).map(\.code) == ["graph.same"])
    #expect(bench.engine.status().map(\.id.name) == ["a"])
    // In place of the other it is the same thing only once.
    bench.apply([one("b", text: "y")])
    try bench.settle()
    #expect(bench.engine.status().map(\.id.name) == ["b"])
  }

  @Test("Same thing: what a preview shows is refused as well, and of very many some are named")
  func many() throws {
    let names = (0..<100).map { "n\($0)" }
    let bench = try bench(names)
    var result: Result<CompiledPreview, MgmtError>?
    bench.engine.preview(.of(names.map { one($0, text: $0) })) { result = $0 }
    guard case .failure(let error) = result else { return #expect(Bool(false), "\(String(describing: result))") }
    #expect(error.diagnostics.count == 20)
    bench.engine.preview(.of(names.map { one($0) })) { result = $0 }
    #expect(try result?.get().warnings.count == 21)
    #expect(try result?.get().warnings.last?.title == "79 more resources are there twice")
  }
}
