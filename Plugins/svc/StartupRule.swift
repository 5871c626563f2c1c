// SPDX-License-Identifier: Apache-2.0

/// Whether a unit starts with the system as asked, and what can be done about it.
enum StartupRule: Equatable, Sendable {
  case fine
  case enable
  /// `runtime`: its links are below /run.
  case disable(runtime: Bool)
  /// No change of links makes it so.
  case impossible(String, hint: String)

  /// `state`: of the unit's file; nil: it has none.
  init(_ wanted: SvcSettings.Startup, state: String?, unit: String, user: String = "") {
    switch wanted {
    case .enabled: self = Self.enabled(state, unit, user)
    case .disabled: self = Self.disabled(state, unit)
    }
  }

  private static func enabled(_ state: String?, _ unit: String, _ user: String) -> StartupRule {
    switch state {
    case "enabled": .fine
    case "disabled", "enabled-runtime", "linked", "linked-runtime": .enable
    case "static":
      .impossible(
        "\(unit) cannot be enabled: its file has no [Install] section (static)",
        hint: "leave startup out: other units start it; or add an [Install] section to the unit file")
    case "indirect":
      .impossible(
        "\(unit) cannot be enabled by itself: its [Install] section names other units only (indirect)",
        hint: "manage the unit that Also= in its [Install] section names, such as its socket or timer")
    case "generated":
      .impossible(
        "\(unit) cannot be enabled: its file is generated",
        hint: "change what it is generated from, such as /etc/fstab or the script in /etc/init.d")
    case "transient":
      .impossible(
        "\(unit) cannot be enabled: it is transient and ends with the system", hint: "write a unit file for it")
    case "masked", "masked-runtime":
      .impossible("\(unit) cannot be enabled: it is masked", hint: "systemctl \(user)unmask \(unit)")
    case "alias":
      .impossible("\(unit) is another name of a unit", hint: "manage the unit by its main name")
    case "bad":
      .impossible("\(unit) cannot be enabled: its file is invalid", hint: "systemd-analyze verify \(unit)")
    case nil:
      .impossible("\(unit) cannot be enabled: it has no unit file", hint: "write a unit file for it, or leave startup out")
    case .some(let other):
      .impossible("\(unit) is \"\(other)\", which this version of the plugin does not know", hint: "leave startup out")
    }
  }

  /// Not enabled is enough, whatever else it is.
  private static func disabled(_ state: String?, _ unit: String) -> StartupRule {
    switch state {
    case "enabled": .disable(runtime: false)
    case "enabled-runtime": .disable(runtime: true)
    case "generated":
      .impossible(
        "\(unit) cannot be disabled: its file is generated, with what starts it",
        hint: "change what it is generated from, such as /etc/fstab or the script in /etc/init.d; or systemctl mask \(unit)")
    default: .fine
    }
  }
}
