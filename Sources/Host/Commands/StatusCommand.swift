// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnostics
import Glibc
import Observability

/// `mgmt status`: how the agent on this machine and its resources stand.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show where every resource of the running agent stands.",
    discussion: """
      A line for each resource: its state, why it waits, when it was checked and changed last, when it is tried again and why it failed; \
      then a line for the agent.

      Exit status: 0 when every resource is as asked; 2 when some are not, or when the newest graph was refused; 1 on an error, as when no agent runs.
      """)

  @Option(
    help: ArgumentHelp(
      "Directory for state of the agent that is meant (MGMT_PREFIX); /var/lib/mgmt for root.", valueName: "dir"),
    completion: .directory)
  var prefix: String?

  @Flag(help: "Print JSON, one object a line (docs/observability.md).") var json = false
  @Flag(help: "Go on with what changes, until ^C or the agent ends.") var watch = false

  func run() throws {
    do {
      let prefix = Prefix.configured(prefix)
      let client = try StatusClient(prefix: prefix, request: StatusRequest(watches: watch, isJSON: json))
      throw ExitCode(try watch ? follow(client) : show(client))
    } catch let error as MgmtError {
      DiagnosticOutput.write(error.diagnostics)
      throw ExitCode(ExitStatus.failure)
    }
  }

  /// The whole answer is read before it is written: who reads this slowly, as a pager, does not keep the agent waiting.
  private func show(_ client: StatusClient) throws(MgmtError) -> Int32 {
    var text = ""
    while let (line, meaning) = try client.next(isAnswer: true, output: STDOUT_FILENO) {
      text += painted(line)
      guard case .agent(let isAsAsked) = meaning else { continue }
      Output.write(text, to: STDOUT_FILENO)
      return isAsAsked ? ExitStatus.success : ExitStatus.notAsAsked
    }
    throw client.broken()
  }

  private func follow(_ client: StatusClient) throws(MgmtError) -> Int32 {
    var status: Int32?
    var text = ""
    while let (line, meaning) = try client.next(isAnswer: status == nil, output: STDOUT_FILENO) {
      text += painted(line)
      if case .agent(let isAsAsked) = meaning {
        status = isAsAsked ? ExitStatus.success : ExitStatus.notAsAsked
        Output.write(text, to: STDOUT_FILENO)
        text = ""
      }
    }
    guard let status else { throw client.broken() }
    return status
  }

  // MARK: Colour

  private static let hasColour = isatty(STDOUT_FILENO) == 1 && Environment["TERM"] != "dumb" && Environment["NO_COLOR"] == nil

  /// The first word says what kind of line it is.
  private func painted(_ line: String) -> String {
    guard Self.hasColour, !json, let space = line.firstIndex(of: " ") else { return line }
    let colour: String
    switch line[..<space] {
    case ShownState.ok.rawValue: colour = "32"
    case ShownState.failed.rawValue, ShownState.blocked.rawValue, TextStatus.refusedWord: colour = "31"
    case ShownState.differs.rawValue, ShownState.waiting.rawValue, ShownState.starting.rawValue: colour = "33"
    case ShownState.running.rawValue: colour = "34"
    case "agent": colour = "1"
    default: colour = "2"
    }
    return "\u{1b}[\(colour)m\(line[..<space])\u{1b}[0m\(line[space...])"
  }
}
