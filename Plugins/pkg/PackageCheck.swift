// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// One check of a package, or of a group of packages: looks, does what is to be done in as few transactions as it takes, and looks
/// again. A package that cannot be had does not keep the others from being done. [reactor]
final class PackageCheck {
  struct Member {
    var spec: PackageSpec
    var failure: Failure?
    var facts = PackageFacts()
    var verdict = PackageVerdict.asAsked
  }

  let kind: PackageKind
  let call: Call
  let apply: Bool
  /// The first is the leader.
  var members: [Member]
  private let handle: ResourceHandle
  private let ended: (TransactionProblem?) -> Void
  private var refreshed: Failure?
  private var hasRefreshed = false
  private var hasChanged = false
  private var hasRepaired = false
  private var problem: TransactionProblem?
  private var isOver = false
  private var turn: Source?
  private var lookup: Int?
  private var ticket: Int?

  /// Lists of packages older than this are fetched anew before something is installed.
  private static let listsAge: UInt32 = 86_400

  init(
    _ specs: [PackageSpec], kind: PackageKind, handle: ResourceHandle, call: Call, apply: Bool,
    ended: @escaping (TransactionProblem?) -> Void
  ) {
    members = specs.map { Member(spec: $0) }
    self.kind = kind
    self.handle = handle
    self.call = call
    self.apply = apply
    self.ended = ended
  }

  /// Without asking anybody when everything is known and as asked.
  func start() throws(Failure) -> CheckResult {
    guard let table = kind.catalog.current(members.map(\.spec)) else {
      look { [unowned self] in considerRefresh() }
      return .pending
    }
    judge(table)
    if members.allSatisfy({ $0.verdict == .asAsked }) {
      isOver = true
      ended(nil)
      return .ok
    }
    // Not before this has returned.
    turn = try kind.host.addTimer(first: 0) { [self] in
      turn?.delete()
      turn = nil
      if !isOver { considerRefresh() }
    }
    return .pending
  }

  func cancel() {
    guard !isOver else { return }
    turn?.delete()
    if let lookup { kind.catalog.cancel(lookup) }
    if let ticket { kind.client.cancel(ticket) }
    finish(.failure(.cancelled))
  }

  // MARK: looking

  private func look(then next: @escaping () -> Void) {
    lookup = kind.catalog.look(members.map(\.spec)) { [self] result in
      lookup = nil
      guard !isOver else { return }
      switch result {
      case .success(let table):
        judge(table)
        next()
      case .failure(let problem):
        self.problem = problem
        finish(.failure(problem.failure("look for packages")))
      }
    }
  }

  private func judge(_ table: PackageTable) {
    for index in members.indices {
      members[index].facts = table[members[index].spec.name]
      members[index].verdict = PackageVerdict(members[index].spec, members[index].facts)
    }
  }

  /// Lists may be too old to know a package, or its newest version.
  private func considerRefresh() {
    guard apply, !hasRefreshed, members.contains(where: { $0.verdict != .asAsked }) else { return explainUnknown() }
    if kind.hasRefreshedLately { return explainUnknown() }
    if members.contains(where: { $0.verdict.isUnknown }) { return refresh() }
    guard members.contains(where: { $0.verdict.action == .install || $0.verdict.action == .update }) else {
      return explainUnknown()
    }
    if let age = DatabaseStamp.listsAge(), age < Self.listsAge { return explainUnknown() }
    kind.client.sinceRefresh { [self] seconds in
      guard !isOver else { return }
      if let seconds, seconds < Self.listsAge { explainUnknown() } else { refresh() }
    }
  }

  private func refresh() {
    hasRefreshed = true
    kind.refreshed()
    run(.refresh, "refreshing the lists of packages") { [self] outcome in
      if case .failure(let problem) = outcome {
        let failure = problem.failure("refresh the lists of packages")
        refreshed = failure
        handle.log(.warning, failure.message)
      }
      kind.catalog.invalidate()
      look { [unowned self] in explainUnknown() }
    }
  }

