// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// Lists of packages older than this are fetched anew before something is installed. Seconds.
private let oldestLists: UInt32 = 86_400

/// Names and versions that are not known: whether newer lists may help, and what to tell if they do not.
extension PackageCheck {
  /// Lists may be too old to know a package, or its newest version.
  func considerRefresh() {
    guard apply, !hasRefreshed, members.contains(where: { $0.verdict != .asAsked }) else { return explainUnknown() }
    if kind.hasRefreshedLately { return explainUnknown() }
    if members.contains(where: { $0.verdict.isUnknown }) { return refresh() }
    guard members.contains(where: { $0.verdict.action == .install || $0.verdict.action == .update }) else {
      return explainUnknown()
    }
    if let age = DatabaseStamp.listsAge(), age < oldestLists { return explainUnknown() }
    kind.client.sinceRefresh { [self] seconds in
      guard !isOver else { return }
      if let seconds, seconds < oldestLists { explainUnknown() } else { refresh() }
    }
  }

  private func refresh() {
    let isFirst = kind.startRefresh { [self] in
      guard !isOver else { return }
      // Not at all, if the check that did it was cancelled.
      look { [unowned self] in considerRefresh() }
    }
    guard isFirst else { return }
    hasRefreshed = true
    isRefreshing = true
    run(.refresh, "refreshing the lists of packages") { [self] outcome in
      isRefreshing = false
      var failure: Failure?
      if case .failure(let problem) = outcome {
        let refused = problem.failure("refresh the lists of packages")
        handle.log(.warning, refused.message)
        failure = refused
      }
      kind.refreshed(failure)
      look { [unowned self] in explainUnknown() }
    }
  }

  func explainUnknown() {
    let unknown = members.indices.filter { members[$0].verdict.isUnknown }
    guard !unknown.isEmpty else { return checkSources() }
    kind.catalog.search(near: unknown.map { members[$0].spec.name }) { [self] names in
      guard !isOver else { return }
      for index in unknown { members[index].failure = unknownFailure(members[index], names: names) }
      checkSources()
    }
  }

  private func unknownFailure(_ member: Member, names: [String]) -> Failure {
    let name = member.spec.name
    var failure: Failure
    if case .unknownVersion(let available) = member.verdict {
      let offered = available.map(\.version).joined(separator: ", ")
      failure = Failure(
        "can't find version \(member.spec.state.text) of package '\(name)'", field: "state",
        hint: offered.isEmpty ? "no other version is offered" : "offered is \(offered)")
    } else {
      let near = NearNames.of(name, in: names)
      failure = Failure(
        "can't find package named '\(name)'",
        hint: near.isEmpty
          ? "look for it with `pkcon search name \(name)`; its repository may be missing"
          : "did you mean \(near.joined(separator: ", "))?")
    }
    if let refreshed = kind.refreshFailure { failure.message += "; \(refreshed.message)" }
    return failure
  }
}
