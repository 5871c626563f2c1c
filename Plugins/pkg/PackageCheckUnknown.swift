// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// Lists of packages older than this are fetched anew before something is installed. Seconds.
private let listsAge: UInt32 = 86_400

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
    if let age = DatabaseStamp.listsAge(), age < listsAge { return explainUnknown() }
    kind.client.sinceRefresh { [self] seconds in
      guard !isOver else { return }
      if let seconds, seconds < listsAge { explainUnknown() } else { refresh() }
    }
  }

  private func refresh() {
    hasRefreshed = true
    run(.refresh, "refreshing the lists of packages") { [self] outcome in
      if case .failure(let problem) = outcome {
        let failure = problem.failure("refresh the lists of packages")
        refreshed = failure
        handle.log(.warning, failure.message)
      }
      kind.refreshed(succeeded: refreshed == nil)
      kind.catalog.invalidate()
      look { [unowned self] in explainUnknown() }
    }
  }

  func explainUnknown() {
    let unknown = members.indices.filter { members[$0].verdict.isUnknown }
    guard !unknown.isEmpty else { return checkSources() }
    let parts = Set(unknown.flatMap { NearNames.parts(of: members[$0].spec.name) }).sorted()
    let explain: ([String]) -> Void = { [self] names in
      for index in unknown { members[index].failure = unknownFailure(members[index], names: names) }
      checkSources()
    }
    if let names = kind.catalog.searched(parts) { return explain(names) }
    run(.searchNames(parts)) { [self] outcome in
      if case .success(let record) = outcome { kind.catalog.remember(parts, record.packages) }
      explain(kind.catalog.searched(parts) ?? [])
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
    if let refreshed { failure.message += "; \(refreshed.message)" }
    return failure
  }
}
