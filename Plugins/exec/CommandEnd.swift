// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// How one command of an `exec` ended.
enum CommandEnd: Equatable, Sendable {
  case exited(Int32)
  case signalled(Int32)
  case timedOut
  /// errno, and at which step.
  case notStarted(Int32, String)

  init(_ exit: Exit) {
    if exit.timedOut {
      self = .timedOut
      return
    }
    switch exit.how {
    case .exited(let status): self = .exited(status)
    case .signalled(let signal): self = .signalled(signal)
    case .notStarted(let error, let step): self = .notStarted(error, step)
    }
  }
}

/// The words for a command that failed; the host puts the field in front. `tail`: the end of what it wrote.
func failure(of command: CommandSpec, _ end: CommandEnd, timeout: Int64, tail: [String]) -> Failure {
  var failure = Failure("", field: command.field)
  switch end {
  case .exited(let status):
    failure.message = "failed with exit status \(status)"
    failure.hint = hint(forStatus: status, of: command)
  case .signalled(let signal):
    failure.message = "was ended by \(nameOfSignal(signal))"
    if signal == SIGKILL { failure.hint = "someone killed it, or the machine ran out of memory: see the kernel's log" }
  case .timedOut:
    failure.message = "took longer than \(timeout) s and was stopped"
    failure.hint = "raise timeout, or find out what it waits for; its standard input is empty"
  case .notStarted(let error, let step):
    failure.errno = error
    failure.message = "\"\(command.program ?? "")\" could not be started" + (step.isEmpty ? "" : " (\(step))")
    failure.hint = hint(forStartError: error, of: command)
  }
  if tail.isEmpty { return failure }
  failure.message += "; it wrote last:" + tail.map { "\n  \($0)" }.joined()
  return failure
}

private func hint(forStatus status: Int32, of command: CommandSpec) -> String {
  switch (status, command.shell.isEmpty) {
  case (127, false):
    "the shell did not find a command; commands run with an empty environment, so set PATH in env or write whole paths"
  case (126, false): "the shell found a command it may not execute: check its mode"
  default: "run it by hand to see why; remember that it gets no environment but what env says"
  }
}

private func hint(forStartError error: Int32, of command: CommandSpec) -> String {
  switch error {
  case ENOENT where command.program?.contains("/") == true: "check that the file, its interpreter and the directory exist"
  case ENOENT:
    command.shell.isEmpty
      ? "no such program along the agent's PATH; for a shell's own commands, pipes or variables set shell: /bin/sh"
      : "no such shell along the agent's PATH"
  case EACCES: "check that the file is executable and every directory above it can be entered"
  case EPERM: "changing user or group needs an agent that runs as root"
  case ENOEXEC: "the file is not a program; a script needs a first line such as #!/bin/sh"
  case EAGAIN, ENOMEM: "the machine is out of processes or memory"
  default: ""
  }
}
