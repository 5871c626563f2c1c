// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Glibc
import Graph
import PluginHost
import Reactor

/// What a graph would change on this machine: every resource is checked, nothing is applied and nothing is written.
struct Plan {
  struct Item {
    var status: ResourceStatus
    var outcome: CheckOutcome?
    /// Of what could not be checked: what would be changed first. Not empty: it is open whether it can be checked then.
    var after: [ResourceID] = []

    var isOpen: Bool { !after.isEmpty }
    fileprivate var isUnchecked: Bool { !status.wasChecked && !status.isHidden && status.phase != .failed }
  }

  var graph: String
  /// Sorted by name.
  var items: [Item] = []
  var warnings: [Diagnostic] = []

  var changing: Int { items.count { $0.status.phase == .differs } }
  var failed: Int { items.count { $0.status.phase == .failed && !$0.isOpen } }
  var unchecked: Int { items.count { $0.isUnchecked && !$0.isOpen } }
  var open: Int { items.count(where: \.isOpen) }

  /// 0: nothing to do; 2: changes; 1: something could not be checked, though nothing would be changed before it.
  var exitStatus: Int32 {
    if failed > 0 || unchecked > 0 { return ExitStatus.failure }
    return changing > 0 ? ExitStatus.notAsAsked : ExitStatus.success
  }
}

/// Makes a plan: an engine that only looks, until all has been looked at.
final class Planner {
  private let reactor: Reactor
  private let engine: Engine
  private var outcomes: [ResourceID: CheckOutcome] = [:]
  private var plan: Plan
  private var rejection: MgmtError?
  private var isDone = false
  private var isInterrupted = false

  /// The engine's options are made to look only.
  init(reactor: Reactor, runtime: PluginRuntime, options: EngineOptions) {
    self.reactor = reactor
    var options = options
    options.noop = true
    options.convergedTimeout = 0
    options.wantsDiff = true
    engine = Engine(reactor: reactor, factory: runtime, options: options)
    plan = Plan(graph: "")
  }

  /// ^C ends the checks that run and the plan with them; the second ends the program.
  func make(_ graph: ResourceGraph) throws -> Plan {
    plan.graph = graph.name
    engine.onEvent = { [unowned self] in handle($0) }
    _ = try reactor.addSignals([SIGINT, SIGTERM, SIGHUP]) { [unowned self] _ in
      if isInterrupted { ExitGuard.leave(ExitStatus.failure) }
      isInterrupted = true
      if engine.counts.running == 0 {
        isDone = true
      } else {
        engine.pause { [unowned self] in isDone = true }
        engine.cancelChecks()
      }
    }
    engine.apply(graph)
    while !isDone { try reactor.runOnce() }
    if let rejection { throw rejection }
    if isInterrupted, engine.status().isEmpty {
      throw MgmtError([Diagnostic("plan.interrupted", "interrupted before anything was looked at")])
    }
    let open = engine.openResources()
    plan.items = engine.status().map { Plan.Item(status: $0, outcome: outcomes[$0.id], after: open[$0.id] ?? []) }
    engine.end()
    return plan
  }

  private func handle(_ event: EngineEvent) {
    switch event {
    case .graphRejected(let diagnostics):
      rejection = MgmtError(diagnostics)
      isDone = true
    case .checkEnded(let id, let outcome, _): outcomes[id] = outcome
    case .warnings(let diagnostics): plan.warnings += diagnostics
    case .log(let level, let id, let text) where level >= .warning:
      plan.warnings.append(Diagnostic("plan.log", severity: .warning, text, resource: id?.description))
    case .converged(true), .stalled: isDone = true
    default: break
    }
  }
}
