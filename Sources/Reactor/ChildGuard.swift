// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The guard that ends the children with the agent: started before the first child, and anew when somebody ended it. From any thread.
final class ChildGuard: Sendable {
  enum News: Sendable {
    case started(GuardLink)
    /// Children run without it from now on.
    case unavailable(String)
  }

  private enum State {
    case idle
    case running(GuardLink)
    case unavailable
  }

  private let path: String
  private let news: Mailbox<News>
  private let state = Mutex<(now: State, starts: Int)>((.idle, 0))
  /// Whoever ends it more often does not want it.
  private static let maximumStarts = 20

  init(path: String, news: Mailbox<News>) {
    self.path = path
    self.news = news
  }

  /// Starts it unless it runs; nil: it cannot be started.
  func link() -> GuardLink? {
    state.withLock { state in
      switch state.now {
      case .running(let link): return link
      case .unavailable: return nil
      case .idle: break
      }
      do throws(SpawnFailure) {
        guard state.starts < Self.maximumStarts else { throw SpawnFailure(errno: ECANCELED, step: "run it: it ends each time") }
        state.starts += 1
        let link = try GuardLink(path: path)
        state.now = .running(link)
        news.send(.started(link))
        return link
      } catch {
        state.now = .unavailable
        news.send(.unavailable("cannot \(error.step): \(systemMessage(error.errno))"))
        return nil
      }
    }
  }

  /// This one is gone or stuck: the next `link` starts another.
  func lost(_ link: GuardLink) {
    link.end()
    state.withLock { state in
      if case .running(let current) = state.now, current === link { state.now = .idle }
    }
  }
}
