// SPDX-License-Identifier: Apache-2.0

import Values

/// Renders diagnostics for a person: severity and title, the source line with the place underlined, notes, a hint.
///
///     error: unknown kind "fle"
///       ┌─ graph.yaml:3:3
///       │
///     3 │   fle:
///       │   ^^^
///       = did you mean "file"?
///       hint: `mgmt plugins list` shows the kinds there are
public struct TextRenderer: Sendable {
  /// ANSI colours.
  public var colour: Bool
  /// Columns of a terminal that an excerpt may take.
  public var width: Int

  /// Of titles, labels, notes and hints so many characters are shown.
  private static let maximumText = 2000

  public init(colour: Bool = false, width: Int = 100) {
    self.colour = colour
    self.width = max(40, width)
  }

  /// Several, with an empty line between them.
  public func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map(render).joined(separator: "\n")
  }

  /// Lines, each with a newline.
  public func render(_ diagnostic: Diagnostic) -> String {
    let severity = diagnostic.severity
    var text = paint(severity.rawValue + ":", severity.style) + " " + paint(line(headline(diagnostic)), .bold) + "\n"
    let numbers = diagnostic.labels.map { String($0.span.start.line).count }
    let margin = String(repeating: " ", count: max(1, numbers.max() ?? 1))
    for (position, label) in diagnostic.labels.enumerated() {
      text += render(label, margin: margin, style: position == 0 ? severity.style : .frame)
    }
    for note in diagnostic.notes { text += indented(note, after: "\(margin) " + paint("=", .frame) + " ", margin: margin) }
    if let hint = diagnostic.hint { text += indented(hint, after: "\(margin) " + paint("hint:", .hint) + " ", margin: margin) }
    return text
  }

  /// The title, after the resource it is about unless it names it itself.
  private func headline(_ diagnostic: Diagnostic) -> String {
    guard let resource = diagnostic.resource, !diagnostic.title.contains(resource) else { return diagnostic.title }
    return "\(resource): \(diagnostic.title)"
  }

  // MARK: Labels

  private func render(_ label: Diagnostic.Label, margin: String, style: Style) -> String {
    let start = label.span.start
    let place = "\(line(label.span.file)):\(start.line):\(start.column)"
    var text = margin + " " + paint("┌─", .frame) + " " + place + "\n"
    let bar = paint("│", .frame)
    guard let excerpt = label.excerpt else {
      return label.text.isEmpty ? text : text + margin + " " + bar + " " + line(label.text) + "\n"
    }
    let number = String(start.line)
    let padding = String(repeating: " ", count: max(0, margin.count - number.count))
    let isOneLine = label.span.end.line == start.line
    let shown = ExcerptLine(
      excerpt, from: start.column, to: isOneLine ? label.span.end.column : .max, width: width - margin.count - 3)
    text += margin + " " + bar + "\n"
    text += padding + paint(number, .frame) + " " + bar + " " + shown.text + "\n"
    text += margin + " " + bar + " " + String(repeating: " ", count: shown.underlineStart)
    text += paint(String(repeating: "^", count: shown.underlineWidth), style)
    return text + (label.text.isEmpty ? "" : " " + paint(line(label.text), style)) + "\n"
  }

  private func indented(_ text: String, after lead: String, margin: String) -> String {
    var result = ""
    for (position, part) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      result += (position == 0 ? lead : margin + "   ") + line(String(part)) + "\n"
    }
    return result
  }

  /// One line, bounded.
  private func line(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: Self.maximumText, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return Visible.line(text) }
    return Visible.line(text[..<end]) + "…"
  }

  // MARK: Colour

  fileprivate enum Style: String {
    case error = "1;31"
    case warning = "1;33"
    case note = "1;34"
    case bold = "1"
    case frame = "36"
    case hint = "32"
  }

  private func paint(_ text: String, _ style: Style) -> String {
    colour ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }
}

extension Diagnostic.Severity {
  fileprivate var style: TextRenderer.Style {
    switch self {
    case .error: .error
    case .warning: .warning
    case .note: .note
    }
  }
}