  private func explainUnknown() {
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

  // MARK: what may be installed

  private var todo: [Int] { members.indices.filter { members[$0].failure == nil && members[$0].verdict.action != nil } }

  /// Whether what would be installed comes from where it may come from.
  private func checkSources() {
    guard apply else { return reportWithoutApply() }
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
    guard let index = indices.first else { return report() }
    let member = members[index]
    guard case .version = member.spec.state, !member.spec.allowDowngrade, case .install(let id) = member.verdict else {
      return checkDowngrades(indices.dropFirst())
    }
    run(.simulateInstall(id, member.spec.flags)) { [self] outcome in
      if case .success(let record) = outcome,
        record.packages.contains(where: { $0.info == PackageInfo.downgrading && $0.id.name == id.name })
      {
        members[index].failure = Failure(
          "a newer version than \(id.version) of package '\(id.name)' is installed", field: "state",
          hint: "set allowdowngrade: true to go back to it")
      }
      checkDowngrades(indices.dropFirst())
    }
  }

  // MARK: doing

  private func reportWithoutApply() {
    let failures = members.contains { $0.failure != nil }
    for index in todo { reportChange(of: members[index]) }
    if failures { return conclude() }
    finish(.success(todo.isEmpty ? .ok : .differs))
  }

  private func report() {
    let todo = todo
    for index in todo { reportChange(of: members[index]) }
    let actions: [PackageAction] = [.remove, .install, .update]
    act(actions.map { action in todo.filter { members[$0].verdict.action == action } }[...])
  }

  private func reportChange(of member: Member) {
    let path = member.spec == members[0].spec ? "state" : "pkg[\(member.spec.name)]#state"
    let was = member.facts.installed.first?.version ?? "uninstalled"
    let will = member.verdict.action == .remove ? "uninstalled" : member.verdict.ids.first?.version ?? member.spec.state.text
    call.change(path, was: .string(was), will: .string(will))
  }

  /// One transaction for all that ask for the same.
  private func act(_ batches: ArraySlice<[Int]>) {
    guard let batch = batches.first else { return hasChanged ? verify() : conclude() }
    attempt(batch) { [self] in act(batches.dropFirst()) }
  }

  private func attempt(_ batch: [Int], then next: @escaping () -> Void) {
    guard let first = batch.first, let action = members[first].verdict.action else { return next() }
    let names = batch.map { members[$0].spec.name }
    let title = "\(action.participle) \(names.joined(separator: ", "))"
    hasChanged = true
    run(action.request(batch.flatMap { members[$0].verdict.ids }, members[first].spec.flags), title) { [self] outcome in
      kind.catalog.invalidate()
      guard case .failure(let problem) = outcome else { return next() }
      if problem.needsRepair, !hasRepaired { return repair { [self] in attempt(batch, then: next) } }
      if !problem.mayConcernOnePackage || batch.count == 1 {
        if !problem.mayConcernOnePackage { self.problem = problem }
        let failure = problem.failure("\(action.infinitive) \(names.joined(separator: ", "))")
        for index in batch { members[index].failure = failure }
        return next()
      }
      // One of them spoils it: halves are tried until it stands alone.
      let half = batch.count / 2
      attempt(Array(batch[..<half])) { [self] in attempt(Array(batch[half...]), then: next) }
    }
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

  private func conclude() {
    let failed = members.filter { $0.failure != nil }
    guard let first = failed.first?.failure else { return finish(.success(hasChanged ? .changed : .ok)) }
    var messages: [String] = []
    for message in failed.compactMap(\.failure?.message) where !messages.contains(message) { messages.append(message) }
    var hints: [String] = []
    for hint in failed.compactMap(\.failure?.hint) where !hint.isEmpty && !hints.contains(hint) { hints.append(hint) }
    finish(
      .failure(
        Failure(
          messages.joined(separator: "; "), field: failed.count == 1 ? first.field : "", hint: hints.joined(separator: "; "))))
  }

  private func run(
    _ request: TransactionRequest, _ title: String = "", then next: @escaping (PackageKitClient.Outcome) -> Void
  ) {
    let progress: (UInt32) -> Void = { [call] permille in
      if !title.isEmpty { call.progress(permille: permille, title) }
    }
    ticket = kind.client.run(request, progress: progress) { [self] outcome in
      ticket = nil
      if !isOver { next(outcome) }
    }
  }

  private func finish(_ result: Result<CheckResult, Failure>) {
    guard !isOver else { return }
    isOver = true
    // The next check may come before this returns.
    ended(problem)
    call.complete(result)
  }
}
