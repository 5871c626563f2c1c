// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Engine

@Suite struct SchedulerTests {
  private func scheduler(_ count: Int, _ edges: [Scheduler.Edge] = [], ready: Bool = true) -> Scheduler {
    var scheduler = Scheduler()
    for vertex in 0..<count { scheduler.add(vertex, .init(isRefreshable: true)) }
    scheduler.replaceEdges(edges)
    scheduler.resume()
    if ready { for vertex in 0..<count { scheduler.ready(vertex, now: 0) } }
    return scheduler
  }

  private func edge(_ from: Int, _ to: Int, notify: Bool = false) -> Scheduler.Edge {
    .init(from: from, to: to, notify: notify)
  }

  private func checks(_ scheduler: inout Scheduler) -> [Int] {
    scheduler.takeActions().compactMap { if case .check(let vertex, _) = $0 { vertex } else { nil } }.sorted()
  }

  @Test("Vertices at equal depth run in parallel, dependents after all before them")
  func parallel() {
    var s = scheduler(4, [edge(0, 1), edge(1, 2)])
    #expect(checks(&s) == [0, 3])
    s.checkEnded(0, .success(changed: true), now: 0)
    #expect(checks(&s) == [1])
    s.checkEnded(1, .success(changed: false), now: 0)
    #expect(checks(&s) == [2])
    s.checkEnded(2, .success(changed: false), now: 0)
    #expect(!s.isQuiet)
    s.checkEnded(3, .success(changed: false), now: 0)
    #expect(s.isConverged)
  }

  @Test("Nothing runs before its watch is ready, and nothing while paused")
  func ready() {
    var s = scheduler(2, [edge(0, 1)], ready: false)
    s.ready(1, now: 0)
    #expect(checks(&s) == [])
    #expect(!s.isQuiet)
    s.pause()
    s.ready(0, now: 0)
    #expect(checks(&s) == [])
    s.resume()
    #expect(checks(&s) == [0])
  }

  @Test("An event on a clean vertex checks that vertex alone")
  func event() {
    var s = scheduler(3, [edge(0, 1), edge(1, 2)])
    converge(&s)
    s.event(2, now: 0)
    #expect(checks(&s) == [2])
    s.checkEnded(2, .success(changed: true), now: 0)
    s.event(0, now: 0)
    #expect(checks(&s) == [0])
    s.checkEnded(0, .success(changed: true), now: 0)
    #expect(s.isConverged)
  }

  @Test("An event while it runs is not lost")
  func eventWhileRunning() {
    var s = scheduler(1)
    #expect(checks(&s) == [0])
    s.event(0, now: 0)
    #expect(checks(&s) == [])
    s.checkEnded(0, .success(changed: true), now: 0)
    #expect(checks(&s) == [0])
  }

  @Test("An event while it runs because of a notification is not lost")
  func eventWhileRefreshing() {
    var s = scheduler(2, [edge(0, 1, notify: true)])
    converge(&s)
    s.event(0, now: 0)
    _ = checks(&s)
    s.checkEnded(0, .success(changed: true), now: 0)
    #expect(s.takeActions() == [.check(1, refresh: true)])
    s.event(1, now: 0)
    s.checkEnded(1, .success(changed: true), now: 0)
    #expect(checks(&s) == [1])
  }

  @Test("A dirty vertex waits for a dirty one before it, across a clean one")
  func waitsAcrossClean() {
    var s = scheduler(3, [edge(0, 1), edge(1, 2)])
    converge(&s)
    s.event(0, now: 0)
    #expect(checks(&s) == [0])
    s.event(2, now: 0)
    #expect(checks(&s) == [])
    s.checkEnded(0, .success(changed: false), now: 0)
    #expect(checks(&s) == [2])
  }

