// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// Doing what differs: whether it may be done, in as few transactions as it takes, and whether it was.
extension PackageCheck {
  // MARK: what may be installed

  private var todo: [Int] { members.indices.filter { members[$0].failure == nil && members[$0].verdict.action != nil } }

  /// Whether what would be installed comes from where it may come from.
  func checkSources() {
    guard apply else { return report() }
    let filtered = Dictionary(
      grouping: todo.filter { members[$0].verdict.action != .remove && members[$0].spec.installFilter != [.architecture] },
      by: { members[$0].spec.installFilter })
    checkSources(Array(filtered)[...])
  }

  private func checkSources(_ filtered: ArraySlice<(key: PackageFilter, value: [Int])>) {
    guard let (filter, indices) = filtered.first else { return checkDowngrades(todo[...]) }
    let names = indices.flatMap { index in members[index].verdict.ids.map(\.text) }
    run(.resolve(Array(Set(names)).sorted(), filter)) { [self] outcome in
      // A backend that cannot tell lets all pass; what is wrong shows when it is installed.
      if case .success(let record) = outcome {
        let allowed = Set(record.packages.map(\.id.release))
        for index in indices where !members[index].verdict.ids.allSatisfy({ allowed.contains($0.release) }) {
          members[index].failure = sourceFailure(members[index].spec)
        }
      }
      checkSources(filtered.dropFirst())
    }
  }

  private func sourceFailure(_ spec: PackageSpec) -> Failure {
    var words: [String] = []
    if !spec.allowNonfree { words.append("allownonfree: true") }
    if !spec.allowUnsupported { words.append("allowunsupported: true") }
    return Failure(
      "can't find package named '\(spec.name)' among those that may be installed: it is offered, but not as free and supported",
      hint: "set \(words.joined(separator: " or ")) to allow it")
  }

  /// Some backends go back to an older version without being asked for it: a simulation tells.
  private func checkDowngrades(_ indices: ArraySlice<Int>) {
    guard let position = indices.firstIndex(where: { members[$0].mayGoBack }) else { return report() }
    let index = indices[position]
    guard let id = members[index].verdict.ids.first else { return report() }
    run(.simulateInstall(id, members[index].spec.flags)) { [self] outcome in
      if case .success(let record) = outcome,
        record.packages.contains(where: { $0.info == PackageInfo.downgrading && $0.id.name == id.name })
      {
        members[index].failure = Failure(
          "a newer version than \(id.version) of package '\(id.name)' is installed", field: "state",
          hint: "set allowdowngrade: true to go back to it")
      }
      checkDowngrades(indices[(position + 1)...])
    }
  }

  // MARK: doing

  private func report() {
    let todo = todo
    let removals = Set(todo.filter { members[$0].verdict.action == .remove }.flatMap { members[$0].verdict.ids })
    listDependents(of: removals.sorted { $0.text < $1.text }) { [self] dependents, problem in
      // What is applied tells by itself.
      if let problem, !apply {
        let indices = todo.filter { members[$0].verdict.action == .remove }
        let names = indices.map { members[$0].spec.name }.joined(separator: ", ")
        fail(indices, problem.failure("remove \(names)"))
      }
      for index in todo { reportChange(of: members[index]) }
      for id in dependents {
        call.change("pkg[\(id.name)]#state", was: .string(id.version), will: .string("uninstalled"))
      }
      guard apply else { return finishWithoutApply(todo) }
      let actions: [PackageAction] = [.remove, .install, .update]
      act(actions.map { action in todo.filter { members[$0].verdict.action == action } }[...])
    }
  }

  private func finishWithoutApply(_ todo: [Int]) {
    if members.contains(where: { $0.failure != nil }) { return conclude() }
    finish(.success(todo.isEmpty ? .ok : .differs))
  }

