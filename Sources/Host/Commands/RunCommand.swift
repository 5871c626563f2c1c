// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Observability

/// `mgmt run FRONTEND`: the agent.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the agent with the graph of a frontend.",
    discussion: """
      Runs until it is stopped, or until converged with --converged-timeout or --converged-exit.

      Signals: the first SIGINT or SIGTERM starts nothing new, waits for the checks that run, and ends; the second cancels those \
      checks; the third kills their processes and ends at once. After a first signal other than SIGINT the next steps follow by \
      themselves, 15 seconds apart. SIGQUIT prints where every resource stands and goes on; `mgmt status` does so from outside. \
      SIGUSR1 pauses, for work by hand: nothing is put right until SIGUSR2.

      Exit status: 0 when everything asked for is done; 1 on any error, when a resource failed or was never checked, when the \
      newest graph was refused and the one before went on, or when --max-runtime was reached; 70 when a plugin \
      ended the program.
      """,
    subcommands: [
      RunYAMLCommand.self, RunEmptyCommand.self, RunLanguageCommand.self, RunPuppetCommand.self,
    ], aliases: ["r"])

  @OptionGroup var options: RunOptions
  @OptionGroup var plugins: PluginOptions

  /// Without a frontend, as old versions had it: `mgmt run --file FILE`.
  func run() throws {
    guard let file = options.old.file else { throw CleanExit.helpRequest(self) }
    try Agent.main(options, plugins, frontend: .yaml(file))
  }

  func start(_ frontend: Frontend) throws {
    guard options.old.file == nil else { throw ValidationError("--file and a frontend exclude each other: give one of them") }
    try Agent.main(options, plugins, frontend: frontend)
  }
}

/// `mgmt run yaml FILE`
struct RunYAMLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "yaml", abstract: "Take the graph from a YAML file; edits of it are applied at once.")

  @ParentCommand var parent: RunCommand
  @Argument(help: "The graph.", completion: .file(extensions: ["yaml", "yml"])) var file: String

  func run() throws {
    try parent.start(.yaml(file))
  }
}

/// `mgmt run empty`
struct RunEmptyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "empty", abstract: "Run with an empty graph.")

  @ParentCommand var parent: RunCommand

  func run() throws {
    try parent.start(.empty)
  }
}

/// Where plugins are looked for.
struct PluginOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin-path"), parsing: .singleValue,
    help: ArgumentHelp("Look for plugins here first; may be repeated.", valueName: "dir"), completion: .directory)
  var pluginPath: [String] = []

  @Flag(
    name: .customLong("allow-override"),
    help: "Of plugins with the same kind use the first found, also instead of one that came with mgmt.")
  var allowOverride = false
}

struct RunOptions: ParsableArguments {
  @Option(
    name: [.customLong("converged-timeout"), .customShort("t")], parsing: .unconditional,
    help: ArgumentHelp("Exit after so many seconds without activity; -1: never.", valueName: "seconds"))
  var convergedTimeout: Int?

  @Option(
    name: .customLong("converger-timeout"), parsing: .unconditional,
    help: ArgumentHelp("Seconds without activity until converged; -1: never, 0: at once.", valueName: "seconds"))
  var convergerTimeout: Int?

  @Flag(name: .customLong("converged-exit"), help: "Exit when converged; needs --converger-timeout.")
  var convergedExit = false

  @Option(
    name: .customLong("converger-status-file"),
    help: ArgumentHelp("Append \"true\" or \"false\" at each change of convergence.", valueName: "file"), completion: .file())
  var convergerStatusFile: String?

  @Flag(help: "Change nothing: print what would be changed.")
  var noop = false

  @Option(parsing: .unconditional, help: ArgumentHelp("Check at most so many resources at once; -1: no limit.", valueName: "n"))
  var sema: Int = -1

  @Flag(name: .customLong("no-autoedges"), help: "Add no automatic edges.")
  var noAutoEdges = false

  @Flag(name: .customLong("no-autogroup"), help: "Form no automatic groups.")
  var noAutoGroup = false

  @Option(
    name: [.customLong("graphviz"), .customShort("g")],
    help: ArgumentHelp("Write each graph to FILE in Graphviz's language, and a picture to FILE.png.", valueName: "file"),
    completion: .file())
  var graphviz: String?

