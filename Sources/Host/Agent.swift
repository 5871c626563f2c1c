// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnostics
import Engine
import Frontends
import Glibc
import Graph
import Observability
import PluginHost
import Reactor

/// Where the graph comes from.
enum Frontend {
  case yaml(String)
  case empty
}

/// The running agent: wires frontend, engine, plugins and views together and ends them in order.
final class Agent {
  let options: RunOptions
  let reactor: Reactor
  let engine: Engine
  let view: DeferredView
  private let registry: PluginRegistry
  private let runtime: PluginRuntime
  private let source: any GraphSource
  private let hostname: String
  private let prefix: String
  private let statusFile: StatusFile?
  private let printed: PluginOutput
  private let lock: AgentLock
  private let observers: Observers
  private var metricsAddress: String?
  private var directoryWatcher: PluginDirectoryWatcher?
  private var latestGraph: ResourceGraph?
  private var hasGraph = false
  private var newest = NewestGraph()
  /// Converged, and that is the end unless the graph is another meanwhile: its source is being looked at.
  private var mayEnd = false
  /// The end waits for the disk.
  private var isSettling = false
  private static let settleMilliseconds: UInt64 = 10_000
  private var result: Result<Void, MgmtError>?
  private var stops = StopLadder()
  private var stopTimer: ReactorTimer?
  private let graphviz: Graphviz?

  /// Runs until the end and exits with the right status.
  static func main(_ options: RunOptions, _ plugins: PluginOptions, frontend: Frontend) throws {
    do {
      let hostname = try Hostname.resolve(options.hostname)
      let place = try Prefix.make(options, hostname: hostname)
      // A second time it does nothing.
      defer { place.leave() }
      let agent = try Agent(options, plugins, frontend: frontend, hostname: hostname, prefix: place.path)
      let status = try agent.run()
      place.leave()
      // Without taking ten thousand resources apart in memory first.
      withExtendedLifetime(agent) { ExitGuard.leave(status) }
    } catch let error as MgmtError {
      DiagnosticOutput.write(error.diagnostics)
      throw ExitCode(ExitStatus.failure)
    } catch let error as ReactorError {
      DiagnosticOutput.write([Diagnostic("host.system", error.message)])
      throw ExitCode(ExitStatus.failure)
    }
  }

  private init(_ options: RunOptions, _ plugins: PluginOptions, frontend: Frontend, hostname: String, prefix: String) throws {
    self.options = options
    self.hostname = hostname
    self.prefix = prefix
    let service = ServiceEnvironment.take()
    OpenFileLimit.raise()
    if !options.coreDumps { CoreDumps.forbid() }
    printed = try Output.prepareForPlugins(isEvents: options.json)
    Reactor.keepOneHeap()
    Reactor.preferLatency()
    let directory = try EngineDirectory.make(prefix: prefix)
    lock = try AgentLock.take(in: directory)
    reactor = try Reactor()
    registry = PluginRegistry(
      searchPath: PluginSearchPath(options: plugins.pluginPath), cacheDirectory: prefix, allowsOverride: plugins.allowOverride)
    registry.refresh()
    runtime = PluginRuntime(
      reactor: reactor, registry: registry, hostname: hostname, version: Program.version,
      stateDirectory: StateDirectory(root: prefix + "/engine/state", use: options.noop ? .resources : .plugins),
      showsSecrets: options.showSecrets)
    engine = Engine(reactor: reactor, factory: runtime, options: EngineOptions(options))
    observers = Observers(
      engine: engine, reactor: reactor, directory: directory, hostname: hostname, hasConverger: options.timeout >= 0,
      service: service)
    if let address = options.metricsAddress {
      metricsAddress = try observers.serveMetrics(at: address, kinds: registry.kindNames)
    }
    let drawing = reactor
    graphviz = options.graphviz.map { Graphviz(path: $0, filter: options.graphvizFilter, reactor: drawing) }
    statusFile = try options.statusFile.map { path throws(MgmtError) in try StatusFile(path: path) }
    view = DeferredView(options.json ? JSONView() : TextView(reactor: reactor, options: options), reactor: reactor)
    switch frontend {
    case .yaml(let file): source = YAMLSource(path: file, catalog: runtime, watch: !options.keepsGraph)
    case .empty: source = EmptySource()
    }
  }

