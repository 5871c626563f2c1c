// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// One check of a package, or of a group of packages: looks, does what is to be done in as few transactions as it takes, and looks
/// again. A package that cannot be had does not keep the others from being done. The steps follow in this order: `considerRefresh`,
/// `explainUnknown` (PackageCheckUnknown), `checkSources`, `report`, `act`, `verify` (PackageCheckActions), `conclude`. [reactor]
final class PackageCheck {
  struct Member {
    var spec: PackageSpec
    var failure: Failure?
    var facts = PackageFacts()
    var verdict = PackageVerdict.asAsked
    /// A transaction for it was started.
    var hasActed = false
  }

  let kind: PackageKind
  let call: Call
  let apply: Bool
  /// The first is the leader.
  var members: [Member]
  let handle: ResourceHandle
  private let ended: (TransactionProblem?) -> Void
  var hasRefreshed = false
  /// It fetches the lists of packages, for which others wait.
  var isRefreshing = false
  /// A transaction that changes packages was started, whatever became of it.
  var hasActed = false
  var hasRepaired = false
  var streak = FailureStreak()
  var problem: TransactionProblem?
  /// What the transactions failed with, when nothing but another attempt could tell more.
  private(set) var failedAction: Failure?
  var isOver = false
  private var turn: Source?
  private var lookup: Int?
  private var ticket: (number: Int, title: String)?

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
    if let ticket {
      kind.client.cancel(ticket.number) { [handle] in handle.log(.warning, "PackageKit goes on \(ticket.title): \($0)") }
    }
    finish(.failure(.cancelled))
  }

  // MARK: looking

  func look(then next: @escaping () -> Void) {
    lookup = kind.catalog.look(members.map(\.spec)) { [self] result in
      lookup = nil
      guard !isOver else { return }
      switch result {
      case .success(let table):
        judge(table)
        next()
      case .failure(let problem):
        if self.problem == nil { self.problem = problem }
        // What went wrong before is the reason.
        if members.contains(where: { $0.failure != nil }) { return conclude() }
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

  func conclude() {
    let failed = members.filter { $0.failure != nil }
    guard let first = failed.first?.failure else { return finish(.success(hasActed ? .changed : .ok)) }
    var messages: [String] = []
    for message in failed.compactMap(\.failure?.message) where !messages.contains(message) { messages.append(message) }
    var hints: [String] = []
    for hint in failed.compactMap(\.failure?.hint) where !hint.isEmpty && !hints.contains(hint) { hints.append(hint) }
    let failure = Failure(
      messages.joined(separator: "; "), field: failed.count == 1 ? first.field : "", hint: hints.joined(separator: "; "))
    if hasActed, problem == nil { failedAction = failure }
    let done = members.filter { $0.hasActed && $0.failure == nil }.map(\.spec.name)
    if !done.isEmpty { handle.log(.info, "as asked now, though others of the group failed: \(done.joined(separator: ", "))") }
    finish(.failure(failure))
  }

  /// `next` is not called when this check is over.
  func run(
    _ request: TransactionRequest, _ title: String = "", then next: @escaping (PackageKitClient.Outcome) -> Void
  ) {
    let progress: (UInt32) -> Void = { [call] permille in
      if !title.isEmpty { call.progress(permille: permille, title) }
    }
    let number = kind.client.run(request, progress: progress) { [self] outcome in
      ticket = nil
      if !isOver { next(outcome) }
    }
    ticket = (number, title)
  }

  func finish(_ result: Result<CheckResult, Failure>) {
    guard !isOver else { return }
    isOver = true
    if isRefreshing { kind.refreshEnded() }
    // The next check may come before this returns.
    ended(problem)
    call.complete(result)
  }
}
