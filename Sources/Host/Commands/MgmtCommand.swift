// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The program's name and version.
enum Program {
  static let name = "mgmt"
  static let version = "0.1.0"
}

struct MgmtCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.name,
    abstract: "next generation config management",
    discussion: """
      Keeps a machine in a declared state: resources run as a parallel graph, and what changes behind their back is put right at once.

      Exit status: 0 success; 1 an error, or a resource that failed, was never checked or did not converge; 2 of `status`: not all is \
      as asked; 70 a plugin ended the program.
      """,
    version: Program.version,
    subcommands: [RunCommand.self, StatusCommand.self, GraphCommand.self, PluginsCommand.self, HelpCommand.self])
}
