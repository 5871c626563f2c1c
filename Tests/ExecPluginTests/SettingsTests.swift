// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ExecPlugin
@testable import PluginKit

@Suite struct SettingsTests {
  private func settings(_ change: (inout ExecSettings) -> Void) -> ExecSettings {
    var settings = ExecSettings()
    settings.cmd.text = "/bin/true"
    change(&settings)
    return settings
  }

  private func problem(_ change: (inout ExecSettings) -> Void) -> Failure? {
    do throws(Failure) {
      try settings(change).validate()
      return nil
    } catch { return error }
  }

  @Test func wordsAreSplitAtWhiteSpace() {
    #expect(words(of: "  sleep\t10s \n") == ["sleep", "10s"])
    #expect(words(of: "echo 'a b'") == ["echo", "'a", "b'"])
    #expect(words(of: " ") == [])
  }

  @Test func whatIsStarted() {
    #expect(CommandSpec(field: "cmd", text: "sleep 10s").argv == ["sleep", "10s"])
    #expect(CommandSpec(field: "cmd", text: "echo", arguments: ["a b", ""]).argv == ["echo", "a b", ""])
    #expect(CommandSpec(field: "cmd", text: "a | b", shell: "/bin/sh").argv == ["/bin/sh", "-c", "a | b"])
  }

  @Test func theCommandCarriesUserEnvironmentAndLimits() {
    let command = settings {
      $0.environment = [("A", "1")]
      $0.timeout = 3
      $0.user = "u"
      $0.signalName = "SIGINT"
    }.command(CommandSpec(field: "cmd", text: "x"))
    #expect(command.environment == ["A=1"])
    #expect(command.timeoutMilliseconds == 3000)
    #expect(command.user == "u")
    #expect(command.stopSignal == SIGINT)
  }

  @Test func goodSettings() {
    #expect(problem { _ in } == nil)
    #expect(
      problem {
        $0.cmd.arguments = ["a b"]
        $0.environment = [("_A1", "")]
        $0.ifcmd = CommandSpec(field: "ifcmd", text: "x")
        $0.ifequals = ""
        $0.creates = "/a"
        $0.mtimes = ["/a"]
        $0.watchfiles = ["/b/"]
      } == nil)
  }

  @Test func badSettingsNameTheirField() {
    #expect(problem { $0.cmd.text = " " }?.field == "cmd")
    #expect(problem { $0.cmd.text = "a\0b" }?.field == "cmd")
    #expect(problem { $0.ifcmd = CommandSpec(field: "ifcmd", text: " ") }?.field == "ifcmd")
    #expect(problem { $0.timeout = -1 }?.field == "timeout")
    #expect(problem { $0.pollInterval = .max }?.field == "pollint")
    #expect(problem { $0.creates = "a" }?.field == "creates")
    #expect(problem { $0.mtimes = ["/a", "b"] }?.field == "mtimes")
    #expect(problem { $0.watchfiles = [""] }?.field == "watchfiles")
    #expect(problem { $0.ifequalsStdout = "" }?.field == "ifequals_stdout")
    #expect(problem { $0.environment = [("A-B", "")] }?.field == "env")
    #expect(problem { $0.environment = [("1A", "")] }?.field == "env")
    #expect(problem { $0.environment = [("", "")] }?.field == "env")
  }

  @Test func argumentsNeedOneWordAndNoShell() {
    #expect(problem { ($0.cmd.text, $0.cmd.arguments) = ("a b", ["c"]) }?.field == "args")
    #expect(problem { ($0.cmd.shell, $0.cmd.arguments) = ("/bin/sh", ["c"]) }?.field == "args")
  }

  @Test func signalsAreNamedInFull() {
    #expect(problem { $0.signalName = "SIGHUP" } == nil)
    #expect(problem { $0.signalName = "term" }?.hint == "write SIGTERM")
    #expect(problem { $0.signalName = "sigint" }?.hint == "write SIGINT")
    #expect(problem { $0.signalName = "15" }?.field == "sig")
  }

  @Test func wishes() {
    let wishes = settings {
      $0.cmd = CommandSpec(field: "cmd", text: "sleep 1")
      $0.ifcmd = CommandSpec(field: "ifcmd", text: "test x", shell: "/bin/sh")
      $0.nifcmd = CommandSpec(field: "nifcmd", text: "sleep 2")
      $0.user = "bob"
    }.wishes(path: "/bin::relative:/usr/bin")
    #expect(
      wishes == [
        Wish(space: "path", key: "/bin/sleep", group: 1), Wish(space: "path", key: "/usr/bin/sleep", group: 1),
        Wish(space: "pkgfile", key: "/bin/sleep", group: 2), Wish(space: "pkgfile", key: "/usr/bin/sleep", group: 2),
        Wish(space: "path", key: "/bin/sh", group: 3), Wish(space: "pkgfile", key: "/bin/sh", group: 4),
        Wish(space: "user", key: "bob"),
      ])
  }

  @Test func failuresSayHowAndWhatWasWritten() {
    let command = CommandSpec(field: "cmd", text: "x y")
    let failed = failure(of: command, .exited(3), timeout: 0, tail: ["one", "two"])
    #expect(failed.message == "failed with exit status 3; it wrote last:\n  one\n  two")
    #expect(failure(of: command, .signalled(SIGTERM), timeout: 0, tail: []).message == "was ended by SIGTERM")
    #expect(failure(of: command, .timedOut, timeout: 7, tail: []).message == "took longer than 7 s and was stopped")
    let missing = failure(of: command, .notStarted(ENOENT, "execute"), timeout: 0, tail: [])
    #expect(missing.message == "\"x\" could not be started (execute)")
    #expect(missing.errno == ENOENT)
    #expect(missing.hint.contains("PATH"))
    #expect(failure(of: command, .notStarted(ECANCELED, ""), timeout: 0, tail: []).errno == ECANCELED)
  }

  @Test("A system call's ECANCELED is a failure; only the kit's own word says that a call was cancelled")
  func cancelledCalls() {
    #expect(Failure("x", errno: ECANCELED).report(to: nil) == Failure("x").report(to: nil))
    #expect(Failure.cancelled.report(to: nil) != Failure("x").report(to: nil))
  }

  @Test func theSchemaMatchesTheKeys() {
    let names = execDescription.parameters.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names[ExecKey.cmd.rawValue] == "cmd")
    #expect(names[ExecKey.watchcmd.rawValue] == "watchcmd")
    #expect(names[ExecKey.ifequalsStdout.rawValue] == "ifequals_stdout")
    #expect(names[ExecKey.mtimes.rawValue] == "mtimes")
    #expect(names[ExecKey.refreshonly.rawValue] == "refreshonly")
    #expect(names[ExecKey.group.rawValue] == "group")
    #expect(names.count == ExecKey.state.rawValue + 1)
    #expect(names.last == "state")
  }
}
