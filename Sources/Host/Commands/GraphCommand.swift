// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnostics
import Engine
import Frontends
import Glibc
import Graph
import PluginHost
import Reactor
import Values

/// `mgmt graph FRONTEND`: compiles and prints, changes nothing.
struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph",
    abstract: "Compile a graph, print it or what it would change, and exit.",
    discussion: """
      Without options the graph is printed as it is declared. With --compiled it has the edges and groups the engine adds. With \
      --plan every resource is checked against this machine, and each field that differs is printed: nothing is changed and nothing \
      is written.

      Exit status: 0 success, and with --plan nothing to do; 1 an error; 2 with --plan: there is something to change.
      """,
    subcommands: [GraphYAMLCommand.self])
}

enum GraphFormat: String, ExpressibleByArgument, CaseIterable {
  case text, dot, json
}

/// `mgmt graph yaml FILE`
struct GraphYAMLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "yaml", abstract: "Compile the graph of a YAML file, print it or what it would change, and exit.",
    discussion: "The text format is sorted lines \"Vertex: kind[name]\" and \"Edge: a[x] -> b[y]\".")

  @Argument(help: "The graph.", completion: .file(extensions: ["yaml", "yml"])) var file: String
  @OptionGroup var options: GraphOptions

  func run() throws {
    try GraphPrinter(options).run { (registry) throws(MgmtError) in
      try YAMLSource.load(path: file, catalog: registry).get()
    }
  }
}

struct GraphOptions: ParsableArguments {
  @Option(help: "How to print it: text, dot (Graphviz) or json.") var format = GraphFormat.text
  @Flag(help: "The same as --format json.") var json = false
  @Flag(help: "With automatic edges and groups.") var compiled = false
  @Flag(help: "Check everything and print what would be changed, field by field; write nothing.") var plan = false
  @Flag(
    name: .customLong("show-secrets"),
    help: "With --plan: show what is secret instead of a mask; only when standard output is a terminal, and never as JSON.")
  var showSecrets = false
  @Flag(name: .customLong("no-autoedges"), help: "Add no automatic edges.") var noAutoEdges = false
  @Flag(name: .customLong("no-autogroup"), help: "Form no automatic groups.") var noAutoGroup = false
  @Option(
    help: ArgumentHelp("The agent's directory for state, which is only read (MGMT_PREFIX).", valueName: "dir"),
    completion: .directory)
  var prefix: String?
  @Option(help: "The identity of this host; the system's name if not given.") var hostname: String?
  @OptionGroup var plugins: PluginOptions

  func validate() throws {
    if plan, format == .dot { throw ValidationError("--plan prints text or json") }
    if showSecrets {
      guard plan else { throw ValidationError("--show-secrets needs --plan") }
      if json || format == .json {
        throw ValidationError("--show-secrets and JSON exclude each other: programs keep what they read")
      }
      if isatty(STDOUT_FILENO) != 1 {
        throw ValidationError("--show-secrets needs a terminal as standard output: elsewhere secrets would be kept")
      }
    }
    if plan, compiled { throw ValidationError("--plan and --compiled exclude each other") }
  }
}

/// Prints what a frontend yields.
struct GraphPrinter {
  private let options: GraphOptions

  init(_ options: GraphOptions) { self.options = options }

  private var format: GraphFormat { options.json ? .json : options.format }