  /// What else a removal takes along, or why it cannot be done.
  private func listDependents(of ids: [PackageID], then next: @escaping ([PackageID], TransactionProblem?) -> Void) {
    guard !ids.isEmpty else { return next([], nil) }
    run(.simulateRemove(ids)) { outcome in
      let record: TransactionRecord
      switch outcome {
      case .failure(let problem): return next([], problem)
      case .success(let answer): record = answer
      }
      let releases = Set(ids.map(\.release))
      var dependents: [String: PackageID] = [:]
      for package in record.packages where package.info == PackageInfo.removing && !releases.contains(package.id.release) {
        dependents[package.id.release] = package.id
      }
      next(dependents.values.sorted { $0.text < $1.text }, nil)
    }
  }

  private func reportChange(of member: Member) {
    let path = member.spec == members[0].spec ? "state" : "pkg[\(member.spec.name)]#state"
    let was = member.facts.installed.first?.version ?? "uninstalled"
    let will = member.verdict.action == .remove ? "uninstalled" : member.verdict.ids.first?.version ?? member.spec.state.text
    call.change(path, was: .string(was), will: .string(will))
  }

  /// One transaction for all that ask for the same.
  private func act(_ batches: ArraySlice<[Int]>) {
    guard let batch = batches.first else { return hasActed ? verify() : conclude() }
    streak = FailureStreak()
    attempt(batch) { [self] in act(batches.dropFirst()) }
  }

  private func attempt(_ batch: [Int], then next: @escaping () -> Void) {
    guard let first = batch.first, let action = members[first].verdict.action else { return next() }
    let names = batch.map { members[$0].spec.name }
    if let common = streak.common {
      fail(batch, common.failure("\(action.infinitive) \(names.joined(separator: ", "))"))
      return next()
    }
    let title = "\(action.participle) \(names.joined(separator: ", "))"
    hasActed = true
    for index in batch { members[index].hasActed = true }
    run(action.request(batch.flatMap { members[$0].verdict.ids }, members[first].spec.flags), title) { [self] outcome in
      kind.catalog.invalidate()
      guard case .failure(let problem) = outcome else {
        kind.files.installed(batch.flatMap { members[$0].verdict.ids })
        streak.succeeded()
        return next()
      }
      if problem.needsRepair, !hasRepaired { return repair { [self] in attempt(batch, then: next) } }
      if !problem.mayConcernOnePackage || batch.count == 1 {
        if problem.isPassing || !problem.mayConcernOnePackage { self.problem = problem }
        if batch.count == 1 { streak.failed(problem) }
        fail(batch, problem.failure("\(action.infinitive) \(names.joined(separator: ", "))"))
        return next()
      }
      // One of them spoils it: halves are tried until it stands alone.
      let half = batch.count / 2
      attempt(Array(batch[..<half])) { [self] in attempt(Array(batch[half...]), then: next) }
    }
  }

  private func fail(_ batch: [Int], _ failure: Failure) {
    for index in batch { members[index].failure = failure }
  }

  private func repair(then next: @escaping () -> Void) {
    hasRepaired = true
    handle.log(.warning, "an earlier transaction was interrupted: it is brought to its end")
    run(.repair, "repairing the package database") { [self] outcome in
      if case .failure(let problem) = outcome { handle.log(.warning, problem.failure("repair the package database").message) }
      next()
    }
  }

  /// What was reported as done is looked at. A package whose own transaction failed may be there all the same.
  private func verify() {
    kind.catalog.invalidate()
    look { [unowned self] in
      for index in members.indices {
        if members[index].verdict == .asAsked {
          members[index].failure = nil
        } else if members[index].failure == nil {
          members[index].failure = Failure(
            "PackageKit reported success, but package '\(members[index].spec.name)' is not \(members[index].spec.state.text)",
            hint: "see `journalctl -u packagekit`; the package may be held or blocked")
        }
      }
      conclude()
    }
  }
}

extension PackageCheck.Member {
  /// An exact version is installed, and it was not allowed to go back to an older one.
  fileprivate var mayGoBack: Bool {
    guard case .version = spec.state, !spec.allowDowngrade, case .install = verdict else { return false }
    return true
  }
}
