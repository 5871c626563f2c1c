// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Graph
import Values

/// A plan as text for people and as JSON for programs.
enum PlanView {
  /// Only what is not as asked, with each field, and a line that counts.
  static func text(_ plan: Plan) -> String {
    var text = ""
    for item in plan.items {
      switch item.status.phase {
      case .differs where item.status.leader == nil:
        text += line("\(name(item.status)): would be changed", .yellow)
        text += ChangeText.fields(item.outcome?.changes ?? [], on: .output)
      case _ where item.isOpen && item.status.leader == nil:
        let reason = item.status.failure.map { " (now: \($0.title))" } ?? ""
        let first = StatusText.list(item.after.map(\.description), most: 3)
        text += line("\(name(item.status)): open until \(first) is changed\(reason)", .yellow)
      case .failed where item.status.leader == nil:
        text += line("\(name(item.status)): cannot be checked", .red)
      case _ where item.status.wasCancelled && item.status.leader == nil:
        text += line("\(name(item.status)): not checked, cancelled", .red)
      case _ where !item.status.wasChecked && !item.status.isHidden && item.status.leader == nil:
        let reason =
          item.status.waitsFor.isEmpty ? "" : " (after \(StatusText.list(item.status.waitsFor.map(\.description), most: 3)))"
        text += line("\(name(item.status)): not checked\(reason)", .red)
      default: break
      }
    }
    text += plan.items.count == 1 ? "1 resource" : "\(plan.items.count) resources"
    text += ": \(plan.changing) would be changed"
    if plan.failed > 0 { text += ", \(plan.failed) cannot be checked" }
    if plan.unchecked > 0 { text += ", \(plan.unchecked) not checked" }
    if plan.open > 0 { text += ", \(plan.open) open" }
    return text + "\n"
  }

  private static func line(_ text: String, _ style: Terminal.Style) -> String {
    Terminal.styled(Visible.line(text), style, on: .output) + "\n"
  }

  private static func name(_ status: ResourceStatus) -> String {
    status.members.isEmpty
      ? status.id.description : "\(status.id) with \(StatusText.list(status.members.map(\.description), most: 10))"
  }

  /// Why something could not be checked.
  static func diagnostics(_ plan: Plan) -> [Diagnostic] {
    plan.warnings
      + plan.items.compactMap { item in
        item.status.phase == .failed && item.status.leader == nil && !item.isOpen ? item.status.failure : nil
      }
  }

  /// One object: docs/events.md.
  static func json(_ plan: Plan) -> String {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("graph", plan.graph)
      writer.array("resources") { writer in
        for item in plan.items { writer.object { write(item, &$0) } }
      }
      writer.array("warnings") { writer in
        for warning in plan.warnings { writer.object(warning.writeMembers) }
      }
      writer.member("changes", plan.changing)
      writer.member("failed", plan.failed)
      writer.member("unchecked", plan.unchecked)
      writer.member("open", plan.open)
      writer.member("exit", plan.exitStatus)
    }
    writer.newline()
    return writer.text
  }

  private static func write(_ item: Plan.Item, _ writer: inout JSONWriter) {
    writer.member("resource", item.status.id.description)
    writer.member("status", item.isOpen ? "open" : status(item.status))
    if item.isOpen {
      writer.array("after") { writer in for id in item.after { writer.value(id.description) } }
    }
    if let leader = item.status.leader { writer.member("leader", leader.description) }
    writer.array("changes") { writer in
      guard item.status.leader == nil else { return }
      for change in item.outcome?.changes ?? [] { writer.object(change.writeMembers) }
    }
    if !item.status.waitsFor.isEmpty {
      writer.array("waits_for") { writer in for id in item.status.waitsFor { writer.value(id.description) } }
    }
    if let failure = item.status.failure { writer.object("diagnostic", failure.writeMembers) }
  }

  private static func status(_ status: ResourceStatus) -> String {
    switch status.phase {
    case .failed: "failed"
    case .differs: "differs"
    case _ where status.isHidden: "hidden"
    case _ where status.wasCancelled: "cancelled"
    case _ where status.wasChecked: "ok"
    default: "unchecked"
    }
  }
}

extension Change {
  /// path, was, will, and whether a mask stands there.
  func writeMembers(_ writer: inout JSONWriter) {
    writer.member("path", path)
    writer.key("was")
    writer.value(was)
    writer.key("will")
    writer.value(will)
    if isSecret { writer.member("secret", true) }
  }
}
