// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Reactor
import Testing
import Values

@testable import Engine

/// An engine on a real reactor, over fake kinds. Nothing happens but when the loop is turned.
final class Bench {
  let reactor: Reactor
  let factory: FakeFactory
  let engine: Engine
  private(set) var events: [EngineEvent] = []
  var onEvent: (EngineEvent) -> Void = { _ in }

  init(_ change: (inout EngineOptions) -> Void = { _ in }) throws {
    reactor = try Reactor()
    factory = FakeFactory(reactor: reactor)
    var options = EngineOptions()
    options.convergedTimeout = 0
    change(&options)
    engine = Engine(reactor: reactor, factory: factory, options: options)
    engine.onEvent = { [unowned self] event in
      events.append(event)
      onEvent(event)
    }
  }

  /// Turns the loop until something is so; false after a bound.
  func turn(until done: () -> Bool) throws -> Bool {
    let end = monotonicNow() + 30_000_000_000
    while !done() {
      guard monotonicNow() < end else { return false }
      try reactor.runOnce(maximumWait: 20)
    }
    return true
  }

  /// Turns the loop until nothing more happens by itself.
  func settle(_ location: SourceLocation = #_sourceLocation) throws {
    #expect(
      try turn { engine.scheduler.isQuiet && engine.swap == nil && engine.preparing == nil }, "never quiet",
      sourceLocation: location)
    #expect(factory.violations == [], sourceLocation: location)
  }

  /// Turns the loop until a call was made.
  func await(_ call: String, _ location: SourceLocation = #_sourceLocation) throws {
    #expect(try turn { factory.calls.contains(call) }, "no \"\(call)\" in \(factory.calls)", sourceLocation: location)
  }

  /// Turns the loop a few times: what was going to happen at once has happened.
  func idle() throws {
    for _ in 0..<5 { try reactor.runOnce(maximumWait: 1) }
  }

  func apply(_ resources: [Resource], _ arrows: [Arrow] = []) { engine.apply(.of(resources, arrows)) }

  /// Applies a graph and turns the loop until nothing more happens by itself; what led there is forgotten.
  func start(_ resources: [Resource], _ arrows: [Arrow] = [], _ location: SourceLocation = #_sourceLocation) throws {
    apply(resources, arrows)
    try settle(location)
    forget()
  }

  /// The calls since the last time, of these verbs; none: all. They are forgotten.
  func take(_ verbs: String...) -> [String] {
    defer { factory.calls = [] }
    return factory.calls.filter { call in verbs.isEmpty || verbs.contains { call.hasPrefix($0 + " ") } }
  }

  func forget() {
    factory.calls = []
    events = []
  }

  func status(_ name: String) -> ResourceStatus? { engine.status().first { $0.id.name == name } }
  func phase(_ name: String) -> ResourceStatus.Phase? { status(name)?.phase }

  /// The vertex a resource is in.
  func slot(_ name: String, kind: String = "thing") -> Int {
    engine.place(of: ResourceID(kind: kind, name: name), isHidden: false)?.slot ?? -1
  }

  /// The codes of the diagnostics with which checks, watches and graphs failed.
  var failures: [String] {
    events.flatMap { event -> [String] in
      switch event {
      case .checkEnded(_, let outcome, _): if case .failed(let reason) = outcome.status { [reason.code] } else { [] }
      case .watchFailed(_, let reason, _): [reason.code]
      case .graphRejected(let reasons): reasons.map(\.code)
      default: []
      }
    }
  }

  /// What was said about convergence: converged, unconverged, stalled.
  var convergence: [String] {
    events.compactMap { event in
      switch event {
      case .converged(true): "converged"
      case .converged(false): "unconverged"
      case .stalled: "stalled"
      default: nil
      }
    }
  }

  /// What the events said about the changes of graphs.
  var graphs: [GraphSummary] {
    events.compactMap { if case .graphStarted(let summary) = $0 { summary } else { nil } }
  }
}

/// An edge by the names of its ends.
struct Arrow {
  var from: String
  var to: String
  var notify = false
  var transfers: [Transfer] = []

  static func order(_ from: String, _ to: String) -> Arrow { Arrow(from: from, to: to) }
  static func notify(_ from: String, _ to: String) -> Arrow { Arrow(from: from, to: to, notify: true) }

  /// `field` of what `from` sends becomes `parameter` of `to`.
  static func send(_ from: String, _ field: String, _ to: String, _ parameter: String) -> Arrow {
    Arrow(from: from, to: to, transfers: [Transfer(field: field, parameter: parameter)])
  }
}

extension ResourceGraph {
  /// Of several resources of one name the first is meant.
  static func of(_ resources: [Resource], _ arrows: [Arrow] = []) -> ResourceGraph {
    func position(_ name: String) -> Int { resources.firstIndex { $0.id.name == name } ?? -1 }
    return ResourceGraph(
      name: "test", resources: resources,
      edges: arrows.map {
        ResourceEdge(from: position($0.from), to: position($0.to), notify: $0.notify, transfers: $0.transfers)
      })
  }
}

/// A resource of a fake kind.
func thing(
  _ name: String, kind: String = "thing", text: String = "", number: Int64 = 0, choice: String = "x", any: Value = .unset,
  _ change: (inout MetaParameters) -> Void = { _ in }
) -> Resource {
  var meta = MetaParameters()
  change(&meta)
  return Resource(
    id: ResourceID(kind: kind, name: name), parameters: [.string(text), .int(number), .string(choice), any], meta: meta)
}

extension Scheduler {
  /// Vertices that notifications make do something, all watched.
  static func of(
    _ count: Int, _ edges: [Edge] = [], ready: Bool = true,
    _ treatment: (Int) -> Treatment = { _ in .init(isRefreshable: true) }
  ) -> Scheduler {
    var scheduler = Scheduler()
    for vertex in 0..<count { scheduler.add(vertex, treatment(vertex)) }
    scheduler.replaceEdges(edges)
    scheduler.resume()
    if ready { for vertex in 0..<count { scheduler.ready(vertex, now: 0) } }
    return scheduler
  }

  /// The vertices to be checked now, in their order.
  mutating func checks() -> [Int] {
    takeActions().compactMap { if case .check(let vertex, _) = $0 { vertex } else { nil } }.sorted()
  }

  mutating func finish(_ vertex: Int, changed: Bool = false, now: UInt64 = 0) {
    checkEnded(vertex, .success(changed: changed), now: now)
  }

  mutating func converge() {
    while case let running = checks(), !running.isEmpty {
      for vertex in running { finish(vertex) }
    }
  }
}

extension Scheduler.Edge {
  static func order(_ from: Int, _ to: Int) -> Self { .init(from: from, to: to, notify: false) }
  static func notify(_ from: Int, _ to: Int) -> Self { .init(from: from, to: to, notify: true) }
}
