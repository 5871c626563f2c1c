// SPDX-License-Identifier: Apache-2.0

import Values

/// Pieces of the pages of the reference.
enum Markdown {
  /// A line of a table. A cell is one line, and `|` would end it, also within code and after a backslash.
  static func row(_ cells: [String]) -> String {
    "|" + cells.map { " " + cell($0) + " |" }.joined() + "\n"
  }

  static func table(_ head: [String], _ rows: [[String]]) -> String {
    row(head) + "|" + String(repeating: "---|", count: head.count) + "\n" + rows.map(row).joined()
  }

  static func code(_ text: String) -> String {
    // Enough marks that none within ends it.
    var longest = 0
    var run = 0
    for character in text {
      run = character == "`" ? run + 1 : 0
      longest = max(longest, run)
    }
    let marks = String(repeating: "`", count: longest + 1)
    let space = text.hasPrefix("`") || text.hasSuffix("`") ? " " : ""
    return marks + space + text + space + marks
  }

  private static func cell(_ text: String) -> String {
    var result = ""
    for character in cleanLine(text, limit: 1 << 16) {
      switch character {
      // A backslash of the text must not take ours away.
      case "|": result += result.last == "\\" ? "\\\\|" : "\\|"
      default: result.append(character)
      }
    }
    return result
  }
}

extension Value {
  /// As it stands in a graph.
  var written: String {
    if case .float(let number) = self, number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    return description
  }
}
