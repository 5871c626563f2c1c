// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Testing
import Values

@testable import Engine

@Suite("Secret mask")
struct SecretMaskTests {
  private func hiding(_ values: Value...) throws -> SecretMask {
    let mask = SecretMask(parameters: ["token"], values: values)
    return try #require(mask)
  }

  @Test("there is none where nothing is secret")
  func none() {
    #expect(SecretMask(parameters: [], values: [.string("hunter2")]) == nil)
  }

  @Test(
    "takes the value, its lines, and the words of it out of a text",
    arguments: [
      ("hunter2", "the password hunter2, hunter2!", "the password (secret), (secret)!"),
      ("hunter2", "hunter1", "hunter1"), ("hunter2", "", ""),
      ("one line\nother line", "it says other line", "it says (secret)"),
      ("curl -u user:hunter2 https://x", "no access for user:hunter2", "no access for (secret)"),
      ("curl -u user:hunter2 https://x", "bad password hunter2", "bad password (secret)"),
      ("PASSWORD='hunter2' run", "hunter2", "(secret)"),
      // The longest first.
      ("abcdef abcdefgh", "abcdefgh abcdef", "(secret) (secret)"),
      // Too short to be one.
      ("abc", "abc", "abc"), ("secret", "(secret)", "(secret)"), ("é漢漢", "aé漢漢b", "a(secret)b"),
    ])
  func texts(_ secret: String, _ text: String, _ masked: String) throws {
    let mask = try hiding(.string(secret))
    #expect(mask.masking(text) == masked)
  }

  @Test("looks into lists, maps and structs, of the secret and of what is shown")
  func values() throws {
    let mask = try hiding(
      .list([.string("first1"), .map([.init(key: .string("key"), value: .string("second2"))])]),
      .structure([.init(name: "pin", value: .int(123_456))]))
    #expect(mask.masking("first1 second2 123456 key") == "(secret) (secret) (secret) key")
    let shown = Value.list([.int(123_456), .int(5), .map([.init(key: .string("second2"), value: .bool(true))]), .unset])
    let masked = Value.list([
      .string("(secret)"), .int(5), .map([.init(key: .string("(secret)"), value: .bool(true))]), .unset,
    ])
    #expect(mask.masking(shown) == masked)
    #expect(mask.isIn(shown) && !mask.isIn(.string("third")))
  }

  @Test("a change of a secret parameter shows that there is one, also below it; another one is searched")
  func changes() throws {
    let mask = try hiding(.string("hunter2"))
    func masked(_ path: String, _ parameter: String) -> Change {
      mask.masking(Change(path: path, was: .unset, will: .string("is hunter2")), of: parameter)
    }
    #expect(
      masked("token.first", "token") == Change(path: "token.first", was: .unset, will: .string("(secret)"), isSecret: true))
    #expect(masked("mode", "mode") == Change(path: "mode", was: .unset, will: .string("is (secret)"), isSecret: true))
    let other = Change(path: "mode", was: .string("0644"), will: .string("0600"))
    #expect(mask.masking(other, of: "mode") == other)
  }

  @Test("nothing of a diagnostic is left out")
  func diagnostics() throws {
    let span = SourceSpan(file: "f", start: .init(line: 1, column: 1), end: .init(line: 1, column: 2))
    let label = Diagnostic.Label(span, "hunter2", excerpt: "hunter2")
    let masked = try hiding(.string("hunter2")).masking(
      Diagnostic("c", "hunter2", labels: [label], notes: ["hunter2"], hint: "hunter2"))
    #expect(!masked.jsonObject.contains("hunter2") && masked.title == "(secret)" && masked.hint == "(secret)")
  }

  @Test("a long secret costs a bounded search")
  func long() throws {
    let lines = (0..<100_000).map { "line number \($0)" }.joined(separator: "\n")
    let mask = try hiding(.string(lines))
    #expect(mask.masking("line number 3") == "(secret)")
  }
}
