// SPDX-License-Identifier: Apache-2.0

/// Text of others on its way to people: names, contents, commands, what plugins and programs say. No view writes such text in another way.
///
/// A terminal obeys control characters, some characters turn the direction of what follows, and some are not seen at all. Here each
/// of them is one visible character: a control character its picture (`␛`), another one U+FFFD.
public enum Visible {
  /// On one line: a line's end is shown, so that no text can look like a line of ours.
  public static func line(_ text: String) -> String {
    isPlain(text) ? text : shown(text) { _ in false }
  }

  /// The same of a part.
  public static func line(_ text: Substring) -> String { line(String(text)) }

  /// As lines: line ends and tabs stay.
  public static func lines(_ text: String) -> String {
    isPlain(text) ? text : shown(text) { $0 == "\n" || $0 == "\t" }
  }

  /// What is shown for a character.
  public static func scalar(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    guard isHidden(scalar) else { return scalar }
    return switch scalar.value {
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{fffd}"
    case 0x7f: "\u{2421}"
    default: "\u{fffd}"
    }
  }

  /// Whether a terminal would obey it, turn text because of it, show nothing, or does not know it.
  public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20..<0x7f, 0xa1..<0xad, 0xae..<0x300: return false
    case ..<0xa0: return true
    // How an emoji is drawn.
    case 0xfe00...0xfe0f: return false
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: return true
    default: return scalar.properties.isDefaultIgnorableCodePoint
    }
  }

  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
  }

  private static func shown(_ text: String, keeps: (Unicode.Scalar) -> Bool) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(keeps(scalar) ? scalar : Self.scalar(scalar)) }
    return String(result)
  }
}
