// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Reactor

/// Fights: told once, put right once a second, told when they are over.
extension Engine {
  /// A check changed something. What its declaration asked for for the first time is no fight.
  func noteChange(_ slot: Int, _ outcome: CheckOutcome, at time: UInt64) {
    guard let entry = entries[slot], entry.reason != .intended else { return }
    let now = time / 1_000_000
    switch fights.changed(slot, isRepair: entry.reason == .corrective, now: now) {
    case .single: return
    case .begins(let repairs, let milliseconds, let companions):
      let names = companions.compactMap { entries.indices.contains($0) ? entries[$0]?.resource.id : nil }
      timers(of: slot)?.companions = Array(names.prefix(Self.mostNames))
      onEvent(.fightBegan(entry.resource.id, fightNews(slot, entry, outcome, repairs, milliseconds)))
      awaitPeace(slot, milliseconds: Fights.peace)
    case .goesOn: break
    }
    scheduler.rest(slot, milliseconds: Fights.pace)
  }

  private func awaitPeace(_ slot: Int, milliseconds: UInt64) {
    let timers = timers(of: slot)
    timers?.fight?.cancel()
    timers?.fight = reactor.addTimer(afterMilliseconds: milliseconds) { [weak self] in
      guard let self else { return }
      switch fights.end(slot, now: self.milliseconds()) {
      case .wait(let milliseconds)?: awaitPeace(slot, milliseconds: milliseconds)
      case .over(let repairs)?:
        if let id = entries[slot]?.resource.id { onEvent(.fightEnded(id, repairs: repairs)) }
        flush()
      case nil: break
      }
    }
  }

  /// It leaves the graph, and its fight ends with it.
  func endFight(_ slot: Int, _ id: ResourceID) {
    if let repairs = fights.forget(slot) { onEvent(.fightEnded(id, repairs: repairs)) }
  }

  private static let mostNames = 5

  private func fightNews(
    _ slot: Int, _ entry: Entry, _ outcome: CheckOutcome, _ repairs: Int, _ milliseconds: UInt64
  ) -> Diagnostic {
    let paths = outcome.changes.prefix(Self.mostNames).map(\.path)
    let companions = timers(of: slot)?.companions ?? []
    let others = companions.map(\.description).joined(separator: ", ")
    var notes: [String] = []
    if !paths.isEmpty { notes.append("what was changed last: " + paths.joined(separator: ", ")) }
    notes.append(
      companions.isEmpty
        ? "no other resource of this graph was changed as often meanwhile: it is another program"
        : "changed again and again in the same time: \(others)")
    notes.append("it is put right once a second now, until nobody has changed it for \(Fights.peace / 1000) s")
    return Diagnostic(
      "resource.fight", severity: .warning,
      "somebody undoes what it does: put right \(repairs) times in \(milliseconds) ms", resource: entry.resource.id.description,
      labels: entry.resource.origin.map { [.init($0, "declared here")] } ?? [], notes: notes,
      hint: companions.isEmpty
        ? "find the other program and stop it, or take this out of the graph"
        : "they may want contrary things: change one of them, or take it out of the graph")
  }
}
