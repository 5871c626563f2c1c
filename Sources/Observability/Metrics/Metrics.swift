// SPDX-License-Identifier: Apache-2.0

public import Engine

/// Counts what happens in the engine. Fed with every event on the reactor's thread, cheaply: kinds are rows of flat arrays and no text is
/// made before somebody asks for `text`.
public final class Metrics {
  private(set) var kinds: [String] = []
  private var rows: [String: Int] = [:]
  private var lastKind = ""
  private var lastRow = -1

  /// A row holds the eight combinations of apply, eventful and errorful, as bits 4, 2 and 1.
  private(set) var checks: [UInt64] = []
  /// A row holds soft and hard failures.
  private(set) var failures: [UInt64] = []
  /// Fights that began.
  private(set) var fights: [UInt64] = []
  private(set) var durations = Histogram()
  private(set) var reactions = Histogram()
  private(set) var compiles = Histogram()
  private(set) var automaticEdges = 0
  private(set) var groupedMembers = 0
  /// Seconds since 1970; 0: no graph has run yet.
  private(set) var graphStart = 0.0
  /// Graphs that were refused, by the frontend or by the engine.
  private(set) var refusals: UInt64 = 0

  /// `kinds`: those that can occur; all their samples are there from the beginning.
  public init(kinds: [String]) {
    compiles.addRow()
    for kind in kinds { _ = row(of: kind) }
  }

  /// Kinds that came since.
  public func add(kinds: [String]) {
    for kind in kinds { _ = row(of: kind) }
  }

  public func graphRefused() { refusals += 1 }

  func row(of kind: String) -> Int {
    if kind == lastKind, lastRow >= 0 { return lastRow }
    lastKind = kind
    if let row = rows[kind] {
      lastRow = row
      return row
    }
    lastRow = kinds.count
    rows[kind] = lastRow
    kinds.append(kind)
    checks.append(contentsOf: repeatElement(0, count: 8))
    failures.append(contentsOf: repeatElement(0, count: 2))
    fights.append(0)
    durations.addRow()
    reactions.addRow()
    return lastRow
  }

  public func record(_ event: EngineEvent) {
    switch event {
    case .checkEnded(let id, let outcome, let context): checkEnded(row(of: id.kind), outcome, context)
    case .watchFailed(let id, _, let willRetry): failures[row(of: id.kind) * 2 + (willRetry ? 0 : 1)] += 1
    case .fightBegan(let id, _): fights[row(of: id.kind)] += 1
    case .compiled(let summary):
      compiles.observe(summary.duration, row: 0)
      automaticEdges = summary.edgeCount
      groupedMembers = summary.memberCount
    case .graphStarted: graphStart = WallClock.now
    default: break
    }
  }

  private func checkEnded(_ row: Int, _ outcome: CheckOutcome, _ context: CheckContext) {
    var eventful = 0
    var errorful = 0
    switch outcome.status {
    case .cancelled: return
    case .ok: break
    case .changed, .differs: eventful = 2
    case .failed:
      errorful = 1
      eventful = outcome.changes.isEmpty ? 0 : 2
      failures[row * 2 + (context.willRetry ? 0 : 1)] += 1
    }
    checks[row * 8 + (context.apply ? 4 : 0) + eventful + errorful] += 1
    durations.observe(outcome.duration, row: row)
    if context.latency > 0 { reactions.observe(context.latency, row: row) }
  }
}
