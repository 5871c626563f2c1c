// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Frontends
import Testing

/// Bad graphs and what is said about them are in Tests/Snapshots/yaml-errors.md. `UPDATE_SNAPSHOTS=1 swift test` writes the
/// answers anew.
@Suite("YAML errors")
struct YAMLErrorTests {
  private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Snapshots/yaml-errors.md")

  private func render(_ bytes: [UInt8]) -> String {
    switch YAMLGraphDecoder.decode(bytes: bytes, file: "g.yaml", catalog: TestCatalog()) {
    case .success: "no error\n"
    case .failure(let error): TextRenderer().render(error.diagnostics)
    }
  }

  @Test("say where, what, and what to do")
  func snapshots() throws {
    let before = try String(contentsOf: Self.file, encoding: .utf8)
    var after = ""
    for part in before.components(separatedBy: "\n## ").enumerated() {
      guard part.offset > 0 else {
        after += part.element
        continue
      }
      let start = try #require(part.element.range(of: "```yaml\n"))
      let end = try #require(part.element.range(of: "\n```\n", range: start.upperBound..<part.element.endIndex))
      let source = String(part.element[start.upperBound..<end.lowerBound])
      let bytes = Array(source.replacingOccurrences(of: "⇥", with: "\t").utf8)
      after += "\n## " + part.element[..<end.upperBound] + "\n```text\n" + render(bytes) + "```\n"
    }
    guard ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] == nil else {
      return try after.write(to: Self.file, atomically: true, encoding: .utf8)
    }
    #expect(after == before, "run with UPDATE_SNAPSHOTS=1 and look at the difference")
  }

  @Test("bytes that are not UTF-8 are named with their place")
  func encoding() {
    let text = render(Array("graph: g\ncomment: é".utf8) + [0xff, 0x0a])
    #expect(text.hasPrefix("error: the file is not UTF-8: found 0xff\n  ┌─ g.yaml:2:11\n"))
    #expect(render([0xff, 0xfe, 0x67, 0x00]).contains("it looks like UTF-16"))
    #expect(render(Array("graph: \u{7}".utf8)).hasPrefix("error: there is a control character in the file\n  ┌─ g.yaml:1:8\n"))
  }

  @Test("nesting is bounded", arguments: ["[", "{a: ", "- ", "? "])
  func depth(_ text: String) {
    #expect(render(Array(("graph: g\ncomment:\n  " + String(repeating: text, count: 5000)).utf8)).hasPrefix("error: "))
  }

  @Test("nothing of a secret value is shown")
  func secrets() {
    let text = render(
      Array(
        """
        graph: g
        resources:
          test:
          - name: x
            int: 1
            password: hunter2
            keys:
              - [hunter3]
              - {hunter4: 1}
        """.utf8))
    #expect(text.contains("this value is not one of the choices"))
    #expect(text.contains("expected str, found a list"))
    #expect(!text.contains("hunter"))
  }

  @Test("of very many errors some are shown")
  func many() {
    var text = "graph: g\nresources:\n  noop:\n"
    for number in 0..<1000 { text += "  - {name: n\(number), x\(number): 1}\n" }
    guard case .failure(let error) = YAMLGraphDecoder.decode(bytes: Array(text.utf8), file: "g", catalog: TestCatalog()) else {
      Issue.record("it was accepted")
      return
    }
    #expect(error.diagnostics.count == YAMLGraphDecoder.maximumErrors + 1)
    #expect(error.diagnostics.last?.severity == .note)
  }

  @Test("no bomb goes off")
  func bombs() {
    var text = "graph: g\ncomment: [&a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<30 { text += ", &a\(level) [" + String(repeating: "*a\(level - 1), ", count: 10) + "]\n" }
    #expect(render(Array((text + "]").utf8)).hasPrefix("error: the aliases up to here expand to too much"))
    let long = "graph: g\nresources:\n  noop:\n  - {name: a, comment: &c \"" + String(repeating: "x", count: 100_000) + "\"}\n"
    let uses = (0..<2000).map { "  - {name: n\($0), comment: *c}\n" }.joined()
    #expect(render(Array((long + uses).utf8)).hasPrefix("error: the aliases up to here expand to too much"))
  }
}
