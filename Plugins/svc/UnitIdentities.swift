// SPDX-License-Identifier: Apache-2.0

/// What a unit is for others, and which resources it comes after.
struct UnitIdentities {
  /// What of the environment decides where systemd looks for files of a user's units.
  struct Session {
    /// "" or relative: not known.
    var home: String
    /// `$XDG_RUNTIME_DIR`
    var runtime: String
  }

  let unit: UnitName
  /// nil: a unit of the system.
  let session: Session?

  static let space = "svc"
  /// Directories whose files add to a unit: borne by `svc`, and what is in them wants to come before.
  static let additionsSpace = "dropin"

  /// `system:demo.service` or `user:demo.service`. The unit itself comes first. An instance is also
  /// what its template is: a package has only the template.
  var keys: [String] {
    let scope = session == nil ? "system:" : "user:"
    return names.map { scope + $0 }
  }

  /// Where systemd looks for unit files, the first first.
  var directories: [String] {
    guard let session else {
      return [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
      ]
    }
    let home = session.home.hasPrefix("/") ? session.home : nil
    let own = [
      home.map { "\($0)/.config/systemd/user" }, "/etc/systemd/user",
      session.runtime.hasPrefix("/") ? "\(session.runtime)/systemd/user" : nil, "/run/systemd/user",
      home.map { "\($0)/.local/share/systemd/user" },
    ].compactMap(\.self)
    return own + [
      "/usr/local/share/systemd/user", "/usr/share/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user",
      "/lib/systemd/user",
    ]
  }

  /// The unit's file: the first that is managed. An instance's own file goes before its template's.
  var files: [String] {
    names.flatMap { name in directories.map { "\($0)/\(name)" } }
  }

  /// The unit's name and, for an instance, its template's.
  private var names: [String] { [unit.text] + (unit.template.map { [$0] } ?? []) }

  /// Directories of files that add to the unit: its own, its template's, those of each part of the name that ends in a dash (`foo-` of
  /// `foo-bar`), and that of all units of its type.
  var additions: [String] {
    (names + unit.commonNames + [unit.type]).flatMap { name in directories.map { "\($0)/\(name).d/" } }
  }
}
