// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SvcPlugin

@Suite struct UnitFileNamesTests {
  private func steps(_ names: inout UnitFileNames, _ times: [UInt64]) -> [UnitFileNames.Step] {
    times.map { names.ask(now: $0) { _ in } }
  }

  @Test func oneQuestionForAll() {
    var names = UnitFileNames()
    let asked = steps(&names, [0, 0, 1])
    #expect(asked == [.ask, .shared, .shared])
    let told = names.answered(["a.service"], now: 1).count
    let none = names.answered(["a.service"], now: 1).count
    #expect(told == 3 && none == 0)
    let known = steps(&names, [1, 60, 61, 61])
    #expect(known == [.known(["a.service"]), .known(["a.service"]), .ask, .shared])
  }

  @Test func noAnswerIsNotKept() {
    var names = UnitFileNames()
    _ = steps(&names, [0])
    let told = names.answered(nil, now: 0).count
    let again = steps(&names, [0])
    #expect(told == 1 && again == [.ask])
  }

  @Test func whatChangedIsAskedAgain() {
    var names = UnitFileNames()
    _ = steps(&names, [0])
    _ = names.answered(["a.service"], now: 0)
    names.forget()
    let asked = steps(&names, [1])
    names.forget()
    let shared = steps(&names, [1])
    let told = names.answered(["b.service"], now: 1).count
    let again = steps(&names, [1])
    #expect(asked == [.ask] && shared == [.shared] && told == 2 && again == [.ask])
  }
}
