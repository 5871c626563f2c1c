// SPDX-License-Identifier: Apache-2.0

/// An identity an `exec` comes after, when some resource bears it.
struct Wish: Hashable, Sendable {
  var space: String
  var key: String
  /// Of one group the first that is found counts; 0: for itself.
  var group: UInt32 = 0
}

extension ExecSettings {
  /// The programs of all commands, as files (`path`) and as files of packages (`pkgfile`), and the user and group they run as.
  /// `path`: where programs without "/" are looked for; all places are named, since which one counts may change by the very
  /// resources wished for.
  func wishes(path: String) -> [Wish] {
    var wishes: [Wish] = []
    var group: UInt32 = 0
    var programs: [String] = []
    for program in commands.compactMap(\.program) where !programs.contains(program) { programs.append(program) }
    for program in programs {
      let places = program.contains("/") ? [program] : path.split(separator: ":").map { "\($0)/\(program)" }
      for space in ["path", "pkgfile"] {
        group += 1
        wishes += places.filter { $0.hasPrefix("/") }.map { Wish(space: space, key: $0, group: group) }
      }
    }
    if !user.isEmpty { wishes.append(Wish(space: "user", key: user)) }
    if !self.group.isEmpty { wishes.append(Wish(space: "group", key: self.group)) }
    return wishes
  }
}
