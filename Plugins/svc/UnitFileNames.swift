// SPDX-License-Identifier: Apache-2.0

/// The names of all unit files. systemd takes long to collect them and does nothing else meanwhile, so it is asked once for all who want
/// them, and its answer is kept for a while.
struct UnitFileNames {
  typealias Answer = ([String]) -> Void

  enum Step: Equatable {
    /// Nothing is to be asked.
    case known([String])
    /// Ask, and hand the answer to `answered`.
    case ask
    /// Somebody asked already: the answer comes to all.
    case shared
  }

  /// How long an answer is kept, in seconds: systemd does not tell of files that come without a word to it.
  static let lifetime: UInt64 = 60

  private var names: [String] = []
  /// On the clock of `ask`; nil: nothing is known.
  private var deadline: UInt64?
  private var waiting: [Answer] = []
  /// Files changed since systemd was asked.
  private var isOutdated = false

  /// `now`: seconds. `answer` is called by whoever hands over the answer, unless the names are known.
  mutating func ask(now: UInt64, _ answer: @escaping Answer) -> Step {
    if let deadline, now < deadline { return .known(names) }
    (names, deadline) = ([], nil)
    waiting.append(answer)
    guard waiting.count == 1 else { return .shared }
    isOutdated = false
    return .ask
  }

  /// Who gets the answer. nil: systemd did not say.
  mutating func answered(_ answer: [String]?, now: UInt64) -> [Answer] {
    defer { waiting = [] }
    if let answer, !isOutdated { (names, deadline) = (answer, now + Self.lifetime) }
    return waiting
  }

  /// Files changed, or may have.
  mutating func forget() { (names, deadline, isOutdated) = ([], nil, true) }
}
