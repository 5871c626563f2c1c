// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// What a person is told about a check that failed: systemd's own words, and what to do.
struct FailureWords {
  let unit: String
  let isSession: Bool

  private var user: String { isSession ? "--user " : "" }
  private var journal: String { "look with: journalctl \(user)-u \(unit) -n 20" }

  func failure(_ problem: CheckMachine.Problem, _ details: UnitDetails) -> Failure {
    switch problem {
    case .notFound: return notFound(details)
    case .masked:
      return Failure("\(unit) is masked, so it cannot be started", field: "state", hint: "systemctl \(user)unmask \(unit)")
    case .unusable(let state):
      let words = details.loadError?.text ?? "LoadState is \(state)"
      return Failure(
        "systemd cannot use the file of \(unit): \(words)", hint: "systemd-analyze \(user)verify \(unit); \(journal)")
    case .startup(let reason, let hint): return Failure(reason, field: "startup", hint: hint)
    case .startupStayed(let state):
      return Failure(
        "systemd changed the links of \(unit), and it is still \(state)", field: "startup",
        hint: "systemctl \(user)is-enabled \(unit)")
    case .stateStayed(let kind, let state): return stateStayed(kind, state, details)
    case .job(let kind, let result): return job(kind, result, details)
    case .busy(let job):
      return Failure(
        "\(unit) has a \(job.type) job of somebody else again and again", field: "state",
        hint: "find out who queues it: journalctl \(user)-u \(unit) -n 20")
    case .bus(let what, let error): return bus(what, error)
    }
  }

  private func notFound(_ details: UnitDetails) -> Failure {
    let near = details.near
    let hint =
      near.isEmpty
      ? "install what brings its unit file, or write the file; then systemctl \(user)daemon-reload"
      : "did you mean \(near.joined(separator: " or "))?"
    return Failure("there is no unit \(unit)", hint: hint)
  }

  private func verb(_ kind: CheckMachine.JobKind) -> String {
    switch kind {
    case .start: "started"
    case .stop: "stopped"
    case .refresh: "reloaded or restarted"
    }
  }

  private func stateStayed(_ kind: CheckMachine.JobKind, _ state: String, _ details: UnitDetails) -> Failure {
    let now = details.text.isEmpty ? state : details.text
    if kind == .start, details.conditionResult == false, details.conditionTime ?? 0 > 0 {
      return Failure(
        "\(unit) was not started: a condition in its file is not met", field: "state",
        hint: "systemctl \(user)status \(unit) says which")
    }
    if kind == .start, details.serviceType == "oneshot", details.result == "success" {
      return Failure(
        "\(unit) ran and ended: it is a oneshot service, which does not stay running", field: "state",
        hint: "set RemainAfterExit=yes in its file, or leave state out")
    }
    return Failure("\(unit) was \(verb(kind)), and is now \(now)", field: "state", hint: journal)
  }

  private func job(_ kind: CheckMachine.JobKind, _ result: String, _ details: UnitDetails) -> Failure {
    let reason: String
    var hint = journal
    switch result {
    case "canceled": reason = "somebody cancelled the job, or queued another that excludes it"
    case "timeout": reason = "the job timed out"
    case "dependency":
      reason = "a unit it depends on failed"
      hint = "systemctl \(user)list-dependencies \(unit); \(journal)"
    case "assert": reason = "an Assert in its file is not met"
    case "unsupported": reason = "this system does not support the unit's type"
    case "failed": reason = "the job failed"
    default: reason = "the job ended with \"\(result)\""
    }
    let state = details.text.isEmpty ? "" : "; the unit is \(details.text)"
    return Failure("\(unit) could not be \(verb(kind)): \(reason)\(state)", field: kind == .refresh ? "" : "state", hint: hint)
  }

  private func bus(_ what: String, _ error: BusError) -> Failure {
    if error.isNobodyThere || error.isLost || error.isOfConnection { return Self.connection(error, isSession: isSession) }
    if error.isAccessDenied {
      return Failure(
        "\(what): no permission: \(error.text)",
        hint: isSession
          ? "the unit belongs to another user's systemd"
          : "run the agent as root, or allow org.freedesktop.systemd1.manage-units in polkit")
    }
    if let masked = maskedUnit(error) {
      return Failure("\(what): \(error.text)", hint: "systemctl \(user)unmask \(masked)")
    }
    if error.name == "org.freedesktop.systemd1.JobTypeNotApplicable"
      || error.name == "org.freedesktop.systemd1.OnlyByDependency"
    {
      return Failure(
        "\(what): \(error.text)", hint: "`state` cannot be had for such a unit: leave it out, and send it no notifications")
    }
    return Failure("\(what): \(error.text)", hint: journal)
  }

  /// This unit, or one it needs: "Unit other.service is masked."
  private func maskedUnit(_ error: BusError) -> String? {
    let words = error.message.split(separator: " ")
    guard let verb = words.firstIndex(of: "is"), words.dropFirst(verb + 1).first?.hasPrefix("masked") == true else {
      return error.name == "org.freedesktop.systemd1.UnitMasked" ? unit : nil
    }
    guard let name = words[..<verb].last?.split(separator: "/").last.map(String.init), let named = try? UnitName(name),
      named.text == name
    else { return unit }
    return name
  }

  static func bus(isSession: Bool) -> String { isSession ? "session bus" : "system bus" }

  /// Why systemd cannot be asked at all. It is tried again without being asked to.
  static func connection(_ error: BusError, isSession: Bool) -> Failure {
    let bus = bus(isSession: isSession)
    if error.isNoReply {
      return Failure(
        "systemd does not answer on the \(bus): \(error.text)",
        hint: "is it frozen, or busy? systemctl \(isSession ? "--user " : "")list-jobs")
    }
    if error.isNobodyThere {
      return Failure(
        "systemd is not on the \(bus): \(error.text)",
        hint: isSession ? "systemctl --user status" : "units can be managed where systemd runs as PID 1 only")
    }
    if error.isAccessDenied {
      return Failure("no permission to use the \(bus): \(error.text)", hint: "run the agent as root")
    }
    if isSession, error.errno == ENOMEDIUM {
      return Failure(
        "there is no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set", field: "session",
        hint: "run the agent in the user's session, or leave session out")
    }
    return Failure(
      "systemd cannot be reached by the \(bus): \(error.text)",
      hint: isSession
        ? "is the user's systemd running? systemctl --user status"
        : "is D-Bus running? systemctl status dbus.socket dbus.service")
  }
}
