// SPDX-License-Identifier: Apache-2.0

import Engine
import Values

extension ResourceStatus {
  /// Why it does not run although it should, in words; nil: there is no reason.
  var waitWords: String? {
    switch waiting {
    case .watch: "watch not armed"
    case .parents: parentWords ?? "waits for those before it"
    case .semaphore(let id): "waits for semaphore \(Visible.line(id))"
    case .limit: "events come faster than its limit"
    case .fight: "put right once a second"
    case .retry: "waits for its next attempt"
    case .paused: "paused"
    case .leaving: "leaves the graph"
    case nil: parentWords
    }
  }

  private var parentWords: String? {
    guard !waitsFor.isEmpty else { return nil }
    return "waits for " + OneLine.list(waitsFor.lazy.map { Visible.line($0.description) })
  }
}

extension WaitReason {
  /// For programs.
  var name: String {
    switch self {
    case .watch: "watch"
    case .parents: "parents"
    case .semaphore: "semaphore"
    case .limit: "limit"
    case .fight: "fight"
    case .retry: "retry"
    case .paused: "paused"
    case .leaving: "leaving"
    }
  }
}
