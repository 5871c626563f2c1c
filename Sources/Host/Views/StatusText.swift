// SPDX-License-Identifier: Apache-2.0

import Engine

/// Where every resource stands, a line each.
enum StatusText {
  static func render(_ all: [ResourceStatus]) -> String {
    guard !all.isEmpty else { return "the graph is empty\n" }
    return all.map(line).joined()
  }

  private static func line(_ status: ResourceStatus) -> String {
    var text = "\(status.id): \(words(status.phase))"
    if !status.waitsFor.isEmpty { text += " on " + list(status.waitsFor.map(\.description)) }
    if status.changes > 0 { text += status.changes == 1 ? ", changed once" : ", changed \(status.changes) times" }
    if let failure = status.failure { text += ": \(failure.title)" }
    return text + "\n"
  }

  static func list(_ names: [String], most: Int = 10) -> String {
    let rest = names.count - most
    return names.prefix(most).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  private static func words(_ phase: ResourceStatus.Phase) -> String {
    switch phase {
    case .starting: "starting"
    case .waiting: "waiting"
    case .running: "running"
    case .ok: "ok"
    case .differs: "not as asked, left alone (noop)"
    case .failed: "failed"
    case .blocked: "blocked"
    }
  }
}
