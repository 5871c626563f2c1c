// SPDX-License-Identifier: Apache-2.0

/// systemd says "unit files changed" for our own changes too, right before it answers the call that made them. Those are not news.
struct OwnFileChanges: Equatable, Sendable {
  private var running = 0
  private var signals = 0

  mutating func began() { running += 1 }

  /// true: somebody else changed something.
  mutating func signalled() -> Bool {
    guard running > 0 else { return true }
    signals += 1
    return false
  }

  /// `telling`: this change made one signal. true: another signal came while changes were made.
  mutating func ended(telling: Bool) -> Bool {
    running = max(0, running - 1)
    if telling, signals > 0 { signals -= 1 }
    guard running == 0, signals > 0 else { return false }
    signals = 0
    return true
  }
}

/// daemon-reload: one at a time. Who asks while one runs may have changed a file after systemd had read it, so he gets the next.
struct SharedReloads {
  typealias Answer = (Result<Void, BusError>) -> Void

  private var running: [Answer] = []
  private var next: [Answer] = []
  /// Of the one that runs; answers to one that was given up are told by it.
  private var number = 0

  /// The number of the reload to begin; nil: one runs.
  mutating func ask(_ answer: @escaping Answer) -> Int? {
    guard running.isEmpty else {
      next.append(answer)
      return nil
    }
    running = [answer]
    number += 1
    return number
  }

  /// Who gets its answer, and the number of the reload to begin next; nil: it was given up.
  mutating func ended(_ ended: Int) -> (answers: [Answer], next: Int?)? {
    guard ended == number, !running.isEmpty else { return nil }
    let answers = running
    (running, next) = (next, [])
    guard !running.isEmpty else { return (answers, nil) }
    number += 1
    return (answers, number)
  }

  /// All are given up.
  mutating func takeAll() -> [Answer] {
    defer { (running, next) = ([], []) }
    return running + next
  }
}

/// Units that were loaded: one question at a time, about all since the one before.
struct LoadedUnits: Equatable, Sendable {
  /// What is loaded and in none of these states is news to nobody.
  static let states = ["active", "reloading", "refreshing", "activating", "deactivating", "failed"]
  /// Names in one question.
  private static let most = 512

  private var names: Set<String> = []
  private var isAsking = false
  private var number = 0

  /// true: ask now.
  mutating func add(_ name: String) -> Bool {
    names.insert(name)
    return !isAsking
  }

  /// The question's number and the names to ask about.
  mutating func ask() -> (number: Int, names: [String]) {
    let asked = Array(names.prefix(Self.most))
    names.subtract(asked)
    isAsking = !asked.isEmpty
    number += 1
    return (number, asked)
  }

  mutating func giveUp() {
    (names, isAsking) = ([], false)
    number += 1
  }

  /// Whether there is more to ask; nil: an answer to a question that was given up.
  mutating func answered(_ answered: Int) -> Bool? {
    guard isAsking, answered == number else { return nil }
    isAsking = false
    return !names.isEmpty
  }
}
