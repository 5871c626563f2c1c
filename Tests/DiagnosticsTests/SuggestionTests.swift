// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Testing

@Suite("Suggestion")
struct SuggestionTests {
  private let names = ["content", "source", "fragments", "mode", "owner", "group", "state"]

  @Test(
    "finds the nearest name",
    arguments: [
      ("contnet", "content"), ("Content", "content"), ("sources", "source"), ("mod", "mode"), ("stat", "state"),
      ("ownr", "owner"),
    ])
  func nearest(_ word: String, _ expected: String) {
    #expect(Suggestion.nearest(to: word, in: names) == expected)
  }

  @Test("finds none where none is near", arguments: ["", "colour", "zzzzzz", String(repeating: "a", count: 1000)])
  func none(_ word: String) {
    #expect(Suggestion.nearest(to: word, in: names) == nil)
  }

  @Test("of equally near names takes the first in order, whatever order they come in")
  func ties() {
    #expect(Suggestion.nearest(to: "fax", in: ["fay", "fat"]) == "fat")
    #expect(Suggestion.nearest(to: "fax", in: ["fat", "fay"]) == "fat")
  }

  @Test("names what is known when nothing is near and the list is short")
  func hint() {
    #expect(Suggestion.hint(for: "modd", in: names) == "did you mean \"mode\"?")
    #expect(Suggestion.hint(for: "xyzzy", in: ["b", "a"]) == "known: a, b")
    #expect(Suggestion.hint(for: "xyzzy", in: [String]()) == nil)
    #expect(Suggestion.hint(for: "xyzzy", in: (0..<100).map { "name\($0)" }) == nil)
  }
}
