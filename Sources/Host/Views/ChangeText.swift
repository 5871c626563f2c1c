// SPDX-License-Identifier: Apache-2.0

import Engine
import Values

/// Changes for people.
enum ChangeText {
  private static let shortLimit = 60

  /// `mode: "0644" -> "0600"` on one line.
  static func short(_ change: Change) -> String {
    if isHidden(change) { return "\(path(change)): \(mask)\(change.will.isUnset ? " -> none" : "")" }
    return switch (change.was, change.will) {
    case (.unset, .unset): path(change)
    case (.unset, let will): "\(path(change)): \(cut(will))"
    case (let was, .unset): "\(path(change)): \(cut(was)) -> none"
    case (let was, let will): "\(path(change)): \(cut(was)) -> \(cut(will))"
    }
  }

  private static let mask = "(secret)"

  /// Nothing but the mask is there to be shown.
  private static func isHidden(_ change: Change) -> Bool {
    change.isSecret && [change.was, change.will].allSatisfy { $0.isUnset || $0 == .string(mask) }
  }

  private static func path(_ change: Change) -> String { Visible.line(change.path) }

  private static func isLong(_ value: Value) -> Bool {
    guard case .string(let text) = value else { return false }
    return text.utf8.contains(UInt8(ascii: "\n")) || text.utf8.count > shortLimit
  }

  private static func cut(_ value: Value) -> String {
    if case .string(let text) = value, isLong(value) {
      let first = text.unicodeScalars.split(separator: "\n", maxSplits: 1).first ?? Substring.UnicodeScalarView()
      return Value.quote(String(first.prefix(shortLimit))) + "..."
    }
    let scalars = value.description.unicodeScalars
    return scalars.count > shortLimit ? String(scalars.prefix(shortLimit)) + "..." : String(scalars)
  }

  /// Every field on a line of its own, `was -> will`, texts of several lines as a unified diff.
  static func fields(_ changes: [Change], on stream: Terminal.Stream = .errors) -> String {
    changes.map { change in
      guard isLong(change.was) || isLong(change.will) else { return "  \(short(change))\n" }
      let (was, will) = (lines(change.was), lines(change.will))
      return "--- \(path(change))\n+++ \(path(change))\n" + UnifiedDiff.render(was, will, on: stream)
    }.joined()
  }

  private static func lines(_ value: Value) -> [DiffLine] {
    switch value {
    case .unset: return []
    case .string(let text):
      var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      if lines.last?.isEmpty == true { lines.removeLast() }
      return lines.map { DiffLine(text: String($0)) }
    default: return [DiffLine(text: value.description)]
    }
  }
}

/// A line of a text, without its end. Two are the same when their bytes are: one that only looks the same differs.
struct DiffLine: Hashable {
  var text: String

  static func == (a: DiffLine, b: DiffLine) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

  func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }

  /// Tabs stay: they belong to the text.
  var shown: String { Visible.lines(text) }
}

/// The lines that differ, with three lines around them.
enum UnifiedDiff {
  private static let context = 3
  /// Longer texts are shown as removed and added whole: comparing them costs the product of their differences.
  private static let limit = 4000

  private enum Edit {
    case same(DiffLine)
    case removed(DiffLine)
    case added(DiffLine)

    var isSame: Bool { if case .same = self { true } else { false } }
  }

  static func render(_ was: [DiffLine], _ will: [DiffLine], on stream: Terminal.Stream) -> String {
    let edits = edits(was, will)
    var text = ""
    var position = 0
    var (oldLine, newLine) = (1, 1)
    while position < edits.count {
      guard let change = edits[position...].firstIndex(where: { !$0.isSame }) else { break }
      let start = max(position, change - context)
      for edit in edits[position..<start] { step(edit, &oldLine, &newLine) }
      let end = hunkEnd(edits, from: change)
      text += hunk(edits[start..<end], oldLine, newLine, stream)
      for edit in edits[start..<end] { step(edit, &oldLine, &newLine) }
      position = end
    }
    return text
  }

  private static func hunkEnd(_ edits: [Edit], from change: Int) -> Int {
    var last = change
    var index = change
    while index < edits.count, index - last <= 2 * context {
      if !edits[index].isSame { last = index }
      index += 1
    }
    return min(edits.count, last + context + 1)
  }

  private static func hunk(_ edits: ArraySlice<Edit>, _ oldLine: Int, _ newLine: Int, _ stream: Terminal.Stream) -> String {
    var (old, new) = (0, 0)
    var body = ""
    for edit in edits {
      switch edit {
      case .same(let line):
        (old, new) = (old + 1, new + 1)
        body += " \(line.shown)\n"
      case .removed(let line):
        old += 1
        body += Terminal.styled("-\(line.shown)", .red, on: stream) + "\n"
      case .added(let line):
        new += 1
        body += Terminal.styled("+\(line.shown)", .green, on: stream) + "\n"
      }
    }
    return "@@ -\(old == 0 ? oldLine - 1 : oldLine),\(old) +\(new == 0 ? newLine - 1 : newLine),\(new) @@\n" + body
  }

  private static func step(_ edit: Edit, _ oldLine: inout Int, _ newLine: inout Int) {
    switch edit {
    case .same: (oldLine, newLine) = (oldLine + 1, newLine + 1)
    case .removed: oldLine += 1
    case .added: newLine += 1
    }
  }

  private static func edits(_ was: [DiffLine], _ will: [DiffLine]) -> [Edit] {
    guard was.count <= limit, will.count <= limit else { return was.map(Edit.removed) + will.map(Edit.added) }
    let difference = will.difference(from: was)
    var removed: Set<Int> = []
    var added: Set<Int> = []
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): added.insert(offset)
      }
    }
    var edits: [Edit] = []
    var (old, new) = (0, 0)
    while old < was.count || new < will.count {
      if old < was.count, removed.contains(old) {
        edits.append(.removed(was[old]))
        old += 1
      } else if new < will.count, added.contains(new) {
        edits.append(.added(will[new]))
        new += 1
      } else {
        edits.append(.same(was[old]))
        (old, new) = (old + 1, new + 1)
      }
    }
    return edits
  }
}