  func run(_ load: (PluginRegistry) throws(MgmtError) -> FrontendGraph) throws {
    let printed: PluginOutput
    do {
      printed = try Output.prepareForPlugins(isEvents: false)
    } catch {
      DiagnosticOutput.write([Diagnostic("host.system", error.message)])
      throw ExitCode(ExitStatus.failure)
    }
    defer { printed.finish() }
    let prefix = Prefix.configured(options.prefix)
    let registry = PluginRegistry(
      searchPath: PluginSearchPath(options: options.plugins.pluginPath), cacheDirectory: prefix, cacheIsReadOnly: true,
      allowsOverride: options.plugins.allowOverride)
    registry.refresh()
    for line in PluginNews.refusals(registry.entries) {
      DiagnosticOutput.write([Diagnostic("plugin.refused", severity: line.level == .warning ? .warning : .note, line.text)])
    }
    var status = ExitStatus.success
    CoreDumps.forbid()
    do {
      let graph = try load(registry)
      if !graph.warnings.isEmpty { DiagnosticOutput.write(graph.warnings) }
      let reactor = try Reactor()
      printed.attach(to: reactor) { isLoss, text in
        DiagnosticOutput.write([Diagnostic("plugin.output", severity: isLoss ? .warning : .note, text)])
      }
      if let program = PluginSearchPath.guardProgram() {
        reactor.guardChildren(with: program) { Output.write("warning: \($0)\n", to: STDERR_FILENO) }
      }
      let runtime = PluginRuntime(
        reactor: reactor, registry: registry, hostname: try Hostname.resolve(options.hostname), version: Program.version,
        stateDirectory: StateDirectory(root: prefix + "/engine/state", use: .looking),
        showsSecrets: options.showSecrets)
      defer { runtime.close() }
      status = try options.plan ? plan(graph.graph, reactor, runtime) : show(graph.graph, reactor, runtime)
    } catch let error as MgmtError {
      DiagnosticOutput.write(error.diagnostics)
      throw ExitCode(ExitStatus.failure)
    } catch let error as ReactorError {
      DiagnosticOutput.write([Diagnostic("host.system", error.message)])
      throw ExitCode(ExitStatus.failure)
    }
    if status != ExitStatus.success { throw ExitCode(status) }
  }

  private var engineOptions: EngineOptions {
    var engine = EngineOptions()
    engine.automaticEdges = !options.noAutoEdges
    engine.automaticGroups = !options.noAutoGroup
    engine.showsSecrets = options.showSecrets
    return engine
  }

  private func plan(_ graph: ResourceGraph, _ reactor: Reactor, _ runtime: PluginRuntime) throws -> Int32 {
    let plan = try Planner(reactor: reactor, runtime: runtime, options: engineOptions).make(graph)
    if format == .json {
      Output.write(PlanView.json(plan), to: Output.results)
    } else {
      let diagnostics = PlanView.diagnostics(plan)
      if !diagnostics.isEmpty { DiagnosticOutput.write(diagnostics) }
      Output.write(PlanView.text(plan), to: Output.results)
    }
    return plan.exitStatus
  }

  /// What is declared is compiled too: a graph that would be refused is no graph.
  private func show(_ graph: ResourceGraph, _ reactor: Reactor, _ runtime: PluginRuntime) throws -> Int32 {
    var result: Result<CompiledPreview, MgmtError>?
    let engine = Engine(reactor: reactor, factory: runtime, options: engineOptions)
    engine.preview(graph) { result = $0 }
    while result == nil { try reactor.runOnce() }
    guard let preview = try result?.get() else { return ExitStatus.failure }
    if !preview.warnings.isEmpty { DiagnosticOutput.write(preview.warnings) }
    let text =
      switch (format, options.compiled) {
      case (.text, false): graph.sortedText
      case (.text, true): preview.sortedText
      case (.dot, false): graph.dotText
      case (.dot, true): preview.graph.dotText
      case (.json, let isCompiled): GraphJSON.text(graph, isCompiled ? preview : nil)
      }
    Output.write(text, to: Output.results)
    return ExitStatus.success
  }
}

extension CompiledPreview {
  /// As of a declared graph, the edges between groups, and lines `Group: leader: member`.
  fileprivate var sortedText: String {
    var grouped = graph
    grouped.edges = groupedEdges
    grouped.resources = graph.resources.indices.filter { leaders[$0] < 0 }.map { graph.resources[$0] }
    let position = Dictionary(
      uniqueKeysWithValues: graph.resources.indices.filter { leaders[$0] < 0 }.enumerated().map { ($1, $0) })
    grouped.edges = groupedEdges.compactMap { edge in
      guard let from = position[edge.from], let to = position[edge.to] else { return nil }
      var edge = edge
      (edge.from, edge.to) = (from, to)
      return edge
    }
    var groups: [String] = []
    for (member, leader) in leaders.enumerated() where leader >= 0 {
      groups.append(Visible.line("Group: \(graph.resources[Int(leader)].id): \(graph.resources[member].id)") + "\n")
    }
    return grouped.sortedText + groups.sorted().joined()
  }
}
