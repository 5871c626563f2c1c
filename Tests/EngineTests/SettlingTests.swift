// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Testing

@testable import Engine

@Suite struct SettlingTests {
  private let second: UInt64 = 1_000_000_000

  @Test("Nothing is brought to the disk while something runs, and nothing when nothing was changed")
  func waitsForQuiet() {
    var settling = Settling()
    #expect(settling.update(quiet: true, now: 0) == nil)
    settling.changed("file")
    #expect(settling.update(quiet: false, now: second) == nil)
    #expect(!settling.isDone)
    #expect(settling.update(quiet: true, now: 2 * second) == .settle(["file"]))
    #expect(!settling.isDone)
    settling.ended()
    #expect(settling.isDone)
  }

  @Test("Not more often than every five seconds; what changes meanwhile comes with the next")
  func interval() {
    var settling = Settling()
    settling.changed("file")
    #expect(settling.update(quiet: true, now: second) == .settle(["file"]))
    settling.changed("other")
    #expect(settling.update(quiet: true, now: 2 * second) == nil)
    settling.ended()
    #expect(settling.update(quiet: true, now: 2 * second) == .setTimer(6 * second))
    #expect(settling.update(quiet: true, now: 3 * second) == nil)
    // Something runs when the time has come: the next quiet moment counts.
    #expect(settling.timerFired(quiet: false, now: 6 * second) == nil)
    #expect(settling.update(quiet: true, now: 7 * second) == .settle(["other"]))
  }

  @Test("Who waits for it does not wait for the interval, and an old timer does nothing")
  func hurry() {
    var settling = Settling()
    #expect(settling.hurry(now: 0) == nil)
    settling.changed("file")
    #expect(settling.update(quiet: true, now: second) == .settle(["file"]))
    settling.ended()
    settling.changed("file")
    #expect(settling.update(quiet: true, now: 2 * second) == .setTimer(6 * second))
    #expect(settling.hurry(now: 3 * second) == .settle(["file"]))
    #expect(settling.hurry(now: 3 * second) == nil)
    #expect(settling.timerFired(quiet: true, now: 6 * second) == nil)
    settling.ended()
    #expect(settling.isDone)
  }

  @Test("A disk that did not take what was written is in doubt until it has")
  func doubt() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.always = .changed }
    bench.factory.settlingProblems = [Diagnostic("test.settle", "the disk is broken")]
    bench.apply([thing("a")])
    try bench.settle()
    var isTold = false
    bench.engine.settle { isTold = true }
    #expect(try bench.turn { isTold })
    #expect(bench.engine.isDiskInDoubt)
    bench.factory.settlingProblems = []
    bench.factory.event("a")
    try bench.settle()
    isTold = false
    bench.engine.settle { isTold = true }
    #expect(try bench.turn { isTold })
    #expect(!bench.engine.isDiskInDoubt)
  }
}