  private func run() throws -> Int32 {
    view.start(StartInfo(hostname: hostname, prefix: prefix))
    if let metricsAddress { view.log(.info, "metrics: http://\(metricsAddress)/metrics") }
    printed.attach(to: reactor) { [unowned self] isLoss, text in view.log(isLoss ? .warning : .info, text) }
    for line in PluginNews.refusals(registry.entries) { view.log(line.level, line.text) }
    engine.onEvent = { [unowned self] in handle($0) }
    view.countBy { [unowned self] in engine.counts }
    if let program = PluginSearchPath.guardProgram() {
      reactor.guardChildren(with: program) { [unowned self] in view.log(.warning, $0) }
    }
    try addSignals()
    watchPlugins()
    if options.longestRuntime > 0 {
      reactor.addTimer(afterMilliseconds: UInt64(options.longestRuntime) * 1000) { [unowned self] in
        finish(
          .failure(MgmtError(Diagnostic("run.max-runtime", "the maximum runtime of \(options.longestRuntime) s was reached"))))
      }
    }
    let problems = runtime.openThoseWithState()
    if !problems.isEmpty { view.diagnostics(problems) }
    try source.start(on: reactor) { [unowned self] in take($0) }
    while result == nil { try reactor.runOnce() }
    source.stop()
    var summary = Summary(engine)
    summary.refused = newest.refusal
    observers.close()
    engine.end()
    runtime.close()
    printed.finish()
    return end(summary)
  }

  // MARK: Graphs

  private func take(_ update: GraphUpdate) {
    switch update {
    case .rejection(let error):
      _ = newest.came()
      reject(error.diagnostics)
    case .graph(let graph):
      if !graph.warnings.isEmpty { view.diagnostics(graph.warnings) }
      var resources = graph.graph
      resources.number = newest.came()
      latestGraph = resources
      engine.apply(resources)
    case .notice(let diagnostics): view.diagnostics(diagnostics)
    case .unchanged: break
    }
    // A graph that asks for something else is not converged by then.
    if mayEnd { reactor.addTimer(afterMilliseconds: 0) { [unowned self] in endConverged() } }
  }

  /// The first graph must be good. Later ones are refused, and the one that runs or is on its way goes on; whether there is one shows when
  /// the engine has done with this one.
  private func reject(_ diagnostics: [Diagnostic]) {
    if hasGraph { return refuse(diagnostics) }
    reactor.addTimer(afterMilliseconds: 0) { [unowned self] in
      if hasGraph || engine.isGraphOnItsWay { return refuse(diagnostics) }
      finish(.failure(MgmtError(diagnostics)))
    }
  }

  private func refuse(_ diagnostics: [Diagnostic]) {
    newest.refused(diagnostics)
    observers.newestIsRefused(newest.refusal)
    view.rejected(diagnostics)
  }

  /// Not before the first second has passed: short runs do not pay for it.
  private func watchPlugins() {
    var news = PluginNews(registry.entries)
    reactor.addTimer(afterMilliseconds: 1000) { [unowned self] in
      directoryWatcher = PluginDirectoryWatcher(registry: registry, reactor: reactor) { [unowned self] in
        for line in news.update(registry.entries) { view.log(line.level, line.text) }
        observers.add(kinds: registry.kindNames)
        source.reload()
      }
    }
  }

  // MARK: Events

  private func handle(_ event: EngineEvent) {
    observers.event(event)
    switch event {
    case .graphRejected(let diagnostics): return reject(diagnostics)
    case .graphStarted(let graph):
      newest.started(graph.number)
      if newest.refusal == nil { observers.newestIsRefused(nil) }
      if !hasGraph { reactor.addTimer(afterMilliseconds: 0) { [unowned self] in serveStatus() } }
      hasGraph = true
      drawGraph()
    case .converged(let isConverged):
      statusFile?.append(isConverged)
      mayEnd = isConverged && options.exitsWhenConverged
      if mayEnd {
        view.event(event, at: .now())
        return endConverged()
      }
    case .stalled where options.exitsWhenConverged:
      view.event(event, at: .now())
      return settle { [unowned self] in finish(.success(())) }
    default: break
    }
    view.event(event, at: .now())
  }

