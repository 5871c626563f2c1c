// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI

/// Tells resources when something happens at the paths they care for: one inotify fd for all resources of a kind, one
/// watch for each directory however many of its entries are cared for.
///
/// Every ancestor of a path is watched too, so a directory that is missing, or moved away anywhere up the path, is noticed
/// when it comes back. A parent that is a symbolic link is watched at the link and at the directory it leads to.
///
/// What plugins write under a temporary name and rename into place is announced by `OwnRename`: who wrote it is not told.
///
/// Everything here runs on the [reactor] thread. Not `Sendable`: keep it in the `ResourceKind`.
public final class PathWatcher {
  /// How much of what happens at a path is an event.
  public enum Scope: Sendable {
    /// The path itself is made, written, renamed or removed, or its attributes change.
    case path
    /// Also its entries, one level deep. The path is a directory, now or later.
    case entries
    /// Also everything below it.
    case tree
  }

  /// What `add` gives and `remove` takes, once.
  public struct Token: Sendable {
    let slot: Int32
  }

  let host: Host
  /// What plugins of this process are renaming into place.
  let ownRenames = OwnRenames()
  /// Renames of those that were half seen. Directories are renamed in by several threads at once.
  var arrivals: [OwnRenames.Arrival] = []
  /// -1: nothing was watched yet.
  var fd: Int32 = -1
  private var source: Source?
  let root = WatchNode(name: [], parent: nil)
  /// The nodes behind each watch descriptor: several when symbolic links make one directory of several paths; they are
  /// chained by `WatchNode.sharing`.
  var watches: [Int32: WatchNode] = [:]
  var subscriptions = WatchSubscriptions()
  var blind = BlindDirectories()
  var mounts = MountTable()
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 8)

  /// The inotify fd is made by the first `add`.
  public init(host: Host) {
    self.host = host
  }

  deinit {
    close()
    buffer.deallocate()
  }

  /// From now on `handle.event()` is called for changes at `path`, an absolute path. About 1 µs in a directory that is
  /// watched already. Fails at the kernel's limits, naming the setting to raise, and where reading is not permitted. A directory inside
  /// of a tree does not make it fail: it is named, and the resource is told by time.
  public func add(_ path: String, scope: Scope = .path, _ handle: ResourceHandle) throws(Failure) -> Token {
    try open()
    let place = locate(path, scope)
    let slot = subscriptions.insert(handle, place)
    do throws(Failure) {
      try arm(place.node)
    } catch {
      remove(Token(slot: slot))
      throw error
    }
    return Token(slot: slot)
  }

  /// Afterwards `handle.event()` is not called on behalf of this token.
  public func remove(_ token: Token) {
    guard let place = subscriptions.remove(token.slot) else { return }
    if case .tree = place.list, !place.node.isInTree { dropFound(below: place.node) }
    prune(place.node)
  }

  /// Gives the inotify fd back: nobody is told anything any more, and nothing can be added.
  public func close() {
    source?.delete()
    source = nil
    ownRenames.close()
    blind.timer?.delete()
    blind = BlindDirectories()
    closeMounts()
    guard fd >= 0 else { return }
    // The kernel takes some 15 ms for this, waiting for its other processors to forget the watches: not on the reactor.
    var thread = pthread_t()
    let argument = UnsafeMutableRawPointer(bitPattern: Int(fd) + 1)
    let status = pthread_create(
      &thread, nil,
      { argument in
        Glibc.close(Int32(truncatingIfNeeded: Int(bitPattern: argument) - 1))
        return nil
      }, argument)
    if status == 0 { pthread_detach(thread) } else { Glibc.close(fd) }
    fd = -1
  }

  private func open() throws(Failure) {
    guard fd < 0 else { return }
    let opened = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard opened >= 0 else { throw WatchLimit.failure(errno, path: "") }
    fd = opened
    ownRenames.open()
    do throws(Failure) {
      source = try host.addFD(opened, events: UInt32(MGMT_FD_READ)) { [unowned self] _ in drain() }
    } catch {
      close()
      throw error
    }
    openMounts()
  }

  /// Finds or makes the nodes of a path.
  private func locate(_ path: String, _ scope: Scope) -> WatchPlace {
    var path = path
    return path.withUTF8 { bytes in
      var node = root
      var start = 0
      var last: Range<Int>?
      while start < bytes.count {
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
        let name = start..<end
        start = end + 1
        if name.isEmpty || bytes[name].elementsEqual(".".utf8) { continue }
        if let previous = last { node = node.child(UnsafeBufferPointer(rebasing: bytes[previous])) }
        last = name
      }
      guard let last else { return WatchPlace(node: root, list: scope == .tree ? .tree : .entries) }
      let name = UnsafeBufferPointer(rebasing: bytes[last])
      switch scope {
      case .path: return WatchPlace(node: node, list: .named(WatchNode.hash(UnsafeRawBufferPointer(name))))
      case .entries: return WatchPlace(node: node.child(name), list: .entries)
      case .tree: return WatchPlace(node: node.child(name), list: .tree)
      }
    }
  }
}
