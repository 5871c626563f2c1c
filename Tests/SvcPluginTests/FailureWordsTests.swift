// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit
import Testing

@testable import SvcPlugin

@Suite struct FailureWordsTests {
  private func words(_ problem: CheckMachine.Problem, _ details: UnitDetails = UnitDetails(), session: Bool = false) -> Failure
  {
    FailureWords(unit: "demo.service", isSession: session).failure(problem, details)
  }

  @Test func aProgramThatExits() {
    let details = UnitDetails(activeState: "failed", subState: "failed", result: "exit-code", exitCode: 1, exitStatus: 3)
    let failure = words(.job(.start, result: "failed"), details)
    #expect(
      failure.message
        == "demo.service could not be started: the job failed; the unit is failed: its main process exited with status 3 (Result exit-code)"
    )
    #expect(failure.hint == "look with: journalctl -u demo.service -n 20")
    #expect(failure.field == "state")
  }

  @Test(arguments: [
    (
      UnitDetails(activeState: "failed", result: "exit-code", exitCode: 1, exitStatus: 203),
      "203/EXEC, the program cannot be run"
    ),
    (UnitDetails(activeState: "failed", result: "signal", exitCode: 2, exitStatus: 9), "killed by signal 9"),
    (UnitDetails(activeState: "failed", result: "start-limit-hit"), "started too often"),
    (UnitDetails(activeState: "failed", result: "timeout"), "longer than the unit's time-out"),
    (UnitDetails(activeState: "activating", subState: "auto-restart", result: "exit-code"), "activating (auto-restart)"),
    (UnitDetails(), "the job failed"),
  ])
  func details(_ details: UnitDetails, part: String) {
    #expect(words(.job(.start, result: "failed"), details).message.contains(part))
  }

  @Test(arguments: [
    ("canceled", "cancelled"), ("timeout", "timed out"), ("dependency", "depends on"), ("assert", "Assert"),
    ("unsupported", "does not support"), ("collected", "collected"),
  ])
  func results(result: String, part: String) {
    #expect(words(.job(.stop, result: result)).message.contains(part))
  }

  @Test func names() {
    var details = UnitDetails()
    #expect(words(.notFound, details).hint.contains("daemon-reload"))
    details.near = ["demon.service", "demo.timer"]
    #expect(words(.notFound, details).hint == "did you mean demon.service or demo.timer?")
    #expect(words(.masked).hint == "systemctl unmask demo.service")
    #expect(words(.masked, session: true).hint == "systemctl --user unmask demo.service")
  }

  @Test func reasonsNotToRun() {
    let oneshot = UnitDetails(
      activeState: "inactive", result: "success", conditionResult: false, conditionTime: 0, serviceType: "oneshot")
    #expect(words(.stateStayed(.start, "inactive"), oneshot).hint.contains("RemainAfterExit"))
    let condition = UnitDetails(activeState: "inactive", result: "success", conditionResult: false, conditionTime: 7)
    #expect(words(.stateStayed(.start, "inactive"), condition).message.contains("condition"))
    let unusable = UnitDetails(loadError: BusError(name: "org.freedesktop.systemd1.BadUnitSetting", message: "no ExecStart="))
    #expect(
      words(.unusable("bad-setting"), unusable).message.contains("no ExecStart= (org.freedesktop.systemd1.BadUnitSetting)"))
  }

  @Test(arguments: [
    ("Unit demo.service is masked.", "demo.service"), ("Unit other@1.socket is masked.", "other@1.socket"),
    ("Unit file /etc/systemd/system/demo.service is masked.", "demo.service"), ("Unit a;b is masked.", "demo.service"),
    ("is masked", "demo.service"),
  ])
  func maskedUnits(message: String, unit: String) {
    let error = BusError(name: "org.example.Any", message: message)
    #expect(words(.bus("demo.service cannot be started", error)).hint == "systemctl unmask \(unit)")
  }

  @Test func theBus() {
    func text(_ name: String, _ errno: Int32 = 0, session: Bool = false) -> Failure {
      words(.bus("demo.service cannot be started", BusError(name: name, message: "words", errno: errno)), session: session)
    }
    #expect(text("org.freedesktop.DBus.Error.AccessDenied").message.contains("no permission"))
    #expect(text("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired").hint.contains("root"))
    #expect(text("org.freedesktop.DBus.Error.ServiceUnknown").message.contains("systemd is not on the system bus"))
    #expect(text("org.freedesktop.DBus.Error.NoReply").message.contains("systemd does not answer on the system bus"))
    #expect(words(.bus("it", .connection(-ECONNREFUSED, "no bus"))).message.contains("cannot be reached by the system bus"))
    #expect(text("", ENOTCONN).message.contains("cannot be reached"))
    #expect(text("org.freedesktop.systemd1.UnitMasked").hint.contains("unmask"))
    for name in ["JobTypeNotApplicable", "OnlyByDependency"] {
      #expect(text("org.freedesktop.systemd1.\(name)").hint.contains("`state` cannot be had"))
    }
    #expect(text("org.example.Other").message == "demo.service cannot be started: words (org.example.Other)")
    let none = FailureWords.connection(BusError(name: "", message: "", errno: ENOMEDIUM), isSession: true)
    #expect(none.message.contains("there is no session bus") && none.field == "session")
  }
}
