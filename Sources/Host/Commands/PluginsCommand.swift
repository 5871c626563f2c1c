// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnostics
import Glibc
import PluginHost

/// `mgmt plugins`: which kinds of resources there are, and where they come from.
struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins", abstract: "Show the resource plugins.",
    subcommands: [PluginsListCommand.self, PluginsShowCommand.self])
}

/// `mgmt plugins list`
struct PluginsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List kinds, plugins and their state, or why a plugin is refused.")

  @OptionGroup var plugins: PluginOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let registry = PluginRegistry.open(plugins)
    Output.write(json ? PluginListing.listJSON(registry) : PluginListing.listText(registry), to: STDOUT_FILENO)
  }
}

/// `mgmt plugins show KIND`
struct PluginsShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Describe a kind: parameters, types, defaults, documentation.")

  @OptionGroup var plugins: PluginOptions
  @Flag(help: "Print JSON.") var json = false
  @Argument(help: "The kind, as \"file\".") var kind: String

  func run() throws {
    let registry = PluginRegistry.open(plugins)
    guard let text = json ? PluginListing.showJSON(kind, registry) : PluginListing.showText(kind, registry) else {
      DiagnosticOutput.write([
        Diagnostic(
          "kind.unknown", "there is no kind \"\(kind)\"",
          hint: Suggestion.hint(for: kind, in: registry.kindNames) ?? "`mgmt plugins list` shows what there is")
      ])
      throw ExitCode(ExitStatus.failure)
    }
    Output.write(text, to: STDOUT_FILENO)
  }
}

extension PluginRegistry {
  static func open(_ options: PluginOptions) -> PluginRegistry {
    let registry = PluginRegistry(
      searchPath: PluginSearchPath(options: options.pluginPath), cacheDirectory: Prefix.configured(nil))
    registry.refresh()
    return registry
  }
}
