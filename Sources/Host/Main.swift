// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import PluginHost
import Values

@main
enum Main {
  static func main() {
    signal(SIGPIPE, SIG_IGN)
    // A parent may have left it ignored: then nobody could learn how children end.
    signal(SIGCHLD, SIG_DFL)
    if CommandLine.arguments.dropFirst().first == PluginScanChild.argument {
      exit(PluginScanChild.main(arguments: CommandLine.arguments))
    }
    do {
      let arguments = Array(CommandLine.arguments.dropFirst())
      if let later = Later.diagnostic(arguments) {
        DiagnosticOutput.write([later])
        ExitGuard.leave(ExitStatus.failure)
      }
      var command = try MgmtCommand.parseAsRoot(HelpCommand.reordered(arguments))
      try command.run()
      ExitGuard.leave(ExitStatus.success)
    } catch {
      ExitStatus.end(with: error)
    }
  }
}

/// What the process says at its end; the manual page lists them. When a plugin ends it: `ExitGuard.status`.
enum ExitStatus {
  static let success: Int32 = 0
  /// Any error; also: something failed, was never checked, or did not converge.
  static let failure: Int32 = 1
  /// No error, but not everything is as asked.
  static let notAsAsked: Int32 = 2

  /// Prints what was thrown and exits.
  static func end(with error: any Error) -> Never {
    if let code = error as? ExitCode { ExitGuard.leave(code.rawValue) }
    let text = Visible.lines(MgmtCommand.fullMessage(for: error))
    if MgmtCommand.exitCode(for: error) == .success {
      Output.write(text + "\n", to: STDOUT_FILENO)
      ExitGuard.leave(success)
    }
    if !text.isEmpty {
      Output.write(text.hasPrefix("Error: ") ? "error: \(text.dropFirst(7))\n" : "\(text)\n", to: STDERR_FILENO)
    }
    ExitGuard.leave(failure)
  }
}
