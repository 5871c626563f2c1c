// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// The parameters of `exec`, in the order of its description.
enum ExecKey: Int {
  case cmd, args, cwd, shell, env, sig, timeout
  case watchcmd, watchcwd, watchshell, watchfiles, pollint
  case ifcmd, ifcwd, ifshell, ifequals, ifequalsStdout
  case nifcmd, nifcwd, nifshell
  case creates, mtimes, refreshonly
  case donecmd, donecwd, doneshell
  case user, group
  case sendOutput, sendStdout, sendStderr
  case state
}

let execDescription = KindDescription(
  name: "exec",
  documentation: execDocumentation,
  parameters: [
    Parameter(
      "cmd", "str", flags: .name,
      """
      The command. Without `shell` it is split at white space, with no quoting, and the first word is looked up along the agent's \
      PATH.
      """),
    Parameter(
      "args", "[]str", "Arguments passed on as they are; only without `shell`, and when `cmd` is a single word."),
    Parameter(
      "cwd", "str", default: .string(""), "The directory `cmd` runs in; empty: the agent's, or `/` when `user` is another one."),
    Parameter("shell", "str", default: .string(""), "When set, `cmd` runs as `<shell> -c <cmd>`."),
    Parameter(
      "env", "map{str: str}", "The whole environment of every command. Empty by default: not even PATH or HOME are set."),
    Parameter(
      "sig", "str", default: .string("SIGTERM"),
      "The signal that asks a running command to stop, sent to its process group; SIGKILL follows after 5 s."),
    Parameter(
      "timeout", "int", default: .int(0),
      "Seconds after which each command but `watchcmd` is stopped and counts as failed, up to 2147483647; 0: never."),

    Parameter(
      "watchcmd", "str", default: .string(""),
      "A command that keeps running: each non-empty line it prints is an event. Its end is a failure of the watch."),
    Parameter("watchcwd", "str", default: .string(""), "The directory `watchcmd` runs in."),
    Parameter("watchshell", "str", default: .string(""), "When set, the shell that runs `watchcmd`."),
    Parameter("watchfiles", "[]str", "Absolute paths whose changes are events; with a `/` at the end, everything below too."),
    Parameter("pollint", "int", default: .int(0), "Seconds between events made by a timer, up to 2147483647; 0: none."),

    Parameter("ifcmd", "str", default: .string(""), "A guard: unless it exits with status 0, `cmd` does not run."),
    Parameter("ifcwd", "str", default: .string(""), "The directory `ifcmd` runs in."),
    Parameter("ifshell", "str", default: .string(""), "When set, the shell that runs `ifcmd`."),
    Parameter(
      "ifequals", "str",
      "When `ifcmd` exits with status 0 and its output (both streams, newline at the end included) is this, `cmd` does not run."
    ),
    Parameter("ifequals_stdout", "str", "Like `ifequals`, for the standard output alone."),

    Parameter("nifcmd", "str", default: .string(""), "A guard: when it exits with status 0, `cmd` does not run."),
    Parameter("nifcwd", "str", default: .string(""), "The directory `nifcmd` runs in."),
    Parameter("nifshell", "str", default: .string(""), "When set, the shell that runs `nifcmd`."),

    Parameter(
      "creates", "str", default: .string(""), "A guard: an absolute path; while it exists, `cmd` does not run. It is watched."),
    Parameter(
      "mtimes", "[]str",
      """
      Absolute paths. When one was modified after the last successful run, `cmd` runs whatever the other guards say; when none \
      was, they decide, and without another guard `cmd` does not run. A missing file is an error. They are watched.
      """),
    Parameter(
      "refreshonly", "bool", default: .bool(false),
      "When true, `cmd` runs only when the resource was notified, and if the guards let it; otherwise it is as asked without running."
    ),

    Parameter(
      "donecmd", "str", default: .string(""),
      "Runs after `cmd` succeeded; when it fails, the resource fails and `cmd` counts as not run."),
    Parameter("donecwd", "str", default: .string(""), "The directory `donecmd` runs in."),
    Parameter("doneshell", "str", default: .string(""), "When set, the shell that runs `donecmd`."),

    Parameter("user", "str", default: .string(""), "User (name or number) every command runs as; empty: the agent's."),
    Parameter("group", "str", default: .string(""), "Group every command runs as; empty: the primary group of `user`."),

    Parameter("send_output", "str", "What `output` sends when a guard holds `cmd` back and no earlier run left anything."),
    Parameter("send_stdout", "str", "What `stdout` sends when a guard holds `cmd` back and no earlier run left anything."),
    Parameter("send_stderr", "str", "What `stderr` sends when a guard holds `cmd` back and no earlier run left anything."),

    Parameter("state", "str", default: .string(""), "Ignored; accepted because old graphs write `state: present`."),
  ],
  sends: [
    Parameter("output", "str", "Both streams of `cmd` in the order they were written; undefined when nothing was."),
    Parameter("stdout", "str", "The standard output of `cmd`."),
    Parameter("stderr", "str", "The standard error of `cmd`."),
  ],
  flags: [.refresh], traits: [.automaticEdges])
