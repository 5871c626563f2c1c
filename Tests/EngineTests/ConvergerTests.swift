// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Engine

@Suite struct ConvergerTests {
  private let second: UInt64 = 1_000_000_000

  @Test("Converges after the time of quiet, counted from when it became quiet")
  func timeout() {
    var converger = Converger(timeoutSeconds: 5)
    #expect(converger.update(quiet: false, succeeds: false, now: 0) == [])
    #expect(converger.update(quiet: true, succeeds: true, now: 30 * second) == [.setTimer(35 * second)])
    #expect(converger.update(quiet: true, succeeds: true, now: 31 * second) == [])
    #expect(converger.timerFired(now: 35 * second) == [.report(.converged)])
    #expect(converger.update(quiet: false, succeeds: false, now: 40 * second) == [.cancelTimer, .report(.unconverged)])
  }

  @Test("A change starts the time anew")
  func activity() {
    var converger = Converger(timeoutSeconds: 5)
    _ = converger.update(quiet: true, succeeds: true, now: 0)
    #expect(converger.activity() == [.cancelTimer])
    #expect(converger.timerFired(now: 5 * second) == [], "a timer that was cancelled too late says nothing")
    #expect(converger.update(quiet: true, succeeds: true, now: 3 * second) == [.setTimer(8 * second)])
    #expect(converger.timerFired(now: 7 * second) == [.setTimer(8 * second)])
  }

  @Test("0 converges at once, a negative time never")
  func limits() {
    var atOnce = Converger(timeoutSeconds: 0)
    #expect(atOnce.update(quiet: true, succeeds: true, now: 7) == [.report(.converged)])
    var never = Converger(timeoutSeconds: -1)
    #expect(never.update(quiet: true, succeeds: true, now: 7) == [])
  }

  @Test("Quiet with a failure is stalled, not converged")
  func stalled() {
    var converger = Converger(timeoutSeconds: 1)
    _ = converger.update(quiet: true, succeeds: false, now: 0)
    #expect(converger.timerFired(now: second) == [.report(.stalled)])
  }
}
