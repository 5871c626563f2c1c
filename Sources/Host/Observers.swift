// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Glibc
import Observability
import Reactor

/// Those who look at the agent from outside: Prometheus, `mgmt status`, the service manager. They are fed with events; each costs next to
/// nothing while nobody looks.
final class Observers {
  private let reactor: Reactor
  private let directory: EngineDirectory
  private let hostname: String
  /// The converger does not say when there is a time of quiet to wait for: then it is enough that nothing is left to do.
  private let hasConverger: Bool
  private let engine: Engine
  private var metrics: Metrics?
  private var metricsServer: MetricsServer?
  private var statusServer: StatusServer?
  private var notifier: ServiceNotifier?
  private var graph: String?
  private var isReportedConverged = false
  private var isPaused = false
  private var refused: RefusedGraph?

  /// `service`: nil when no service manager wants to hear.
  init(
    engine: Engine, reactor: Reactor, directory: EngineDirectory, hostname: String, hasConverger: Bool,
    service: ServiceEnvironment?
  ) {
    self.engine = engine
    self.reactor = reactor
    self.directory = directory
    self.hostname = hostname
    self.hasConverger = hasConverger
    notifier = service.flatMap { ServiceNotifier($0, reactor: reactor) }
    notifier?.words = { [unowned self] in statusWords }
  }

  /// Begins to count, and to answer at `address`; the address it has got.
  func serveMetrics(at address: ListenAddress, kinds: [String]) throws(MgmtError) -> String {
    let metrics = Metrics(kinds: kinds)
    let server = try MetricsServer(address, reactor: reactor) { [unowned self] in
      metrics.text(isConverged: isConverged, isRefused: refused != nil, engine.visitStatus)
    }
    self.metrics = metrics
    metricsServer = server
    return server.address
  }

  /// Kinds that came since.
  func add(kinds: [String]) { metrics?.add(kinds: kinds) }

  /// After what the first graph needs at once; `failed` hears why `mgmt status` will not work.
  func serveStatus(_ failed: (MgmtError) -> Void) {
    do throws(MgmtError) {
      statusServer = try StatusServer(directory, reactor: reactor, subject: self)
    } catch {
      failed(error)
    }
    notifier?.ready()
  }

  func event(_ event: EngineEvent) {
    metrics?.record(event)
    switch event {
    case .graphStarted(let summary): graph = summary.name
    case .converged(let isConverged): isReportedConverged = isConverged
    default: break
    }
    changed()
  }

  func paused(_ isPaused: Bool) {
    self.isPaused = isPaused
    changed()
  }

  /// A graph was refused, or, with nil, the newest graph runs.
  func newestIsRefused(_ refused: RefusedGraph?) {
    if refused != nil { metrics?.graphRefused() }
    guard refused != self.refused else { return }
    self.refused = refused
    changed()
  }

  private func changed() {
    statusServer?.changed()
    notifier?.changed()
  }

  func stopping() { notifier?.stopping() }

  func close() {
    notifier?.stopping()
    metricsServer?.close()
    statusServer?.close()
  }

  // MARK: How things stand

  private var isConverged: Bool {
    hasConverger ? isReportedConverged : graph != nil && engine.isConverged
  }

  private var statusWords: String {
    let counts = engine.counts
    var text = counts.total == 1 ? "1 resource" : "\(counts.total) resources"
    if counts.pending > 0 { text += ", \(counts.pending) not done" }
    if counts.failed > 0 { text += ", \(counts.failed) failed" }
    if counts.pending == 0, counts.failed == 0 { text += ", nothing left to do" }
    if let refused { text += "; the newest graph was refused: \(refused.words)" }
    return text + (isPaused ? "; paused" : "")
  }
}

extension Observers: StatusSubject {
  func visitStatus(_ body: (ResourceStatus) -> Void) { engine.visitStatus(body) }

  var agentStatus: AgentStatus {
    AgentStatus(
      pid: getpid(), hostname: hostname, version: Program.version, graph: graph, isConverged: isConverged, isPaused: isPaused,
      refused: refused)
  }
}
