// SPDX-License-Identifier: Apache-2.0

import Engine
import Graph

/// Finds the resources that stand differently than at the last look: a digest for each is remembered, for all watchers together. Also those
/// are found that nothing happened to, as what waits for something that failed.
struct ChangeTracker {
  private struct Known {
    var digest: Int
    var round: UInt32
  }

  struct News {
    var changed: [ResourceStatus] = []
    var removed: [ResourceID] = []
    var counts = StatusCounts()
    /// There is more than was asked for.
    var isCut = false

    var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
  }

  private var known: [ResourceID: Known] = [:]
  private var round: UInt32 = 0

  /// Looks at all; at most so many changes are taken, the rest is found at the next look.
  mutating func look(most: Int, _ visit: ((ResourceStatus) -> Void) -> Void) -> News {
    round &+= 1
    var news = News()
    var seen = 0
    var known = known
    self.known = [:]
    let round = round
    visit { status in
      seen += 1
      news.counts.add(ShownState(status))
      let digest = Self.digest(status)
      if let position = known.index(forKey: status.id) {
        if known.values[position].digest == digest {
          known.values[position].round = round
          return
        }
        known.values[position].round = round
        guard news.changed.count < most else {
          news.isCut = true
          return
        }
        known.values[position].digest = digest
      } else {
        known[status.id] = Known(digest: news.changed.count < most ? digest : ~digest, round: round)
        guard news.changed.count < most else {
          news.isCut = true
          return
        }
      }
      news.changed.append(status)
    }
    if seen < known.count {
      news.removed = known.filter { $0.value.round != round }.map(\.key)
      for id in news.removed { known[id] = nil }
    }
    self.known = known
    return news
  }

  /// Takes what is there as known.
  mutating func begin(_ all: [ResourceStatus]) {
    known = [:]
    known.reserveCapacity(all.count)
    for status in all { known[status.id] = Known(digest: Self.digest(status), round: round) }
  }

  mutating func end() { known = [:] }

  private static func digest(_ status: ResourceStatus) -> Int {
    var hasher = Hasher()
    hasher.combine(ShownState(status))
    hasher.combine(status.waiting?.name)
    if case .semaphore(let id) = status.waiting { hasher.combine(id) }
    hasher.combine(status.waitsFor)
    hasher.combine(status.failure?.title)
    hasher.combine(status.changes)
    hasher.combine(status.lastCheck)
    hasher.combine(status.lastChange)
    hasher.combine(status.nextAttempt)
    hasher.combine(status.fight)
    hasher.combine(status.isRunning)
    hasher.combine(status.wasCancelled)
    hasher.combine(status.members)
    hasher.combine(status.leader)
    return hasher.finalize()
  }
}
