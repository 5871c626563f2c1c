// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Reactor

/// Bringing what was written to the disk, so that a power cut does not take it back.
extension Engine {
  /// After every input.
  func updateSettling() {
    guard !settling.isDone, !isHeld else { return }
    perform(settling.update(quiet: isStill, now: now()))
  }

  /// Brings to the disk what was written so far, as soon as it can be. `done` is called once, now or later.
  public func settle(_ done: @escaping () -> Void) {
    onSettled.append(done)
    perform(settling.hurry(now: now()))
    tellSettled()
  }

  private func perform(_ action: Settling.Action?) {
    switch action {
    case nil: return
    case .setTimer(let time):
      let now = now()
      reactor.addTimer(afterMilliseconds: time > now ? (time - now + 999_999) / 1_000_000 : 0) { [weak self] in
        guard let self else { return }
        perform(settling.timerFired(quiet: isStill, now: self.now()))
      }
    case .settle(let kinds):
      let start = now()
      factory.settle(kinds) { [weak self] problems in self?.settled(since: start, problems) }
    }
  }

  private func settled(since start: UInt64, _ problems: [Diagnostic]) {
    settling.ended()
    isDiskInDoubt = !problems.isEmpty
    if !problems.isEmpty { onEvent(.warnings(problems)) }
    onEvent(.settled(duration: now() - start))
    // What was written meanwhile.
    if !onSettled.isEmpty { perform(settling.hurry(now: now())) } else { updateSettling() }
    tellSettled()
  }

  private func tellSettled() {
    guard settling.isDone, !onSettled.isEmpty else { return }
    let waiting = onSettled
    onSettled = []
    for done in waiting { done() }
  }
}
