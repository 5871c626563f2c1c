// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Testing

@Suite("TextRenderer")
struct TextRendererTests {
  private func span(_ line: Int, _ from: Int, _ to: Int) -> SourceSpan {
    SourceSpan(file: "g.yaml", start: .init(line: line, column: from), end: .init(line: line, column: to))
  }

  @Test("shows title, place, line, label, notes and hint")
  func whole() {
    let diagnostic = Diagnostic(
      "a.b", "something is wrong",
      labels: [.init(span(9, 3, 6), "this", excerpt: "a bcd e"), .init(span(12, 1, 1), "that", excerpt: "")],
      notes: ["one\ntwo"], hint: "do it")
    #expect(
      TextRenderer().render(diagnostic) == """
        error: something is wrong
           ┌─ g.yaml:9:3
           │
         9 │ a bcd e
           │   ^^^ this
           ┌─ g.yaml:12:1
           │
        12 │ 
           │ ^ that
           = one
             two
           hint: do it

        """)
  }

  @Test("without an excerpt the place stands alone")
  func noExcerpt() {
    let diagnostic = Diagnostic("a.b", severity: .warning, "odd", labels: [.init(span(1, 2, 3)), .init(span(2, 2, 3), "text")])
    #expect(TextRenderer().render(diagnostic) == "warning: odd\n  ┌─ g.yaml:1:2\n  ┌─ g.yaml:2:2\n  │ text\n")
  }

  @Test("makes control characters visible and keeps the caret in place")
  func controls() {
    let label = Diagnostic.Label(span(1, 4, 5), excerpt: "\t\u{1b}[x\u{202e}")
    let text = TextRenderer().render(Diagnostic("a.b", "bad \u{1b}[31m\n", labels: [label]))
    #expect(text == "error: bad ␛[31m␊\n  ┌─ g.yaml:1:4\n  │\n1 │ ␉␛[x\u{fffd}\n  │    ^\n")
  }

  @Test("counts wide and combining characters as a terminal does")
  func widths() {
    let label = Diagnostic.Label(span(1, 4, 6), excerpt: "漢e\u{301}字xy")
    let text = TextRenderer().render(Diagnostic("a.b", "t", labels: [label]))
    #expect(text.hasSuffix("  │    ^^^\n"))
  }

  @Test("cuts long lines around the span")
  func longLines() {
    let line = String(repeating: "a", count: 5000) + "HERE" + String(repeating: "b", count: 5000)
    let text = TextRenderer(width: 60).render(Diagnostic("a.b", "t", labels: [.init(span(1, 5001, 5005), excerpt: line)]))
    let lines = text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.unicodeScalars.count <= 60 })
    #expect(lines.contains { $0.contains("…") && $0.contains("HERE") })
    let excerpt = lines[3].unicodeScalars.drop { $0 != "H" }.count
    let caret = lines[3].unicodeScalars.count - excerpt
    #expect(lines[4].unicodeScalars.prefix { $0 != "^" }.count == caret)
    #expect(lines[4].filter { $0 == "^" }.count == 4)
  }

  @Test(
    "survives spans that do not fit the line",
    arguments: [(0, 0), (1, 0), (-5, 3), (100, 200), (3, 2), (1, Int.max)])
  func oddSpans(_ from: Int, _ to: Int) {
    let text = TextRenderer().render(Diagnostic("a.b", "t", labels: [.init(span(1, from, to), excerpt: "abc")]))
    #expect(text.contains("^"))
  }

  @Test("colours only when asked")
  func colour() {
    let diagnostic = Diagnostic("a.b", "t", hint: "h")
    #expect(!TextRenderer().render(diagnostic).contains("\u{1b}"))
    #expect(TextRenderer(colour: true).render(diagnostic).hasPrefix("\u{1b}[1;31merror:\u{1b}[0m"))
  }
}

@Suite("SourceText")
struct SourceTextTests {
  @Test("finds lines whatever ends them")
  func lines() {
    let text = SourceText(Array("one\ntwo\r\nthree\rfour".utf8))
    #expect((0...5).map { text.line($0) } == [nil, "one", "two", "three", "four", nil])
  }

  @Test("finds the place of a byte, in characters")
  func positions() {
    let text = SourceText(Array("é漢x\ny".utf8))
    #expect(text.position(ofByte: 5) == SourcePosition(line: 1, column: 3))
    #expect(text.position(ofByte: 7) == SourcePosition(line: 2, column: 1))
    #expect(text.position(ofByte: 99) == SourcePosition(line: 2, column: 2))
    #expect(SourceText([]).position(ofByte: 0) == SourcePosition(line: 1, column: 1))
  }
}

@Suite("Diagnostic as JSON")
struct DiagnosticJSONTests {
  @Test("is one object on one line")
  func whole() {
    let span = SourceSpan(file: "a \"b\"", start: .init(line: 1, column: 2), end: .init(line: 1, column: 4))
    let diagnostic = Diagnostic(
      "a.b", severity: .note, "title", resource: "file[x]", labels: [.init(span, "label", excerpt: "x\ty")], notes: ["n"],
      hint: "h")
    #expect(
      diagnostic.jsonObject
        == #"{"severity":"note","code":"a.b","title":"title","resource":"file[x]","labels":[{"file":"a \"b\"","line":1,"#
        + #""column":2,"end_line":1,"end_column":4,"text":"label","excerpt":"x\ty"}],"notes":["n"],"hint":"h"}"#)
    #expect(Diagnostic("a.b", "t").jsonObject == #"{"severity":"error","code":"a.b","title":"t","labels":[],"notes":[]}"#)
  }
}
