// SPDX-License-Identifier: Apache-2.0

/// Tells fights from repairs. A resource that was put right more than 20 times within 2 s is fought over: somebody undoes each repair. From
/// then on it is put right once a second, until nobody has changed it for 10 s. Times are milliseconds of any clock that goes forward.
struct Fights {
  static let limit = 20
  static let window: UInt64 = 2000
  /// Between two repairs of a fight.
  static let pace: UInt64 = 1000
  /// Without a repair for so long, it is over.
  static let peace: UInt64 = 10_000

  /// Of one resource so many changes are remembered.
  private static let most = 64

  /// What a repair means.
  enum Verdict: Equatable {
    /// One of few.
    case single
    /// So many within so many milliseconds: from now on it is a fight.
    /// With the others that were changed as persistently, most often first.
    case begins(repairs: Int, milliseconds: UInt64, companions: [Int])
    case goesOn
  }

  /// What the end of a fight waits for.
  enum Outlook: Equatable {
    case over(repairs: Int)
    case wait(milliseconds: UInt64)
  }

  struct Fight: Equatable {
    /// Since the first of those that made it one.
    var repairs: Int
    var since: UInt64
    var last: UInt64
  }

  private struct Change {
    var time: UInt64
    var isRepair: Bool
  }

  /// The last changes of those that were changed lately.
  private var changes: [Int: [Change]] = [:]
  private var fights: [Int: Fight] = [:]
  /// When what is old was thrown away last.
  private var swept: UInt64 = 0

  var isEmpty: Bool { fights.isEmpty }

  subscript(slot: Int) -> Fight? { fights.isEmpty ? nil : fights[slot] }

  /// A resource was changed, though its declaration is not new. `isRepair`: because somebody had changed it; else because it was notified.
  mutating func changed(_ slot: Int, isRepair: Bool, now: UInt64) -> Verdict {
    if fights[slot] != nil {
      fights[slot]?.repairs += 1
      fights[slot]?.last = now
      return .goesOn
    }
    sweep(now)
    var own = changes[slot] ?? []
    own.removeAll { now - min(now, $0.time) > Self.window }
    if own.count >= Self.most { own.removeFirst() }
    own.append(Change(time: now, isRepair: isRepair))
    changes[slot] = own
    let repairs = own.lazy.filter(\.isRepair).count
    guard isRepair, repairs > Self.limit, let first = own.first(where: \.isRepair)?.time else { return .single }
    fights[slot] = Fight(repairs: repairs, since: first, last: now)
    changes[slot] = nil
    return .begins(repairs: repairs, milliseconds: now - first, companions: companions(of: slot, now))
  }

  /// Those that were changed again and again in the same time, most often first.
  private func companions(of slot: Int, _ now: UInt64) -> [Int] {
    var counts = fights.filter { $0.key != slot && now - min(now, $0.value.last) <= Self.window }.mapValues(\.repairs)
    for (other, all) in changes where other != slot {
      let count = all.count { now - min(now, $0.time) <= Self.window }
      if count > Self.limit / 4 { counts[other] = count }
    }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
  }

  /// What was changed once must not be remembered for ever.
  private mutating func sweep(_ now: UInt64) {
    guard now - min(now, swept) > Self.window else { return }
    swept = now
    changes = changes.filter { now - min(now, $0.value.last?.time ?? 0) <= Self.window }
  }

  /// Whether the fight over a resource is over; if so, it is forgotten. nil: there is none.
  mutating func end(_ slot: Int, now: UInt64) -> Outlook? {
    guard let fight = fights[slot] else { return nil }
    let calm = now - min(now, fight.last)
    guard calm >= Self.peace else { return .wait(milliseconds: Self.peace - calm) }
    fights[slot] = nil
    return .over(repairs: fight.repairs)
  }

  /// It leaves the graph. The repairs of the fight it was in, if it was in one.
  mutating func forget(_ slot: Int) -> Int? {
    changes[slot] = nil
    return fights.removeValue(forKey: slot)?.repairs
  }
}
