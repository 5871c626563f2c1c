// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// One of the commands of an `exec`.
struct CommandSpec: Equatable, Sendable {
  /// The parameter it comes from: `cmd`, `ifcmd`, ...
  var field: String
  var text = ""
  var arguments: [String] = []
  var directory = ""
  var shell = ""

  /// What is started: `shell -c text`, or the words of `text` and the arguments.
  var argv: [String] {
    shell.isEmpty ? words(of: text) + arguments : [shell, "-c", text]
  }

  /// The word that names a file to be executed; nil when there is no command.
  var program: String? {
    words(of: text).isEmpty ? nil : argv.first
  }
}

/// What a person asked of one `exec`, independent of the host.
struct ExecSettings: Sendable {
  var cmd = CommandSpec(field: "cmd")
  var watchcmd: CommandSpec?
  var ifcmd: CommandSpec?
  var nifcmd: CommandSpec?
  var donecmd: CommandSpec?
  var environment: [(key: String, value: String)] = []
  var signalName = "SIGTERM"
  /// Seconds; 0: none.
  var timeout: Int64 = 0
  var pollInterval: Int64 = 0
  var watchfiles: [String] = []
  var ifequals: String?
  var ifequalsStdout: String?
  var creates = ""
  var mtimes: [String] = []
  /// Runs only when notified.
  var isRefreshOnly = false
  var user = ""
  var group = ""
  var fallback = CapturedText()

  /// All commands that are asked for.
  var commands: [CommandSpec] { [cmd] + [watchcmd, ifcmd, nifcmd, donecmd].compactMap(\.self) }

  /// The process to start for one of the commands.
  func command(_ spec: CommandSpec, limited: Bool = true) -> Command {
    Command(
      spec.argv, environment: environment.map { "\($0.key)=\($0.value)" }, directory: spec.directory, user: user, group: group,
      stopSignal: signalNumber(signalName) ?? 0, timeoutMilliseconds: limited ? UInt64(clamping: timeout) * 1000 : 0)
  }
}

/// The streams of a command as text; nil: nothing was written.
struct CapturedText: Equatable, Sendable {
  var output: String?
  var stdout: String?
  var stderr: String?

  /// In the order of the kind's description.
  var fields: [Value] {
    [output, stdout, stderr].map { $0.map(Value.string) ?? .unset }
  }

  /// Each field, or that of `other` where there is none.
  func orElse(_ other: CapturedText) -> CapturedText {
    CapturedText(output: output ?? other.output, stdout: stdout ?? other.stdout, stderr: stderr ?? other.stderr)
  }
}

extension ExecSettings {
  init(name: String, parameters: Parameters) {
    func text(_ key: ExecKey) -> String { parameters.string(key) ?? "" }
    func command(_ field: String, _ key: ExecKey, _ directory: ExecKey, _ shell: ExecKey) -> CommandSpec? {
      let command = CommandSpec(field: field, text: text(key), directory: text(directory), shell: text(shell))
      return command.text.isEmpty ? nil : command
    }
    cmd = CommandSpec(
      field: "cmd", text: parameters.string(ExecKey.cmd) ?? name, arguments: parameters.strings(ExecKey.args),
      directory: text(.cwd),
      shell: text(.shell))
    watchcmd = command("watchcmd", .watchcmd, .watchcwd, .watchshell)
    ifcmd = command("ifcmd", .ifcmd, .ifcwd, .ifshell)
    nifcmd = command("nifcmd", .nifcmd, .nifcwd, .nifshell)
    donecmd = command("donecmd", .donecmd, .donecwd, .doneshell)
    environment = parameters.stringMap(ExecKey.env)
    signalName = text(.sig)
    timeout = parameters.int(ExecKey.timeout) ?? 0
    pollInterval = parameters.int(ExecKey.pollint) ?? 0
    watchfiles = parameters.strings(ExecKey.watchfiles)
    ifequals = parameters.string(ExecKey.ifequals)
    ifequalsStdout = parameters.string(ExecKey.ifequalsStdout)
    creates = text(.creates)
    mtimes = parameters.strings(ExecKey.mtimes)
    isRefreshOnly = parameters.bool(ExecKey.refreshonly)
    user = text(.user)
    group = text(.group)
    fallback = CapturedText(
      output: parameters.string(ExecKey.sendOutput), stdout: parameters.string(ExecKey.sendStdout),
      stderr: parameters.string(ExecKey.sendStderr))
  }
}

/// Splits at white space; there are no quoting rules.
func words(of text: String) -> [String] {
  text.split(whereSeparator: \.isWhitespace).map(String.init)
}