  private func endConverged() {
    guard mayEnd, source.isSettled, result == nil else { return }
    settle { [unowned self] in
      guard mayEnd, source.isSettled, result == nil else { return }
      view.log(.info, "converged for \(options.timeout) seconds, exiting!")
      finish(.success(()))
    }
  }

  /// What was written is to be on the disk before the agent ends by itself; not for ever.
  private func settle(_ done: @escaping () -> Void) {
    guard !isSettling else { return }
    isSettling = true
    let limit = reactor.addTimer(afterMilliseconds: Self.settleMilliseconds) { [unowned self] in
      guard isSettling else { return }
      isSettling = false
      view.log(
        .warning,
        "what was written has not reached the disk in \(Self.settleMilliseconds / 1000) s: not waiting for it any longer")
      done()
    }
    engine.settle { [unowned self] in
      limit.cancel()
      guard isSettling else { return }
      isSettling = false
      done()
    }
  }

  /// The first graph is on its way: what follows is not waited for.
  private func serveStatus() {
    observers.serveStatus { [unowned self] in view.diagnostics($0.diagnostics) }
  }

  private func drawGraph() {
    guard let graphviz, let latestGraph else { return }
    graphviz.write(latestGraph) { [unowned self] in view.log(.info, $0) }
  }

  // MARK: Ending

  /// The loop ends after this round; nothing new is begun until then.
  private func finish(_ result: Result<Void, MgmtError>) {
    if self.result == nil { self.result = result }
    engine.hold()
  }

  private func end(_ summary: Summary) -> Int32 {
    var status = ExitStatus.success
    if case .failure(let error) = result {
      view.diagnostics(error.diagnostics)
      status = ExitStatus.failure
    }
    if summary.hasFailure || summary.refused != nil || engine.isDiskInDoubt { status = ExitStatus.failure }
    let isAsAsked = summary.differing == 0 && summary.open.isEmpty
    if status == ExitStatus.success, options.noop, !isAsAsked { status = ExitStatus.notAsAsked }
    view.end(summary, exit: status)
    return status
  }

  private func addSignals() throws(ReactorError) {
    _ = try reactor.addSignals([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]) { [unowned self] number in
      switch number {
      case SIGQUIT: return view.status(engine.status())
      case SIGUSR1: return hold()
      case SIGUSR2: return goOn()
      default: break
      }
      view.log(.info, number == SIGINT ? "interrupted by ^C" : "interrupted by \(number == SIGTERM ? "SIGTERM" : "SIGHUP")")
      stop(climbs: number != SIGINT)
    }
  }

  /// Somebody works on the machine by hand: nothing is put right meanwhile, but everything is still watched.
  private func hold() {
    guard stops.isUntouched else { return }
    view.log(.info, "paused by SIGUSR1: SIGUSR2 goes on")
    observers.paused(true)
    engine.pause { [unowned self] in view.log(.info, "paused: no check runs") }
  }

  private func goOn() {
    guard stops.isUntouched else { return }
    view.log(.info, "going on")
    engine.resume()
    observers.paused(false)
  }

  private func stop(climbs: Bool) {
    observers.stopping()
    switch stops.next() {
    case .drain: engine.pause { [unowned self] in finish(.success(())) }
    case .cancel:
      view.log(.info, "cancelling the checks that run")
      engine.cancelChecks()
    case .kill:
      view.log(.warning, "ending at once")
      finish(.success(()))
    case nil: return
    }
    guard climbs, stops.hasMore, stopTimer == nil else { return }
    stopTimer = reactor.addTimer(afterMilliseconds: StopLadder.stepMilliseconds) { [unowned self] in
      stopTimer = nil
      stop(climbs: true)
    }
  }
}

extension EngineOptions {
  init(_ options: RunOptions) {
    self.init()
    noop = options.noop
    semaphoreSize = options.sema
    automaticEdges = !options.noAutoEdges
    automaticGroups = !options.noAutoGroup
    convergedTimeout = options.timeout
    wantsDiff = options.noop || options.json
    showsSecrets = options.showSecrets
  }
}
