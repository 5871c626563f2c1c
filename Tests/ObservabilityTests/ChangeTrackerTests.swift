// SPDX-License-Identifier: Apache-2.0

import Engine
import Graph
import Testing

@testable import Observability

struct ChangeTrackerTests {
  private func look(_ tracker: inout ChangeTracker, _ all: [ResourceStatus], most: Int = 100) -> ChangeTracker.News {
    tracker.look(most: most) { visit in for status in all { visit(status) } }
  }

  @Test func onlyWhatChangedIsNews() {
    var tracker = ChangeTracker()
    let all: [ResourceStatus] = [.make("file[a]"), .make("file[b]"), .make("noop[c]", .waiting)]
    tracker.begin(all)
    #expect(look(&tracker, all).isEmpty)
    var later = all
    later[0].phase = .running
    later[2].waitsFor = [ResourceID("file[a]")]
    let news = look(&tracker, later)
    #expect(news.changed.map(\.id.description) == ["file[a]", "noop[c]"])
    #expect(news.counts == StatusCounts(later))
    #expect(look(&tracker, later).isEmpty)
  }

  @Test func whatComesAndGoesIsNews() {
    var tracker = ChangeTracker()
    tracker.begin([.make("file[a]"), .make("file[b]")])
    let news = look(&tracker, [.make("file[b]"), .make("file[c]")])
    #expect(news.changed.map(\.id.description) == ["file[c]"])
    #expect(news.removed == [ResourceID("file[a]")])
    #expect(look(&tracker, [.make("file[c]"), .make("file[b]")]).isEmpty)
  }

  @Test func whatIsCutComesLater() {
    var tracker = ChangeTracker()
    var all: [ResourceStatus] = (0..<50).map { .make("a[\($0)]") }
    tracker.begin(Array(all.prefix(25)))
    for index in all.indices { all[index].changes += 1 }
    var seen: [String] = []
    for _ in 0..<5 {
      let news = look(&tracker, all, most: 12)
      #expect(news.isCut == (seen.count + news.changed.count < 50))
      #expect(news.counts.total == 50)
      seen += news.changed.map(\.id.name)
    }
    #expect(seen.count == 50 && Set(seen).count == 50)
    #expect(look(&tracker, all).isEmpty)
  }
}
