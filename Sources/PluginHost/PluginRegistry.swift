// SPDX-License-Identifier: Apache-2.0

import Diagnostics
public import Values

/// The plugins that were found, which of them is used for which kind, and those that are loaded. Confined to one thread.
public final class PluginRegistry: KindCatalog {
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
    searchPath: PluginSearchPath, cacheDirectory: String? = nil, cacheIsReadOnly: Bool = false,
    scanner: PluginScanner = PluginScanner()
  ) {
    self.init(
      PluginDiscovery(searchPath: searchPath, scanner: scanner, policy: TrustPolicy()),
      PluginCache(directory: cacheDirectory, isReadOnly: cacheIsReadOnly))
  }

  init(_ discovery: PluginDiscovery, _ cache: PluginCache) {
    self.discovery = discovery
    self.cache = cache
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
    guard let offer = offers[kind], found.indices.contains(offer.plugin) else {
      let refused = found.contains { $0.descriptor == nil }
      throw MgmtError(
        Diagnostic(
          "kind.unknown", "there is no kind \"\(kind)\"",
          notes: ReservedKinds.note(on: kind).map { [$0] }
            ?? (refused ? ["some plugins are refused: `mgmt plugins list` says why"] : []),
          hint: Suggestion.hint(for: kind, in: offers.keys) ?? "`mgmt plugins list` shows what there is"))
    }
    return (found[offer.plugin], offer.position)
  }

  /// What is loaded stays as it is, whatever happened to its file.
  private func keepLoaded() {
    for (path, plugin) in loaded.sorted(by: { $0.key < $1.key }) {
      let known = FoundPlugin(path: path, identity: plugin.identity, outcome: .described(plugin.descriptor))
      if let position = found.firstIndex(where: { $0.path == path }) {
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

  /// Decides which plugin is used for each kind: a loaded one, else the first.
  private func resolve() {
    offers = [:]
    let order = found.indices.filter { loaded[found[$0].path] != nil } + found.indices.filter { loaded[found[$0].path] == nil }
    for index in order {
      for (position, kind) in (found[index].descriptor?.kinds ?? []).enumerated() where offers[kind.schema.name] == nil {
        offers[kind.schema.name] = Offer(plugin: index, position: position)
      }
    }
    entries = found.enumerated().map { index, plugin in entry(plugin, index) }
    notices = [:]
  }

  private func entry(_ plugin: FoundPlugin, _ index: Int) -> PluginEntry {
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
