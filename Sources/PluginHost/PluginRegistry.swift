// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Values

/// The plugins that were found, which of them is used for which kind, and those that are loaded. Confined to one thread.
public final class PluginRegistry: KindCatalog {
  /// Of several plugins with one kind the first in the search path is used. Otherwise nothing takes the place of what came with the
  /// program, and nothing that of a plugin before it.
  private let allowsOverride: Bool
  /// In the order of the search path.
  public private(set) var entries: [PluginEntry] = []
  let discovery: PluginDiscovery
  private(set) var cache: PluginCache
  private(set) var found: [FoundPlugin] = []
  /// The plugin used for each kind.
  private var offers: [String: Offer] = [:]
  /// By path: for ever, a library is never unloaded.
  var loaded: [String: LoadedPlugin] = [:]
  /// Directories of loaded libraries: for ever, the loader knows the libraries by their descriptors' numbers.
  var directories: [PluginDirectory] = []
  /// Libraries that were loaded and turned out to be others than expected: only a new process can load them right.
  var spoiled: Set<String> = []

  struct Offer {
    /// In `found`.
    var plugin: Int
    /// In the plugin's `kinds`.
    var position: Int
  }

  /// `cacheDirectory`: the agent's prefix, where results of scans are kept; nil: they are not.
  public convenience init(
    searchPath: PluginSearchPath, cacheDirectory: String? = nil, cacheIsReadOnly: Bool = false, allowsOverride: Bool = false,
    scanner: PluginScanner = PluginScanner()
  ) {
    self.init(
      PluginDiscovery(searchPath: searchPath, scanner: scanner, policy: TrustPolicy()),
      PluginCache(directory: cacheDirectory, isReadOnly: cacheIsReadOnly), allowsOverride: allowsOverride)
  }

  init(_ discovery: PluginDiscovery, _ cache: PluginCache, allowsOverride: Bool = false) {
    self.discovery = discovery
    self.cache = cache
    self.allowsOverride = allowsOverride
  }

  /// Looks through the search path again. Blocks while new plugins are scanned; `PluginDirectoryWatcher` does it without.
  public func refresh() {
    adopt(discovery.run(&cache), cache)
  }

  /// Takes what a discovery found.
  func adopt(_ found: [FoundPlugin], _ cache: PluginCache) {
    self.cache = cache
    self.found = found
    keepLoaded()
    resolve()
  }

  // MARK: Kinds

  public func schema(of kind: String) -> KindSchema? { description(of: kind)?.kind.schema }

  public var kindNames: [String] { offers.keys.sorted() }

  /// The kind and the plugin it is used from.
  public func description(of kind: String) -> (kind: PluginDescriptor.Kind, entry: PluginEntry)? {
    guard let offer = offers[kind], entries.indices.contains(offer.plugin),
      let kinds = entries[offer.plugin].descriptor?.kinds, kinds.indices.contains(offer.position)
    else { return nil }
    return (kinds[offer.position], entries[offer.plugin])
  }

  func offer(of kind: String) throws(MgmtError) -> (plugin: FoundPlugin, position: Int) {
    guard let offer = offers[kind], found.indices.contains(offer.plugin) else { throw MgmtError(unknown(kind)) }
    return (found[offer.plugin], offer.position)
  }

  /// What to say to who asks for a kind that is not there.
  public func unknown(_ kind: String) -> Diagnostic {
    var diagnostic = Diagnostic("kind.unknown", "there is no kind \"\(kind)\"")
    if let absence = absentKinds[kind] {
      (diagnostic.notes, diagnostic.hint) = ([absence.reason], absence.hint)
      return diagnostic
    }
    if let note = ReservedKinds.note(on: kind) {
      diagnostic.notes = [note]
    } else if found.contains(where: { $0.descriptor == nil }) {
      diagnostic.notes = ["some plugins are refused: `mgmt plugins list` says why"]
    }
    diagnostic.hint = Suggestion.hint(for: kind, in: offers.keys) ?? "`mgmt plugins list` shows what there is"
    return diagnostic
  }