  @Test("A change notifies, and only along edges that notify")
  func notification() {
    var s = scheduler(3, [edge(0, 1, notify: true), edge(0, 2)])
    _ = checks(&s)
    s.checkEnded(0, .success(changed: false), now: 0)
    #expect(checks(&s) == [1, 2])
    s.checkEnded(1, .success(changed: false), now: 0)
    s.checkEnded(2, .success(changed: false), now: 0)
    s.event(0, now: 0)
    _ = checks(&s)
    s.checkEnded(0, .success(changed: true), now: 0)
    #expect(s.takeActions() == [.check(1, refresh: true)])
    s.checkEnded(1, .failure, now: 0)
    s.event(1, now: 0)
    #expect(s.takeActions() == [.wakeLater(1, .retry, milliseconds: 50)])
    s.wake(1, .retry)
    #expect(s.takeActions() == [.check(1, refresh: true)], "a failed refresh is not forgotten")
  }

  @Test("Dependents of a failed vertex never run and block convergence")
  func failure() {
    var s = scheduler(2, [edge(0, 1)])
    _ = checks(&s)
    s.checkEnded(0, .failure, now: 100)
    #expect(checks(&s) == [])
    #expect(s.isQuiet && !s.isConverged)
    #expect(s.blockers(of: 1) == [0])
    s.event(0, now: 110)
    #expect(s.takeActions() == [.wakeLater(0, .retry, milliseconds: 40)])
    #expect(!s.isQuiet, "a new attempt is on its way")
    s.wake(0, .retry)
    #expect(checks(&s) == [0])
    s.checkEnded(0, .failure, now: 200)
    s.event(0, now: 200)
    #expect(s.takeActions() == [.wakeLater(0, .retry, milliseconds: 100)])
  }

  @Test("A vertex without a watch has failed until it is armed again")
  func watchFailed() {
    var s = scheduler(2, [edge(0, 1)], ready: false)
    s.ready(1, now: 0)
    s.watchFailed(0)
    s.event(0, now: 0)
    #expect(s.takeActions() == [])
    #expect(s.isQuiet && !s.isConverged)
    s.watchLost(0)
    #expect(!s.isQuiet)
    s.ready(0, now: 0)
    #expect(checks(&s) == [0])
  }

  @Test("Semaphores bound how many run, in the order they came")
  func semaphores() {
    var s = Scheduler()
    for vertex in 0..<5 { s.add(vertex, .init(semaphores: ["b", "a:2"])) }
    s.replaceEdges([])
    s.resume()
    for vertex in 0..<5 { s.ready(vertex, now: 0) }
    var order: [Int] = []
    while case let running = checks(&s), !running.isEmpty {
      #expect(running.count == 1)
      order += running
      for vertex in running { s.checkEnded(vertex, .success(changed: false), now: 0) }
    }
    #expect(order == [0, 1, 2, 3, 4])
    #expect(s.isConverged)
  }

  @Test("Edges may change under running vertices; notifications on their way stay")
  func replaceEdges() {
    var s = scheduler(3, [edge(0, 1, notify: true)])
    _ = checks(&s)
    s.checkEnded(2, .success(changed: false), now: 0)
    s.pause()
    s.checkEnded(0, .success(changed: true), now: 0)
    s.replaceEdges([edge(0, 1, notify: true), edge(2, 1)])
    s.resume()
    #expect(s.takeActions() == [.check(1, refresh: true)])
  }

  @Test("A closing vertex is not started again; one that stays after all is")
  func closing() {
    var s = scheduler(1)
    _ = checks(&s)
    s.close(0)
    s.event(0, now: 0)
    s.checkEnded(0, .success(changed: true), now: 0)
    #expect(checks(&s) == [])
    s.reopen(0)
    #expect(checks(&s) == [0])
  }

  private func converge(_ s: inout Scheduler) {
    while case let running = checks(&s), !running.isEmpty {
      for vertex in running { s.checkEnded(vertex, .success(changed: false), now: 0) }
    }
  }
}
