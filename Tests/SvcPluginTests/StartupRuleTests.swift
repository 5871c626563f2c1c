// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SvcPlugin

/// Every state of a unit file that systemctl(1) lists, with either wish.
@Suite struct StartupRuleTests {
  enum Expected: Equatable {
    case fine, enable, disable, disableRuntime
    case impossible(hint: String)
  }

  private static let table: [(state: String?, enabled: Expected, disabled: Expected)] = [
    ("enabled", .fine, .disable),
    ("enabled-runtime", .enable, .disableRuntime),
    ("linked", .enable, .fine),
    ("linked-runtime", .enable, .fine),
    ("alias", .impossible(hint: "main name"), .fine),
    ("masked", .impossible(hint: "unmask demo"), .fine),
    ("masked-runtime", .impossible(hint: "unmask demo"), .fine),
    ("static", .impossible(hint: "[Install]"), .fine),
    ("indirect", .impossible(hint: "Also="), .fine),
    ("disabled", .enable, .fine),
    ("generated", .impossible(hint: "/etc/fstab"), .impossible(hint: "mask demo")),
    ("transient", .impossible(hint: "unit file"), .fine),
    ("bad", .impossible(hint: "verify demo"), .fine),
    (nil, .impossible(hint: "unit file"), .fine),
    ("new-in-systemd-999", .impossible(hint: "startup"), .fine),
  ]

  @Test(arguments: table.indices)
  func verdicts(row: Int) {
    let (state, enabled, disabled) = Self.table[row]
    check(StartupRule(.enabled, state: state, unit: "demo"), enabled)
    check(StartupRule(.disabled, state: state, unit: "demo"), disabled)
  }

  private func check(_ rule: StartupRule, _ expected: Expected) {
    switch (rule, expected) {
    case (.fine, .fine), (.enable, .enable), (.disable(runtime: false), .disable), (.disable(runtime: true), .disableRuntime):
      break
    case (.impossible(let reason, let hint), .impossible(let part)):
      #expect(hint.contains(part) && reason.contains("demo"), "\(reason): \(hint)")
    default: Issue.record("\(rule) instead of \(expected)")
    }
  }
}