  /// Kinds of plugins that are refused, and those that bear the name of a file that could not be asked.
  public var absentKinds: [String: KindAbsence] {
    var absent: [String: KindAbsence] = [:]
    for (plugin, entry) in zip(found, entries) {
      guard case .refused(let diagnostic) = entry.state, plugin.path.hasSuffix(".so") else { continue }
      for kind in entry.descriptor?.kinds.map(\.schema.name) ?? [plugin.stem] where offers[kind] == nil && absent[kind] == nil {
        absent[kind] = KindAbsence(
          reason: "\(plugin.stem).so, which would offer it, is refused: \(diagnostic.title)", hint: diagnostic.hint)
      }
    }
    return absent
  }

  /// What is loaded stays as it is, whatever happened to its file.
  private func keepLoaded() {
    for (path, plugin) in loaded.sorted(by: { $0.key < $1.key }) {
      var known = FoundPlugin(path: path, identity: plugin.identity, outcome: .described(plugin.descriptor))
      if let position = found.firstIndex(where: { $0.path == path }) {
        known.isBuiltIn = found[position].isBuiltIn
        if found[position].identity != plugin.identity {
          notices[path] = "its file was replaced: restart mgmt to use the new one"
        }
        found[position] = known
      } else {
        notices[path] = "its file is gone; it stays in use until mgmt is restarted"
        found.append(known)
      }
    }
  }

  private var notices: [String: String] = [:]

  /// Decides which plugin is used for each kind.
  private func resolve() {
    offers = [:]
    var refusals: [Int: Diagnostic] = [:]
    // What of the program's own cannot be used keeps its name, too.
    var claims: [String: String] = [:]
    if !allowsOverride {
      for plugin in found where plugin.isBuiltIn && plugin.descriptor == nil && plugin.path.hasSuffix(".so") {
        claims[plugin.stem] = plugin.path
      }
    }
    for index in found.indices.sorted(by: { (rank($0), $0) < (rank($1), $1) }) {
      let kinds = (found[index].descriptor?.kinds ?? []).map(\.schema.name)
      if !allowsOverride, loaded[found[index].path] == nil,
        let (kind, path) = kinds.lazy.compactMap({ kind in (claims[kind]).map { (kind, $0) } }).first
      {
        refusals[index] = PluginDiagnostics.override(found[index].path, kind, by: path)
        continue
      }
      for (position, kind) in kinds.enumerated() where offers[kind] == nil {
        offers[kind] = Offer(plugin: index, position: position)
        if !allowsOverride { claims[kind] = found[index].path }
      }
    }
    entries = found.enumerated().map { index, plugin in entry(plugin, index, refusals[index]) }
    notices = [:]
  }

  /// The lowest is used: what is loaded, then what came with the program, `file.so` before others for `file`.
  private func rank(_ index: Int) -> Int {
    let plugin = found[index]
    if loaded[plugin.path] != nil { return 0 }
    guard !allowsOverride, plugin.isBuiltIn else { return 3 }
    return plugin.offersItsName ? 1 : 2
  }

  private func entry(_ plugin: FoundPlugin, _ index: Int, _ refusal: Diagnostic?) -> PluginEntry {
    if let refusal { return PluginEntry(path: plugin.path, state: .refused(refusal), descriptor: plugin.descriptor) }
    switch plugin.outcome {
    case .refused(let diagnostic): return PluginEntry(path: plugin.path, state: .refused(diagnostic))
    case .described(let descriptor):
      var entry = PluginEntry(path: plugin.path, state: .usable, descriptor: descriptor, notice: notices[plugin.path])
      for kind in descriptor.kinds.map(\.schema.name) {
        guard let offer = offers[kind] else { continue }
        if offer.plugin == index {
          entry.kinds.append(kind)
        } else {
          entry.shadows.append(.init(kind: kind, by: found[offer.plugin].path))
        }
      }
      if entry.kinds.isEmpty, descriptor.functions.isEmpty { entry.state = .shadowed }
      return entry
    }
  }
}
