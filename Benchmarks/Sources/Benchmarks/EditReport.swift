// SPDX-License-Identifier: Apache-2.0

/// What the events of an agent tell about a sequence of edits: which graphs it took, and what it checked for them.
struct EditReport {
  /// Graphs taken; an agent may pass over those that another follows at once.
  private(set) var taken = 0
  /// Checks that a change of a resource asked for and that did not come.
  private(set) var missing = 0
  /// Checks nothing asked for: a second one for the same change, or of a resource that is the same.
  private(set) var unasked = 0
  /// Checks that ended otherwise than by changing the file.
  private(set) var fruitless = 0
  /// Resources that are the same in the next graph, but did not run on.
  private(set) var restarted = 0
  /// Seconds from the writing of a graph until the changes of it were made.
  private(set) var latencies: [Double] = []

  /// - Parameters:
  ///   - events: those since the agent had converged with the graph of edit 0.
  ///   - written: for each edit, from 1, when its graph was in place, in seconds since the epoch.
  init(_ events: [Event], _ edits: EditSequence, written: [Double]) throws {
    var balance: [String: Int] = [:]
    var waiting: [String: Double] = [:]
    var last = 0
    for event in events {
      switch event.name {
      case "graph":
        guard let edit = event.texts["name"].flatMap(EditSequence.edit), edit > last, edit <= written.count,
          let kept = event.numbers["kept"]
        else { throw Failure("an unexpected graph after edit \(last): \(event.texts["name"] ?? "without a name")") }
        let changed = edits.files(changedAfter: last, upTo: edit)
        for file in changed {
          balance[edits.resource(file), default: 0] += 1
          waiting[edits.resource(file)] = written[edit - 1]
        }
        restarted += max(0, edits.count - changed.count - Int(kept))
        taken += 1
        last = edit
      case "check-started":
        guard let resource = event.resource else { continue }
        balance[resource, default: 0] -= 1
      case "check-ended":
        if event.texts["status"] != "changed" { fruitless += 1 }
        if let resource = event.resource, let start = waiting.removeValue(forKey: resource), let end = event.time {
          latencies.append(end - start)
        }
      case "graph-rejected", "watch-failed": throw Failure("the agent reported '\(event.name)'")
      default: continue
      }
    }
    missing = balance.values.filter { $0 > 0 }.reduce(0, +)
    unasked = -balance.values.filter { $0 < 0 }.reduce(0, +)
  }
}
