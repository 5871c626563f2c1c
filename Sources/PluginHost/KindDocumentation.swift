// SPDX-License-Identifier: Apache-2.0

/// The documentation text of a kind, which is Markdown: what comes first says what the kind is for, then sections may follow, each below
/// a line `## Title`. Sections of examples belong before the parameters, all others after them.
struct KindDocumentation: Equatable {
  struct Section: Equatable {
    var title: String
    var body: String
  }

  var introduction = ""
  var examples: [Section] = []
  var others: [Section] = []

  /// Any text is one: without such lines all of it is the introduction.
  init(_ text: String) {
    var sections = [Section(title: "", body: "")]
    var isCode = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isCode.toggle() }
      if !isCode, line.hasPrefix("## ") {
        sections.append(Section(title: Self.trimmed(line.dropFirst(3), of: " \t"), body: ""))
      } else {
        sections[sections.count - 1].body += line + "\n"
      }
    }
    for position in sections.indices { sections[position].body = Self.trimmed(sections[position].body[...], of: "\n") }
    introduction = sections.removeFirst().body
    examples = sections.filter { $0.title.hasPrefix("Example") }
    others = sections.filter { !$0.title.hasPrefix("Example") }
  }

  /// Without blank lines around it, and spaces at its end: those at the start of a first line may be its indentation.
  private static func trimmed(_ text: Substring, of characters: String) -> String {
    var text = text
    while let first = text.first, characters.contains(first) { text.removeFirst() }
    while let last = text.last, last == "\n" || last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }

  /// Markdown as it is read on a terminal: the marks around code blocks go, and the code stands further in.
  static func plain(_ markdown: String) -> String {
    var lines: [String] = []
    var isCode = false
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isCode.toggle()
      } else {
        lines.append(isCode && !line.isEmpty ? "  " + line : String(line))
      }
    }
    return lines.joined(separator: "\n")
  }
}