  @Option(
    name: [.customLong("graphviz-filter"), .customLong("gf", withSingleDash: true)],
    help: ArgumentHelp("Graphviz's program for the picture: \(Graphviz.filters.joined(separator: ", ")).", valueName: "filter"),
    completion: .list(Graphviz.filters))
  var graphvizFilter: String = "dot"

  @Option(help: "The identity of this host; the system's name if not given.")
  var hostname: String?

  @Option(
    help: ArgumentHelp("Directory for state (MGMT_PREFIX); /var/lib/mgmt for root.", valueName: "dir"), completion: .directory)
  var prefix: String?

  @Flag(name: .customLong("tmp-prefix"), help: "Use a new temporary directory for state.")
  var tmpPrefix = false

  @Flag(name: .customLong("allow-tmp-prefix"), help: "Use a temporary directory when the one for state cannot be made.")
  var allowTmpPrefix = false

  @Flag(name: .customLong("no-watch"), help: "Keep the first graph: do not watch its source.")
  var noWatch = false

  @Option(
    name: .customLong("max-runtime"), help: ArgumentHelp("Give up after so many seconds; 0: never.", valueName: "seconds"))
  var maxRuntime: UInt = 0

  @Flag(help: "Serve metrics for Prometheus over HTTP, at /metrics.")
  var prometheus = false

  @Option(
    name: .customLong("prometheus-listen"),
    help: ArgumentHelp(
      "Where --prometheus listens: HOST:PORT, [IPV6]:PORT or :PORT; 127.0.0.1:9233 if not given; port 0: any that is free.",
      valueName: "addr"))
  var prometheusListen: String?

  @Flag(
    name: .customLong("show-secrets"),
    help: "Show what is secret instead of a mask; only when standard error is a terminal, and never as JSON.")
  var showSecrets = false

  @Flag(name: .customLong("core-dumps"), help: "Allow core files of the agent, which may hold what is secret.")
  var coreDumps = false

  @Flag(help: "Print events to standard output, one JSON object a line (docs/events.md).")
  var json = false

  @OptionGroup(visibility: .hidden) var old: OldRunOptions

  func validate() throws {
    if convergerStatusFile != nil, old.statusFile != nil {
      throw ValidationError("--converged-status-file is the old name of --converger-status-file: give one of them")
    }
    if convergedTimeout != nil, convergerTimeout != nil {
      throw ValidationError("--converged-timeout and --converger-timeout exclude each other: the first also exits")
    }
    if convergedExit, (convergerTimeout ?? convergedTimeout ?? -1) < 0 {
      throw ValidationError("--converged-exit needs --converger-timeout of 0 or more")
    }
    if tmpPrefix, prefix != nil { throw ValidationError("--prefix and --tmp-prefix exclude each other") }
    if let prometheusListen {
      guard ListenAddress(prometheusListen) != nil else {
        throw ValidationError(
          "--prometheus-listen is HOST:PORT, [IPV6]:PORT or :PORT, as 127.0.0.1:9233, not \"\(prometheusListen)\"")
      }
      guard prometheus else { throw ValidationError("--prometheus-listen needs --prometheus") }
    }
    if showSecrets {
      if json { throw ValidationError("--show-secrets and --json exclude each other: programs keep what they read") }
      if isatty(STDERR_FILENO) != 1 {
        throw ValidationError("--show-secrets needs a terminal as standard error: elsewhere secrets would be kept")
      }
    }
    if !Graphviz.filters.contains(graphvizFilter) {
      throw ValidationError(
        "--graphviz-filter is one of \(Graphviz.filters.joined(separator: ", ")), not \"\(graphvizFilter)\"")
    }
  }

  /// nil: no metrics are collected.
  var metricsAddress: ListenAddress? { prometheus ? ListenAddress(prometheusListen ?? "127.0.0.1:9233") : nil }

  /// Seconds; negative: never.
  var timeout: Int { convergedTimeout ?? convergerTimeout ?? environmentTimeout ?? -1 }

  var exitsWhenConverged: Bool { convergedExit || (!old.goesOn && convergedTimeout.map { $0 >= 0 } ?? false) }

  var statusFile: String? { convergerStatusFile ?? old.statusFile }

  /// The first graph is kept.
  var keepsGraph: Bool { noWatch || old.noStreamWatch || old.noConfigWatch }

  /// Seconds; 0: no bound.
  var longestRuntime: UInt { old.maxRuntime ?? maxRuntime }

  private var environmentTimeout: Int? { Environment["MGMT_CONVERGER_TIMEOUT"].flatMap { Int($0) } }
}
