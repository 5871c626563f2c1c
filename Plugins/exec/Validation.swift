// SPDX-License-Identifier: Apache-2.0

import PluginKit

extension ExecSettings {
  /// Throws what is wrong with the parameters. Pure.
  func validate() throws(Failure) {
    try validateCommands()
    try validateEnvironment()
    guard signalNumber(signalName) != nil else {
      let known = signalNumber("SIG" + signalName.uppercased()) ?? signalNumber(signalName.uppercased())
      throw Failure(
        "\"\(signalName)\" is not the name of a signal", field: "sig",
        hint: known.map { "write \(nameOfSignal($0))" } ?? "write a name such as SIGTERM, SIGINT or SIGKILL")
    }
    try validateSeconds(timeout, field: "timeout")
    try validateSeconds(pollInterval, field: "pollint")
    if !creates.isEmpty { try validatePath(creates, field: "creates") }
    for path in watchfiles { try validatePath(path, field: "watchfiles") }
    for path in mtimes { try validatePath(path, field: "mtimes") }
    for (text, field) in [(user, "user"), (group, "group")] { try rejectNUL(text, field: field) }
    if ifcmd == nil, ifequals != nil || ifequalsStdout != nil {
      throw Failure(
        "there is no ifcmd whose output could be compared", field: ifequals != nil ? "ifequals" : "ifequals_stdout",
        hint: "set ifcmd, or leave this parameter out")
    }
  }

  private func validateCommands() throws(Failure) {
    guard !words(of: cmd.text).isEmpty else {
      throw Failure("the command is empty", field: "cmd", hint: "write a command, or leave cmd out to run the resource's name")
    }
    if !cmd.arguments.isEmpty {
      guard cmd.shell.isEmpty else {
        throw Failure("args cannot be combined with shell", field: "args", hint: "write the arguments into cmd")
      }
      guard words(of: cmd.text).count == 1 else {
        throw Failure(
          "args needs a cmd of one word, this one has \(words(of: cmd.text).count)", field: "args",
          hint: "move the other words of cmd to the front of args")
      }
    }
    for command in commands {
      guard command.program != nil else { throw Failure("the command is nothing but white space", field: command.field) }
      for text in [command.text, command.shell, command.directory] + command.arguments {
        try rejectNUL(text, field: command.field)
      }
    }
  }

  private func validateEnvironment() throws(Failure) {
    for (name, value) in environment {
      guard isVariableName(name) else {
        throw Failure(
          "\"\(name)\" is not the name of an environment variable", field: "env",
          hint: "names are letters, digits and _, and do not start with a digit")
      }
      try rejectNUL(value, field: "env")
    }
  }
}

/// `[A-Za-z_][A-Za-z0-9_]*`
func isVariableName(_ name: String) -> Bool {
  let letters = name.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }
  guard let first = name.utf8.first else { return false }
  return letters && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
}

private func validateSeconds(_ seconds: Int64, field: String) throws(Failure) {
  guard (0...Int64(Int32.max)).contains(seconds) else {
    throw Failure("\(seconds) is not a number of seconds", field: field, hint: "write 0 (none) or a number up to \(Int32.max)")
  }
}

private func validatePath(_ path: String, field: String) throws(Failure) {
  guard path.hasPrefix("/") else {
    throw Failure("\"\(path)\" is not an absolute path", field: field, hint: "start it with /")
  }
  try rejectNUL(path, field: field)
}

private func rejectNUL(_ text: String, field: String) throws(Failure) {
  guard !text.utf8.contains(0) else { throw Failure("it contains a NUL character", field: field) }
}
