// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// What PackageKit knows about all packages of all resources: one `Resolve` for all of them, and no other until something
/// changed. [reactor]
final class PackageCatalog {
  private let client: PackageKitClient
  private let names: NameSearch
  /// How many resources ask for it.
  private var specs: [PackageSpec: Int] = [:]
  private var table = PackageTable()
  /// What `table` answers, and as of when.
  private var known: Set<PackageSpec> = []
  private var stamp: DatabaseStamp?
  /// Counts reasons to ask again.
  private var generation = 0
  private var answered = -1
  private var withUpdates = false

  private var round: Round?
  private var waiting: [Waiter] = []

  private struct Waiter {
    var id: Int
    var specs: [PackageSpec]
    var done: (Result<PackageTable, TransactionProblem>) -> Void
  }

  private struct Round {
    var specs: Set<PackageSpec>
    var wantsUpdates: Bool
    var generation: Int
    var stamp: DatabaseStamp
    var waiters: [Waiter]
  }

  private var nextWaiter = 0

  /// Of more names PackageKit takes no list.
  private static let namesInOneCall = 5000

  init(client: PackageKitClient) {
    self.client = client
    names = NameSearch(client: client)
  }

  func add(_ spec: PackageSpec) { specs[spec, default: 0] += 1 }

  func remove(_ spec: PackageSpec) {
    guard let count = specs[spec] else { return }
    specs[spec] = count > 1 ? count - 1 : nil
  }

  var all: [PackageSpec] { Array(specs.keys) }

  /// The next look asks again.
  func invalidate() {
    generation += 1
    names.forget()
  }

  /// Looks for names that are offered and may be near to these, and at once for those of the other packages that are not found: their
  /// checks come next. `found` may be called before this returns.
  func search(near wanted: [String], _ found: @escaping (_ names: [String]) -> Void) {
    names.search(near: wanted, others: specs.keys.filter(isMissing).map(\.name).sorted(), found)
  }

  /// What is known, or asked for just now, is how it is: nothing that PackageKit goes by has changed since.
  var isCurrent: Bool {
    guard DatabaseStamp.coversLists else { return false }
    if let round { return round.generation == generation && round.stamp == .now() }
    return answered == generation && stamp == .now()
  }

  /// It was asked for and not found.
  func isMissing(_ spec: PackageSpec) -> Bool {
    known.contains(spec) && PackageVerdict(spec, table[spec.name]).isUnknown
  }

  /// What is known without asking, if that is still so.
  func current(_ specs: [PackageSpec]) -> PackageTable? {
    guard answered == generation, let stamp, stamp == DatabaseStamp.now(),
      known.isSuperset(of: specs), withUpdates || !wantsUpdates(specs)
    else { return nil }
    return table
  }

  /// Calls `done` later. The number is for `cancel`.
  func look(_ specs: [PackageSpec], _ done: @escaping (Result<PackageTable, TransactionProblem>) -> Void) -> Int {
    nextWaiter += 1
    let waiter = Waiter(id: nextWaiter, specs: specs, done: done)
    if let round, round.generation == generation, round.stamp == DatabaseStamp.now(),
      round.specs.isSuperset(of: specs), round.wantsUpdates || !wantsUpdates(specs)
    {
      self.round?.waiters.append(waiter)
    } else {
      waiting.append(waiter)
      startRound()
    }
    return waiter.id
  }

  /// The question itself is not taken back: others may wait for the answer, or will ask the same.
  func cancel(_ id: Int) {
    waiting.removeAll { $0.id == id }
    round?.waiters.removeAll { $0.id == id }
  }

  private func wantsUpdates(_ specs: some Sequence<PackageSpec>) -> Bool { specs.contains { $0.state == .newest } }

  private func startRound() {
    guard round == nil, !waiting.isEmpty else { return }
    let asked = Set(all + waiting.flatMap(\.specs))
    // Older versions too, where one is asked for.
    let isVersioned = asked.contains { if case .version = $0.state { true } else { false } }
    round = Round(
      specs: asked, wantsUpdates: wantsUpdates(asked), generation: generation, stamp: .now(), waiters: waiting)
    waiting = []
    let filter: PackageFilter = isVersioned ? [.architecture] : [.architecture, .newest]
    resolve(Set(asked.map(\.name)).sorted()[...], filter, found: []) { [unowned self] found in
      let table = PackageTable(resolved: found)
      let older = Set(asked.compactMap { $0.olderVersion(table[$0.name])?.text }).sorted()
      resolve(older[...], filter, found: found) { [unowned self] found in askForUpdates(found: found) }
    }
  }

  private func resolve(
    _ names: ArraySlice<String>, _ filter: PackageFilter, found: [ListedPackage], then next: @escaping ([ListedPackage]) -> Void
  ) {
    guard !names.isEmpty else { return next(found) }
    let part = names.prefix(Self.namesInOneCall)
    client.run(.resolve(Array(part), filter)) { [unowned self] outcome in
      switch outcome {
      case .failure(let problem): finish(.failure(problem))
      case .success(let record): resolve(names.dropFirst(part.count), filter, found: found + record.packages, then: next)
      }
    }
  }

  private func askForUpdates(found: [ListedPackage]) {
    guard round?.wantsUpdates == true else { return finish(.success(PackageTable(resolved: found))) }
    client.run(.updates) { [unowned self] outcome in
      finish(outcome.map { PackageTable(resolved: found, updates: $0.packages) })
    }
  }

  private func finish(_ result: Result<PackageTable, TransactionProblem>) {
    guard let ended = round else { return }
    round = nil
    if case .success(let table) = result {
      self.table = table
      known = ended.specs
      stamp = ended.stamp
      answered = ended.generation
      withUpdates = ended.wantsUpdates
    }
    startRound()
    for waiter in ended.waiters { waiter.done(result) }
  }
}
