// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnostics
import Glibc

/// `mgmt help [COMMAND …]`. Argument Parser's own shows the help of the whole program for a word it does not know.
struct HelpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "help", abstract: "Show the help of a command.", shouldDisplay: false, aliases: ["h"])

  @Argument(help: "The command, as \"run yaml\".") var words: [String] = []

  func run() throws {
    if let later = Later.diagnostic(words) { throw fail(later) }
    var command: any ParsableCommand.Type = MgmtCommand.self
    for word in words {
      guard let next = command.configuration.subcommands.first(where: { $0.names.contains(word) }) else {
        throw fail(Self.unknown(word, in: command))
      }
      command = next
    }
    throw CleanExit.helpRequest(command)
  }

  private func fail(_ diagnostic: Diagnostic) -> ExitCode {
    DiagnosticOutput.write([diagnostic])
    return ExitCode(ExitStatus.failure)
  }

  private static func unknown(_ word: String, in command: any ParsableCommand.Type) -> Diagnostic {
    let known = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.compactMap {
      $0.configuration.commandName
    }
    return Diagnostic(
      "cli.unknown", "there is no command \"\(word)\"",
      hint: Suggestion.hint(for: word, in: known) ?? "`mgmt help` shows the commands")
  }

  /// `mgmt run help` is `mgmt help run`, as in old versions.
  static func reordered(_ arguments: [String]) -> [String] {
    guard let last = arguments.last, arguments.count > 1,
      configuration.commandName == last || configuration.aliases.contains(last)
    else { return arguments }
    var command: any ParsableCommand.Type = MgmtCommand.self
    for word in arguments.dropLast() {
      guard let next = command.configuration.subcommands.first(where: { $0.names.contains(word) }), next != HelpCommand.self,
        !next.configuration.subcommands.isEmpty
      else { return arguments }
      command = next
    }
    return [last] + arguments.dropLast()
  }
}

extension ParsableCommand {
  /// What it can be called.
  static var names: [String] { [configuration.commandName ?? ""] + configuration.aliases }
}
