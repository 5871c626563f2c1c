// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// The parameters of `svc`, in the order of its description.
enum SvcKey: Int {
  case state, startup, session
}

let svcDescription = KindDescription(
  name: "svc",
  documentation: """
    A unit of systemd: whether it runs and whether it starts with the system. The resource's name is the unit's: without a suffix \
    a service (`nginx` is `nginx.service`), units of other types by their full name (`backup.timer`, `getty@tty1.service`). A \
    notification reloads the unit, or restarts it when it cannot reload; if it was just started or stopped, or does not run, \
    nothing is left to do. When the unit's file changed on disk, systemd reads its files anew (daemon-reload) before the unit is \
    started, reloaded or restarted.
    """,
  parameters: [
    Parameter(
      "state", "str", default: .string(""), choices: ["running", "stopped", ""],
      "`running`: the unit is active; `stopped`: it is not. Empty: left as it is."),
    Parameter(
      "startup", "str", default: .string(""), choices: ["enabled", "disabled", ""],
      """
      `enabled`: the links its [Install] section asks for are there, so that it starts with the system; `disabled`: they are not. \
      Empty: left as it is.
      """),
    Parameter(
      "session", "bool", default: .bool(false),
      "The unit belongs to the systemd of the agent's user, on the session bus, not to the system's."),
  ],
  flags: [.nonblocking, .refresh],
  traits: [.identities, .automaticEdges])

/// What is asked of one unit.
struct SvcSettings: Equatable, Sendable {
  enum State: String, Sendable {
    case running, stopped
  }

  enum Startup: String, Sendable {
    case enabled, disabled
  }

  var unit: UnitName
  /// nil: left as it is.
  var state: State?
  var startup: Startup?
  var isSession = false

  init(unit: UnitName, state: State? = nil, startup: Startup? = nil, isSession: Bool = false) {
    self.unit = unit
    self.state = state
    self.startup = startup
    self.isSession = isSession
  }

  init(name: String, parameters: Parameters) throws(Failure) {
    unit = try UnitName(name)
    state = try Self.choice(parameters.string(SvcKey.state), "state", ["running", "stopped"])
    startup = try Self.choice(parameters.string(SvcKey.startup), "startup", ["enabled", "disabled"])
    isSession = parameters.bool(SvcKey.session)
  }

  /// Values that are received were not compared with the choices.
  private static func choice<Choice: RawRepresentable<String>>(
    _ text: String?, _ field: String, _ choices: [String]
  ) throws(Failure) -> Choice? {
    guard let text, !text.isEmpty else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw Failure("\"\(text)\" is not a \(field)", field: field, hint: "write \(choices.joined(separator: " or "))")
    }
    return choice
  }
}
