// SPDX-License-Identifier: Apache-2.0

/// What a unit is for others, and which resources it comes after.
struct UnitIdentities {
  let unit: UnitName
  let isSession: Bool
  /// The home directory of the agent's user; units of a session have files there.
  let home: String

  static let space = "svc"

  /// `system:demo.service` or `user:demo.service`. An instance is also what its template is: a package has only the template.
  var keys: [String] {
    let scope = isSession ? "user:" : "system:"
    return ([unit.text] + (unit.template.map { [$0] } ?? [])).map { scope + $0 }
  }

  /// Where systemd looks for unit files, the first first.
  var directories: [String] {
    guard isSession else {
      return [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
      ]
    }
    let own = home.hasPrefix("/") ? ["\(home)/.config/systemd/user"] : []
    return own + ["/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"]
  }

  /// The unit's file: the first that is managed. An instance's own file goes before its template's.
  var files: [String] {
    ([unit.text] + (unit.template.map { [$0] } ?? [])).flatMap { name in directories.map { "\($0)/\(name)" } }
  }

  /// Directories of additions to the unit, and the addition `systemctl edit` makes; each that is managed.
  var additions: [String] {
    ([unit.text] + (unit.template.map { [$0] } ?? [])).flatMap { name in
      directories.flatMap { ["\($0)/\(name).d/", "\($0)/\(name).d/override.conf"] }
    }
  }
}
