// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Reactor
import ReactorShims

/// Watches the search path, so that a plugin that is dropped into it can be used without a restart. A directory that is not there yet
/// is waited for at the nearest one that is. Made and used on the reactor's thread.
public final class PluginDirectoryWatcher {
  /// Copying a package changes many files: their changes are taken together.
  private static let settleMilliseconds: UInt64 = 50

  private let registry: PluginRegistry
  private let reactor: Reactor
  private let onChange: () -> Void
  private let inotify: Int32
  private var source: FDSource?
  private var timer: ReactorTimer?
  private var watches: [Int32: Watch] = [:]
  private var isSearching = false
  private var isStale = false
  private lazy var results: Mailbox<DiscoveryResult> = reactor.makeMailbox { [weak self] in self?.finish($0) }

  private struct Watch {
    /// Of a directory of plugins; nil: it is only above one.
    var plugins: String?
    /// Names on the way to directories that are not there yet.
    var missing: Set<String> = []
  }

  private static let pluginEvents =
    UInt32(IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB) | ownEvents
  private static let ancestorEvents = UInt32(IN_CREATE | IN_MOVED_TO | IN_ATTRIB) | ownEvents
  /// Of the watched directory itself.
  private static let ownEvents = UInt32(IN_DELETE_SELF | IN_MOVE_SELF) | onlyDirectories
  private static let onlyDirectories = UInt32(IN_ONLYDIR)
  /// The watch is gone, or events were lost.
  private static let lostEvents = UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW)

  /// `onChange` comes after plugins changed and the registry knows. New plugins are scanned on a thread of the pool. When the kernel
  /// gives no watch, plugins are found at the next start.
  public init(registry: PluginRegistry, reactor: Reactor, onChange: @escaping () -> Void) {
    self.registry = registry
    self.reactor = reactor
    self.onChange = onChange
    inotify = inotify_init1(Int32(O_CLOEXEC | O_NONBLOCK))
    guard inotify >= 0 else { return }
    source = try? reactor.addFD(inotify, events: FDEvents.readable) { [unowned self] _ in readEvents() }
    arm()
    search()
  }

  deinit {
    source?.cancel()
    timer?.cancel()
    if inotify >= 0 { close(inotify) }
  }

  // MARK: Watches

  /// Watches what is there now, and what is not there at the nearest directory above. Adding a watch again keeps it.
  private func arm() {
    var current: [Int32: Watch] = [:]
    for directory in registry.discovery.searchPath.directories {
      guard let (number, watch) = arm(directory.path) else { continue }
      current[number, default: Watch()].plugins = watch.plugins ?? current[number]?.plugins
      current[number]?.missing.formUnion(watch.missing)
    }
    for number in watches.keys where current[number] == nil { inotify_rm_watch(inotify, number) }
    watches = current
  }

  /// nil: the kernel gives no watch.
  private func arm(_ path: String) -> (Int32, Watch)? {
    let parts = path.split(separator: "/")
    var depth = parts.count
    // Directories may come and go meanwhile: not for ever.
    for _ in 0..<(2 * parts.count + 8) {
      let here = "/" + parts.prefix(depth).joined(separator: "/")
      let isWhole = depth == parts.count
      let number = inotify_add_watch(inotify, here, isWhole ? Self.pluginEvents : Self.ancestorEvents | UInt32(IN_MASK_ADD))
      if number >= 0 {
        guard !isWhole else { return (number, Watch(plugins: here)) }
        let next = String(parts[depth])
        var status = stat()
        let isThere = stat(here == "/" ? "/\(next)" : "\(here)/\(next)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        // It may have come between the two calls.
        guard isThere else { return (number, Watch(missing: [next])) }
        depth = parts.count
      } else {
        guard errno == ENOENT || errno == ENOTDIR, depth > 0 else { return nil }
        depth -= 1
      }
    }
    return nil
  }

  // MARK: Events

  private func readEvents() {
    var isLost = false
    var hasChanged = false
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 8) { buffer in
      while true {
        let count = read(inotify, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        while rest.count >= MemoryLayout<inotify_event>.size {
          let event = rest.loadUnaligned(as: inotify_event.self)
          let end = MemoryLayout<inotify_event>.size + Int(event.len)
          guard end <= rest.count else { return }
          let name = String(decoding: rest[MemoryLayout<inotify_event>.size..<end].prefix { $0 != 0 }, as: UTF8.self)
          switch meaning(of: event, name) {
          case .nothing: break
          case .change: hasChanged = true
          case .loss: isLost = true
          }
          rest = UnsafeRawBufferPointer(rebasing: rest[end...])
        }
      }
    }
    if isLost { arm() }
    if isLost || hasChanged { settle() }
  }

  private enum Meaning { case nothing, change, loss }

  private func meaning(of event: inotify_event, _ name: String) -> Meaning {
    if event.mask & Self.lostEvents != 0 { return watches[event.wd] != nil || event.wd < 0 ? .loss : .nothing }
    guard let watch = watches[event.wd] else { return .nothing }
    if watch.missing.contains(name) { return .loss }
    guard let path = watch.plugins else { return .nothing }
    // Without a name: the directory itself, whose rights may have changed.
    if name.isEmpty { return event.mask & UInt32(IN_ATTRIB) != 0 ? .change : .nothing }
    guard name.hasSuffix(".so") else { return .nothing }
    // A new file is looked at when its writer closes it; a new link to a file that is complete has no writer.
    if event.mask & UInt32(IN_CREATE) != 0 {
      var status = stat()
      return lstat("\(path)/\(name)", &status) == 0 && status.st_nlink > 1 ? .change : .nothing
    }
    return .change
  }

  private func settle() {
    guard timer == nil else { return }
    timer = reactor.addTimer(afterMilliseconds: Self.settleMilliseconds) { [unowned self] in
      timer = nil
      search()
    }
  }

  // MARK: Discovery

  private func search() {
    guard !isSearching else {
      isStale = true
      return
    }
    isSearching = true
    reactor.submit(DiscoveryJob(registry.discovery, registry.cache, results), to: .control)
  }

  private func finish(_ result: DiscoveryResult) {
    isSearching = false
    let before = registry.entries
    registry.adopt(result.found, result.cache)
    if registry.entries != before { onChange() }
    guard isStale else { return }
    isStale = false
    search()
  }
}

private struct DiscoveryResult: Sendable {
  var found: [FoundPlugin]
  var cache: PluginCache
}

private final class DiscoveryJob: Job {
  private let discovery: PluginDiscovery
  private let cache: PluginCache
  private let results: Mailbox<DiscoveryResult>

  init(_ discovery: PluginDiscovery, _ cache: PluginCache, _ results: Mailbox<DiscoveryResult>) {
    self.discovery = discovery
    self.cache = cache
    self.results = results
  }

  func run() {
    var cache = cache
    let found = discovery.run(&cache)
    results.send(DiscoveryResult(found: found, cache: cache))
  }
}
