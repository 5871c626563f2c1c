// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnostics
import Glibc
import PluginHost

/// `mgmt plugins`: which kinds of resources there are, and where they come from.
struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins", abstract: "Show the resource plugins.",
    subcommands: [PluginsListCommand.self, PluginsShowCommand.self, PluginsMetaCommand.self])
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

/// What a description is printed as, if not as text for a terminal.
enum DescriptionFormat: EnumerableFlag {
  case json, markdown

  static func help(for value: Self) -> ArgumentHelp? {
    switch value {
    case .json: "Print JSON."
    case .markdown: "Print a page of the reference, as in docs/reference."
    }
  }
}

/// `mgmt plugins show KIND`
struct PluginsShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Describe a kind: what it does, parameters, types, defaults, an example.",
    discussion: "All of it is what the plugin says about itself: kinds of other authors have pages too.")

  @OptionGroup var plugins: PluginOptions
  @Flag var format: DescriptionFormat?
  @Argument(help: "The kind, as \"file\".") var kind: String

  func run() throws {
    let registry = PluginRegistry.open(plugins)
    let text =
      switch format {
      case nil: PluginListing.showText(kind, registry)
      case .json: PluginListing.showJSON(kind, registry)
      case .markdown: PluginListing.showMarkdown(kind, registry)
      }
    guard let text else {
      DiagnosticOutput.write([registry.unknown(kind)])
      throw ExitCode(ExitStatus.failure)
    }
    Output.write(text, to: STDOUT_FILENO)
  }
}

/// `mgmt plugins meta`
struct PluginsMetaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "meta", abstract: "Describe the meta parameters, which resources of all kinds have.")

  @Flag var format: DescriptionFormat?

  func run() throws {
    let text =
      switch format {
      case nil: MetaListing.text
      case .json: MetaListing.json
      case .markdown: MetaListing.markdown
      }
    Output.write(text, to: STDOUT_FILENO)
  }
}

extension PluginRegistry {
  static func open(_ options: PluginOptions) -> PluginRegistry {
    let registry = PluginRegistry(
      searchPath: PluginSearchPath(options: options.pluginPath), cacheDirectory: Prefix.configured(nil),
      allowsOverride: options.allowOverride)
    registry.refresh()
    return registry
  }
}
