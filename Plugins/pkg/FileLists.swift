// SPDX-License-Identifier: Apache-2.0

import PluginKit
import Synchronization

/// The files of packages, for automatic edges: one `GetFiles` for all. Of packages that are not there yet, backends as apt's do not
/// know them: `ArchivePeek` helps out. [reactor]
final class FileLists {
  private let client: PackageKitClient
  private let catalog: PackageCatalog
  private let archives: ArchivePeek
  /// Read by any thread.
  private let known = Mutex(Known())
  private var done: ((Result<Void, Failure>) -> Void)?
  private var lookup: Int?
  private var ticket: Int?

  private struct Known {
    /// By `PackageID.release`. The files of a release never change.
    var lists: [String: [String]] = [:]
    /// What a name stands for: what it will be, else what it is.
    var releases: [String: [String]] = [:]
  }

  private static let packagesInOneCall = 2500

  init(host: Host, client: PackageKitClient, catalog: PackageCatalog) {
    self.client = client
    self.catalog = catalog
    archives = ArchivePeek(host: host, client: client)
  }

  /// [any]
  func files(of name: String) -> [String] {
    known.withLock { known in
      for release in known.releases[name] ?? [] {
        if let list = known.lists[release] { return list }
      }
      return []
    }
  }

  /// Looks at all packages, and finds out their files if asked to.
  func prepare(withFiles: Bool, _ done: @escaping (Result<Void, Failure>) -> Void) {
    // A newer graph asks for more than the one before it, which need not wait for it.
    cancel()
    self.done = done
    let specs = catalog.all
    let next = { [unowned self] table in withFiles ? fetch(specs, table) : finish(.success(())) }
    if let table = catalog.current(specs) { return next(table) }
    lookup = catalog.look(specs) { [unowned self] result in
      lookup = nil
      switch result {
      case .success(let table): next(table)
      case .failure(let problem): finish(.failure(problem.failure("find out the files of packages")))
      }
    }
  }

  /// What was fetched for a look is not needed any more for packages that are installed.
  func installed(_ ids: [PackageID]) { archives.remove(ids) }

  func close() {
    done = nil
    archives.close()
  }

  private func cancel() {
    finish(.success(()))
    archives.cancel()
    if let lookup { catalog.cancel(lookup) }
    if let ticket { client.cancel(ticket) }
    lookup = nil
    ticket = nil
  }

  private func finish(_ result: Result<Void, Failure>) {
    let done = done
    self.done = nil
    done?(result)
  }

  private func fetch(_ specs: [PackageSpec], _ table: PackageTable) {
    var ids: Set<PackageID> = []
    var missing: Set<PackageID> = []
    var releases: [String: [String]] = [:]
    let lists = known.withLock(\.lists)
    for spec in specs {
      let facts = table[spec.name]
      let verdict = PackageVerdict(spec, facts)
      // A new version has mostly the files of the old one: nothing is fetched to know better.
      let candidates = Array([verdict.ids.first, facts.installed.first, facts.available.first].compactMap(\.self).prefix(2))
      releases[spec.name] = candidates.map(\.release)
      ids.formUnion(candidates.filter { lists[$0.release] == nil })
      if facts.installed.isEmpty, verdict.action == .install, let id = verdict.ids.first { missing.insert(id) }
    }
    known.withLock { known in
      known.releases = releases
      // Of packages that no resource stands for any more nothing is kept.
      let wanted = Set(releases.values.joined())
      known.lists = lists.filter { wanted.contains($0.key) }
    }
    ask(ids.sorted { $0.text < $1.text }[...]) { [unowned self] in
      let lists = known.withLock(\.lists)
      let unknown = missing.filter { lists[$0.release] == nil }
      guard !unknown.isEmpty else { return finish(.success(())) }
      archives.files(of: unknown.sorted { $0.text < $1.text }) { [unowned self] found, failure in
        keep(found)
        finish(failure.map { .failure($0) } ?? .success(()))
      }
    }
  }

  private func ask(_ ids: ArraySlice<PackageID>, then next: @escaping () -> Void) {
    guard !ids.isEmpty else { return next() }
    let part = ids.prefix(Self.packagesInOneCall)
    ticket = client.run(.files(Array(part))) { [unowned self] outcome in
      ticket = nil
      if case .success(let record) = outcome { keep(record.files) }
      ask(ids.dropFirst(part.count), then: next)
    }
  }

  private func keep(_ files: [TransactionRecord.PackageFiles]) {
    known.withLock { known in
      for list in files where !list.paths.isEmpty { known.lists[list.id.release] = list.paths }
    }
  }
}
