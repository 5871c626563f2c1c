// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// The files of packages, for automatic edges: one `GetFiles` for all. Backends that know the files of installed packages only, as
/// apt's does, are helped by fetching the others into the package manager's cache, where their installation finds them. [reactor]
final class FileLists {
  private let client: PackageKitClient
  private let catalog: PackageCatalog
  /// By `PackageID.release`. The files of a release never change.
  private var lists: [String: [String]] = [:]
  /// The release a name stands for: what is installed, or would be.
  private var releases: [String: String] = [:]
  private var done: ((Result<Void, TransactionProblem>) -> Void)?
  private var lookup: Int?
  private var ticket: Int?

  private static let packagesInOneCall = 2500

  init(client: PackageKitClient, catalog: PackageCatalog) {
    self.client = client
    self.catalog = catalog
  }

  func files(of name: String) -> [String] { releases[name].flatMap { lists[$0] } ?? [] }

  func prepare(_ done: @escaping (Result<Void, TransactionProblem>) -> Void) {
    // A newer graph asks for more than the one before it, which need not wait for it.
    cancel()
    self.done = done
    let specs = catalog.all
    if let table = catalog.current(specs) { return fetch(specs, table) }
    lookup = catalog.look(specs) { [unowned self] result in
      lookup = nil
      switch result {
      case .success(let table): fetch(specs, table)
      case .failure(let problem): finish(.failure(problem))
      }
    }
  }

  private func cancel() {
    finish(.success(()))
    if let lookup { catalog.cancel(lookup) }
    if let ticket { client.cancel(ticket) }
    lookup = nil
    ticket = nil
  }

  private func finish(_ result: Result<Void, TransactionProblem>) {
    let done = done
    self.done = nil
    done?(result)
  }

  private func fetch(_ specs: [PackageSpec], _ table: PackageTable) {
    var ids: Set<PackageID> = []
    var fetchable: Set<PackageID> = []
    releases = [:]
    for spec in specs {
      let facts = table[spec.name]
      guard let id = PackageVerdict(spec, facts).ids.first ?? facts.installed.first ?? facts.available.first else { continue }
      releases[spec.name] = id.release
      guard lists[id.release] == nil else { continue }
      ids.insert(id)
      if spec.state != .uninstalled, !facts.installed.contains(id) { fetchable.insert(id) }
    }
    // Of packages that no resource stands for any more nothing is kept.
    let wanted = Set(releases.values)
    lists = lists.filter { wanted.contains($0.key) }
    ask(ids.sorted { $0.text < $1.text }[...]) { [unowned self] in
      download(fetchable.filter { lists[$0.release] == nil }.sorted { $0.text < $1.text })
    }
  }

  private func ask(_ ids: ArraySlice<PackageID>, then next: @escaping () -> Void) {
    guard !ids.isEmpty else { return next() }
    let part = ids.prefix(Self.packagesInOneCall)
    ticket = client.run(.files(Array(part))) { [unowned self] outcome in
      ticket = nil
      keep(outcome)
      ask(ids.dropFirst(part.count), then: next)
    }
  }

  private func download(_ ids: [PackageID]) {
    guard !ids.isEmpty else { return finish(.success(())) }
    ticket = client.run(.download(Array(ids.prefix(Self.packagesInOneCall)))) { [unowned self] outcome in
      ticket = nil
      guard case .success(let record) = outcome else { return finish(outcome.map { _ in }) }
      let archives = record.files.flatMap(\.paths)
      guard !archives.isEmpty else { return finish(.success(())) }
      ticket = client.run(.filesOfArchives(archives)) { [unowned self] outcome in
        ticket = nil
        keep(outcome)
        finish(outcome.map { _ in })
      }
    }
  }

  private func keep(_ outcome: PackageKitClient.Outcome) {
    guard case .success(let record) = outcome else { return }
    for list in record.files where !list.paths.isEmpty { lists[list.id.release] = list.paths }
  }
}
