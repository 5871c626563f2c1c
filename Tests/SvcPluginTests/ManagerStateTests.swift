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

  @Test func everyoneWhoWaitsIsTold() throws {
    var jobs = JobWaits()
    let tokens = ["/job/1", "/job/1", "/job/2"].map { jobs.wait($0) { _ in } }
    jobs.remove(try #require(tokens[0]))
    let counts = [jobs.take("/job/1", "done").count, jobs.take("/job/1", "done").count, jobs.takeAll().count]
    #expect(counts == [1, 0, 1])
  }
}
