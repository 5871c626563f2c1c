// SPDX-License-Identifier: Apache-2.0

import Glibc
import ReactorShims

extension Reactor {
  /// Children end with this process, however it ends: a guard is started from this program before the first of them. `tell` gets what a
  /// person should know of it. Before the first `spawn`.
  public func guardChildren(with path: String, tell: @escaping (String) -> Void) {
    childTable.guarded = GuardedChildren(reactor: self, path: path, table: childTable, tell: tell)
  }
}

/// Keeps the guard's list right: who runs is announced to the guard that runs now, who ended is released. On the reactor's thread.
final class GuardedChildren {
  let guardian: ChildGuard
  private unowned let reactor: Reactor
  private unowned let table: ChildTable
  private let tell: (String) -> Void
  private var current: GuardLink?
  private var exitSource: FDSource?
  /// The guard was busy.
  private var unreleased: [(link: GuardLink, number: UInt64)] = []
  private var timer: ReactorTimer?
  private static let pauseMilliseconds: UInt64 = 20

  init(reactor: Reactor, path: String, table: ChildTable, tell: @escaping (String) -> Void) {
    (self.reactor, self.table, self.tell) = (reactor, table, tell)
    var receive: (ChildGuard.News) -> Void = { _ in }
    guardian = ChildGuard(path: path, news: reactor.makeMailbox { receive($0) })
    receive = { [unowned self] in took($0) }
  }

  private func took(_ news: ChildGuard.News) {
    switch news {
    case .unavailable(let reason):
      tell("commands will live on if the agent is killed, for there is no guard: \(reason)")
    case .started(let link):
      exitSource?.cancel()
      if let current { reap(current) }
      current = link
      do throws(ReactorError) {
        exitSource = try reactor.addFD(link.pidfd, events: FDEvents.readable) { [unowned self] _ in ended(link) }
      } catch {
        tell("the guard of commands cannot be watched: \(error.message)")
      }
      settle()
    }
  }

  private func ended(_ link: GuardLink) {
    guard link === current else { return }
    exitSource?.cancel()
    exitSource = nil
    reap(link)
    current = nil
    guardian.lost(link)
    tell("the guard of commands was ended by somebody; it is started again")
    if table.hasRunning { reactor.submit(GuardJob(guardian), to: .control) }
  }

  /// It is gone or is being killed: no wait worth a word.
  private func reap(_ link: GuardLink) {
    waitpid(link.pid, nil, 0)
  }

  func release(_ number: UInt64, from link: GuardLink) {
    guard !link.release(number) else { return }
    unreleased.append((link, number))
    settleLater()
  }

  /// Announces to the guard that runs now who was announced to another, or to none.
  func settle() {
    unreleased.removeAll { $0.link !== current || $0.link.release($0.number) }
    let isDone = current.map { link in table.running.allSatisfy { $0.announce(to: link) } } ?? true
    if !isDone || !unreleased.isEmpty { settleLater() }
  }

  private func settleLater() {
    guard timer == nil else { return }
    timer = reactor.addTimer(afterMilliseconds: Self.pauseMilliseconds) { [unowned self] in
      timer = nil
      settle()
    }
  }
}

private final class GuardJob: Job {
  private let guardian: ChildGuard
  init(_ guardian: ChildGuard) { self.guardian = guardian }
  func run() { _ = guardian.link() }
}
