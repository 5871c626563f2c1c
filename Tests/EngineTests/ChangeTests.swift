// SPDX-License-Identifier: Apache-2.0

import Testing
import Values

@testable import Engine

@Suite struct ChangeTests {
  private let schema = KindSchema(
    name: "k", parameters: [.init(name: "token", type: .string, isSecret: true), .init(name: "mode", type: .string)])

  @Test("Values of secret parameters are masked, what is below them too, others are not")
  func secrets() {
    let changes = [
      Change(path: "token", was: .unset, will: .string("hunter2")),
      Change(path: "token.first", was: .string("a"), will: .string("b")),
      Change(path: "mode", was: .string("0644"), will: .string("0600")),
    ]
    let masked = changes.masked(by: schema)
    #expect(masked[0] == Change(path: "token", was: .unset, will: .string("(secret)")))
    #expect(masked[1] == Change(path: "token.first", was: .string("(secret)"), will: .string("(secret)")))
    #expect(masked[2] == changes[2])
  }
}
