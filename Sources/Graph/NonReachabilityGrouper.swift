// SPDX-License-Identifier: Apache-2.0

/// Groups whatever may be grouped and has no path in between, as the original's algorithm of this name.
///
/// The semantics are those of its auto grouping, row by row: candidates are ordered by kinds with more `:`-chunks first, then
/// chunk by chunk descending, then by name descending; each in turn leads and is offered all others as members, in that
/// order. Skipped is what is a member already, has another first chunk, has members of its own and is of the leader's kind,
/// may not join, or has a path to or from the leader, the groups formed so far included.
///
/// A last step chooses who stands for a group: of resources of one kind the first by name, which is what one expects to read
/// (`pkg[cowsay]` leads powertop and sl). Who belongs together does not change by it.
///
/// A graph with a cycle cannot be run: nothing is grouped. Time: each leader is compared with the candidates of its first chunk it
/// has no path to; for the paths see `GroupGraph`.
public struct NonReachabilityGrouper: Grouper {
  private let width: Int

  public init() {
    self.init(width: GroupGraph.maximumSources)
  }

  /// Looks at so many leaders of a part of the graph in one pass; the result does not depend on it.
  init(width: Int) {
    self.width = max(1, min(width, GroupGraph.maximumSources))
  }

  public var name: String { "nonReachabilityGrouper" }

  public func group(_ problem: GroupingProblem) -> [Int32] {
    var search = GroupSearch(problem)
    search.run(width: width)
    search.chooseLeaders()
    return search.leaders
  }
}
