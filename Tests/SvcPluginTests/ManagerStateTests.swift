// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SvcPlugin

@Suite struct ManagerStateTests {
  private enum Happened {
    case began, signal
    case ended(telling: Bool)
  }

  /// Which of what happened is news.
  private func news(_ all: [Happened]) -> [Bool] {
    var changes = OwnFileChanges()
    return all.map {
      switch $0 {
      case .began:
        changes.began()
        return false
      case .signal: return changes.signalled()
      case .ended(let telling): return changes.ended(telling: telling)
      }
    }
  }

  @Test func ownChangesOfFilesAreNoNews() {
    #expect(news([.began, .signal, .ended(telling: true)]) == [false, false, false])
    #expect(news([.began, .ended(telling: false), .signal]) == [false, false, true])
  }

  @Test func changesOfOthersAreNews() {
    #expect(news([.signal]) == [true])
    #expect(
      news([.began, .began, .signal, .signal, .signal, .ended(telling: true), .ended(telling: true)])
        == [false, false, false, false, false, false, true])
    #expect(news([.began, .signal, .ended(telling: false)]) == [false, false, true])
  }

  @Test func aJobThatEndedBeforeItWasKnown() {
    var jobs = JobWaits()
    jobs.willHear()
    let early = jobs.take("/job/1", "done")
    let token = jobs.wait("/job/1") { _ in }
    #expect(early.isEmpty && token == nil)
    #expect(jobs.result(of: "/job/1") == "done")
    jobs.didHear()
    #expect(jobs.result(of: "/job/1") == nil)
  }

  @Test func whoAsksDuringAReloadGetsTheNext() {
    var reloads = SharedReloads()
    var told: [Int] = []
    let numbers = (1...3).map { number in reloads.ask { _ in told.append(number) } }
    #expect(numbers == [1, nil, nil])
    let ended = reloads.ended(1)
    for answer in ended?.answers ?? [] { answer(.success(())) }
    #expect(told == [1] && ended?.next == 2)
    let again = reloads.ended(1)
    #expect(again == nil)
    let last = reloads.ended(2)
    #expect(last?.answers.count == 2 && last?.next == nil)
  }

  @Test func anAnswerToAReloadThatWasGivenUpIsNobodys() {
    var reloads = SharedReloads()
    _ = [reloads.ask { _ in }, reloads.ask { _ in }]
    let givenUp = reloads.takeAll()
    #expect(givenUp.count == 2)
    let number = reloads.ask { _ in }
    let (stale, own) = (reloads.ended(1), reloads.ended(2))
    #expect(number == 2 && stale == nil && own?.answers.count == 1)
  }

  @Test func whatIsLoadedIsAskedForTogether() {
    var units = LoadedUnits()
    let asks = [units.add("a.service")]
    let first = units.ask()
    #expect(asks == [true] && first.names == ["a.service"])
    let others = ["b.service", "c.service", "b.service"].map { units.add($0) }
    let isMore = units.answered(first.number)
    #expect(others == [false, false, false] && isMore == true)
    let second = units.ask()
    #expect(Set(second.names) == ["b.service", "c.service"])
    let answers = [units.answered(first.number), units.answered(second.number)]
    #expect(answers == [nil, false])
  }

  @Test func aQuestionThatWasGivenUp() {
    var units = LoadedUnits()
    _ = units.add("a.service")
    let asked = units.ask()
    _ = units.add("b.service")
    units.giveUp()
    let answer = units.answered(asked.number)
    let names = units.ask().names
    let asksAgain = units.add("c.service")
    #expect(answer == nil && names.isEmpty && asksAgain)
  }

  @Test func everyoneWhoWaitsIsTold() throws {
    var jobs = JobWaits()
    let tokens = ["/job/1", "/job/1", "/job/2"].map { jobs.wait($0) { _ in } }
    jobs.remove(try #require(tokens[0]))
    let counts = [jobs.take("/job/1", "done").count, jobs.take("/job/1", "done").count, jobs.takeAll().count]
    #expect(counts == [1, 0, 1])
  }
}
