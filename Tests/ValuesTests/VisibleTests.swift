// SPDX-License-Identifier: Apache-2.0

import Testing
import Values

@Suite("Visible")
struct VisibleTests {
  @Test(
    "shows what a terminal would obey, turn or swallow",
    arguments: [
      ("plain é漢😀 ❤\u{fe0f}\u{a0}", "plain é漢😀 ❤\u{fe0f}\u{a0}"), ("", ""), ("a\u{1b}[2Jb", "a␛[2Jb"),
      ("\u{0}\u{7}\u{7f}", "␀␇␡"),
      ("a\nb\r\n\tc", "a␊b␍␊␉c"), ("\u{80}\u{85}\u{9b}\u{9f}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
      ("\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}", String(repeating: "\u{fffd}", count: 7)),
      ("\u{2028}\u{2029}\u{200b}\u{200d}\u{feff}\u{ad}", String(repeating: "\u{fffd}", count: 6)),
      ("\u{378}\u{e0041}\u{3164}\u{10ffff}", String(repeating: "\u{fffd}", count: 4)),
    ])
  func line(_ text: String, _ shown: String) {
    #expect(Visible.line(text) == shown)
    #expect(Visible.line(Substring(text)) == shown)
  }

  @Test("keeps line ends and tabs of lines, and nothing else")
  func lines() {
    #expect(Visible.lines("a\n\tb\r\n\u{1b}") == "a\n\tb␍\n␛")
  }

  @Test("no scalar comes out that goes in as hidden, and ASCII text stays as it is")
  func all() {
    for value in 0...UInt32(0x10ffff) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let shown = Visible.scalar(scalar)
      #expect(!Visible.isHidden(shown))
      if (0x20..<0x7f).contains(value) { #expect(shown == scalar) }
    }
  }

  @Test("literals name what cannot be seen")
  func quote() {
    #expect(Value.quote("a\"\\\n\u{1b}\u{9b}\u{202e}é") == #""a\"\\\n\x1b\u{9b}\u{202e}é""#)
  }
}
