// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnostics
import Frontends
import Glibc
import Graph
import PluginHost
import Reactor
import Values

/// `mgmt graph FRONTEND`: compiles and prints, changes nothing.
struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Compile a graph, print it and exit.", subcommands: [GraphYAMLCommand.self])
}

enum GraphFormat: String, ExpressibleByArgument, CaseIterable {
  case text, dot, json
}

/// `mgmt graph yaml FILE`
struct GraphYAMLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "yaml", abstract: "Compile the graph of a YAML file, print it and exit.",
    discussion: "The text format is sorted lines \"Vertex: kind[name]\" and \"Edge: a[x] -> b[y]\".")

  @Argument(help: "The graph.", completion: .file(extensions: ["yaml", "yml"])) var file: String
  @Option(help: "How to print it: text, dot (Graphviz) or json.") var format = GraphFormat.text
  @Flag(help: "The same as --format json.") var json = false
  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let registry = PluginRegistry.open(plugins)
    do throws(MgmtError) {
      let graph = try YAMLSource.load(path: file, catalog: registry).get()
      try Self.validate(graph.graph, registry)
      if !graph.warnings.isEmpty { DiagnosticOutput.write(graph.warnings) }
      switch json ? .json : format {
      case .text: Output.write(graph.graph.sortedText, to: STDOUT_FILENO)
      case .dot: Output.write(graph.graph.dotText, to: STDOUT_FILENO)
      case .json: Output.write(graph.graph.jsonText, to: STDOUT_FILENO)
      }
    } catch {
      DiagnosticOutput.write(error.diagnostics)
      throw ExitCode(ExitStatus.failure)
    }
  }
}

extension GraphYAMLCommand {
  /// Asks the plugins whether the parameters go together, as `run` does.
  private static func validate(_ graph: ResourceGraph, _ registry: PluginRegistry) throws(MgmtError) {
    let reactor: Reactor
    do throws(ReactorError) {
      reactor = try Reactor()
    } catch {
      throw MgmtError(Diagnostic("host.system", error.message))
    }
    let runtime = PluginRuntime(
      reactor: reactor, registry: registry, hostname: try Hostname.resolve(nil), version: Program.version,
      stateDirectory: StateDirectory(root: ""))
    let diagnostics = graph.resources.lazy.compactMap(runtime.validate).prefix(20)
    defer { runtime.close() }
    if !diagnostics.isEmpty { throw MgmtError(Array(diagnostics)) }
  }
}

extension ResourceGraph {
  /// One object: name, vertices (kind, name) and edges (from, to, notify), sorted.
  fileprivate var jsonText: String {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("name", name)
      writer.array("vertices") { writer in
        for resource in resources.map(\.id).sorted(by: { $0.description < $1.description }) {
          writer.object { writer in
            writer.member("kind", resource.kind)
            writer.member("name", resource.name)
          }
        }
      }
      let ends = edges.map { (from: resources[$0.from].id.description, to: resources[$0.to].id.description, edge: $0) }
      writer.array("edges") { writer in
        for (from, to, edge) in ends.sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
          writer.object { writer in
            writer.member("from", from)
            writer.member("to", to)
            writer.member("name", edge.name)
            writer.member("notify", edge.notify)
          }
        }
      }
    }
    writer.newline()
    return writer.text
  }
}
