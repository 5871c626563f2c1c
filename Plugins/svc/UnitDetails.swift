// SPDX-License-Identifier: Apache-2.0

/// What a person wants to know when a unit is not as it should be. nil: systemd did not say.
struct UnitDetails: Equatable, Sendable {
  var activeState: String?
  var subState: String?
  /// `exit-code`, `timeout`, `start-limit-hit`, ...
  var result: String?
  /// Of the main process: 1 exited, 2 killed, 3 killed with a core dump.
  var exitCode: Int32?
  var exitStatus: Int32?
  var conditionResult: Bool?
  /// 0: its conditions were never looked at, at least not since systemd last loaded it.
  var conditionTime: UInt64?
  /// `oneshot`, `simple`, ...
  var serviceType: String?
  var loadError: BusError?
  /// Names that are like the one that was not found.
  var near: [String] = []

  /// "failed: its main process exited with status 203/EXEC, the program cannot be run (Result exit-code)"
  var text: String {
    var text = activeState ?? ""
    if let subState, subState != activeState { text += " (\(subState))" }
    guard let result, !result.isEmpty, result != "success" else { return text }
    return text + ": " + [process, Self.resultText(result)].compactMap(\.self).joined(separator: ", ") + " (Result \(result))"
  }

  private var process: String? {
    guard let exitStatus, let exitCode, exitCode != 0 else { return nil }
    switch exitCode {
    case 1 where exitStatus != 0: return "its main process exited with status \(Self.statusText(exitStatus))"
    case 2, 3: return "its main process was killed by signal \(exitStatus)"
    default: return nil
    }
  }

  /// What systemd's own statuses mean: they stand for a program that was not even started.
  private static func statusText(_ status: Int32) -> String {
    switch status {
    case 200: "200/CHDIR, its working directory cannot be entered"
    case 203: "203/EXEC, the program cannot be run"
    case 209, 222: "\(status), its standard output or error cannot be set up"
    case 216: "216/GROUP, its group does not exist"
    case 217: "217/USER, its user does not exist"
    case 226: "226/NAMESPACE, its mount namespace cannot be set up"
    default: "\(status)"
    }
  }

  private static func resultText(_ result: String) -> String? {
    switch result {
    case "timeout": "it took longer than the unit's time-out"
    case "start-limit-hit": "it was started too often in a short time"
    case "watchdog": "it did not tell the watchdog in time"
    case "oom-kill": "the kernel ended it because memory ran out"
    case "protocol": "it did not do what the unit's Type= asks for"
    case "resources": "systemd lacked a resource to run it"
    default: nil
    }
  }
}
