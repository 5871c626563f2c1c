// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Reactor
public import Values

/// The graph in a YAML file: once, or again after each edit.
///
/// Reading and decoding happen on the pool, so that a large graph does not hold up the reactor.
public final class YAMLSource: GraphSource {
  private let path: String
  private let catalog: any KindCatalog
  private let watch: Bool

  private var reactor: Reactor?
  private var yield: ((GraphUpdate) -> Void)?
  private var results: Mailbox<LoadedGraph>?
  private var watcher: GraphFileWatcher?
  /// What was yielded last was made of this.
  private var fingerprint: Fingerprint?
  private var isLoading = false
  private var isStale = false
  private var isForced = false

  /// `path` is read relative to the current directory; with `watch` false it is read once.
  public init(path: String, catalog: any KindCatalog, watch: Bool) {
    self.path = path
    self.catalog = catalog
    self.watch = watch
  }

  /// A file that is gone may be back in a moment.
  public var isSettled: Bool { !isLoading && watcher?.isFileGone != true }

  public func start(on reactor: Reactor, _ yield: @escaping (GraphUpdate) -> Void) throws(MgmtError) {
    self.reactor = reactor
    self.yield = yield
    results = reactor.makeMailbox { [weak self] in self?.loaded($0) }
    if watch {
      // Armed before the first look, so that no edit is missed.
      watcher = try GraphFileWatcher(
        path: path, reactor: reactor, changed: { [weak self] in self?.load() },
        lost: { [weak self] in self?.yield?(.notice([$0])) })
    }
    load()
  }

  public func stop() {
    watcher?.stop()
    watcher = nil
    yield = nil
    reactor = nil
  }

  public func reload() {
    isForced = true
    load()
  }

  /// Reads and decodes once, on the caller's thread.
  public static func load(path: String, catalog: any KindCatalog) -> Result<FrontendGraph, MgmtError> {
    do throws(MgmtError) {
      return YAMLGraphDecoder.decode(bytes: try GraphFile.read(path), file: path, catalog: catalog)
    } catch {
      return .failure(error)
    }
  }

  private func load() {
    guard let reactor, let results else { return }
    guard !isLoading else {
      isStale = true
      return
    }
    (isLoading, isStale) = (true, false)
    let known = isForced ? nil : fingerprint
    isForced = false
    reactor.submit(LoadJob(path: path, catalog: CatalogSnapshot(catalog), known: known, results: results), to: .control)
  }

  private func loaded(_ message: LoadedGraph) {
    isLoading = false
    guard let yield else { return }
    watcher?.followLink()
    fingerprint = message.fingerprint
    if isStale { load() }
    switch message.result {
    case .success(let graph): yield(.graph(graph))
    case .failure(let error): yield(.rejection(error))
    case nil: yield(.unchanged)
    }
  }
}

/// Which bytes a graph was made of.
private struct Fingerprint: Sendable, Equatable {
  var count: Int
  var hash: Int

  init(_ bytes: [UInt8]) {
    count = bytes.count
    var hasher = Hasher()
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    hash = hasher.finalize()
  }
}

private struct LoadedGraph: Sendable {
  /// nil: it could not be read.
  var fingerprint: Fingerprint?
  /// nil: the bytes are those known.
  var result: Result<FrontendGraph, MgmtError>?
}

private final class LoadJob: Job {
  private let path: String
  private let catalog: CatalogSnapshot
  private let known: Fingerprint?
  private let results: Mailbox<LoadedGraph>

  init(path: String, catalog: CatalogSnapshot, known: Fingerprint?, results: Mailbox<LoadedGraph>) {
    self.path = path
    self.catalog = catalog
    self.known = known
    self.results = results
  }

  func run() {
    do throws(MgmtError) {
      let bytes = try GraphFile.read(path)
      let fingerprint = Fingerprint(bytes)
      guard fingerprint != known else { return results.send(LoadedGraph(fingerprint: fingerprint)) }
      let result = YAMLGraphDecoder.decode(bytes: bytes, file: path, catalog: catalog)
      results.send(LoadedGraph(fingerprint: fingerprint, result: result))
    } catch {
      results.send(LoadedGraph(result: .failure(error)))
    }
  }
}

/// The schemas there were at one time, for use on another thread.
private final class CatalogSnapshot: KindCatalog, Sendable {
  private let schemas: [String: KindSchema]
  let kindNames: [String]
  let absentKinds: [String: KindAbsence]

  init(_ catalog: any KindCatalog) {
    kindNames = catalog.kindNames
    absentKinds = catalog.absentKinds
    var schemas: [String: KindSchema] = [:]
    for name in kindNames { schemas[name] = catalog.schema(of: name) }
    self.schemas = schemas
  }

  func schema(of kind: String) -> KindSchema? { schemas[kind] }
}
