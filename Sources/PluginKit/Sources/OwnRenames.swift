// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// One file a plugin makes under a temporary name and renames into place. What happens to it under that name is news to nobody;
/// the rename is news to all but the resource that made it.
///
/// The name has to be random: an event counts as the plugin's own by name and directory. All watchers of the process are told,
/// also those of other plugins.
public struct OwnRename: Sendable {
  private let key: UInt64

  /// [any] Before the file is made. `directory`: its path. `writer`: who made it and need not be told; nil: everybody is told of
  /// the rename.
  public init(_ temporary: UnsafeRawBufferPointer, in directory: String, by writer: ResourceHandle?) {
    key = WatchNode.hash(temporary)
    let text = directory.utf8.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
    let place = Array(text.utf8).withUnsafeBytes(WatchNode.hash)
    OwnRenames.each { $0.begin(key, directory: place, writer) }
  }

  /// [any] Before the rename. `target`: the name it gets, no NUL.
  public func expect(_ target: UnsafeRawBufferPointer) {
    let name = WatchNode.hash(target)
    OwnRenames.each { $0.expect(key, as: name) }
  }

  /// [any] It is renamed, or removed. Its events may still be on their way.
  public func end() {
    OwnRenames.each { $0.end(key) }
  }
}

/// The temporary files whose events one watcher has not seen to their end.
final class OwnRenames: Sendable {
  /// What was seen of a file under its temporary name. Anything out of order was not the plugin.
  private enum Stage {
    case announced
    case writing
    /// Has its owner and mode: others may be able to write to it.
    case sealed
    case removed
  }

  private struct Temporary {
    var writer: ResourceHandle?
    var directory: UInt64
    var target: UInt64 = 0
    /// The watch its events come from. -1: none came.
    var descriptor: Int32 = -1
    var stage = Stage.announced
  }

  /// A rename away from a temporary name, before its other half came.
  struct Arrival {
    var cookie: UInt32
    var descriptor: Int32
    var target: UInt64
    var writer: ResourceHandle?
  }

  enum Sight {
    case foreign
    case own
    case leaving(Arrival)
  }

  private struct State {
    var temporaries: [UInt64: Temporary] = [:]
    /// Those that are over, oldest first.
    var ended: [UInt64] = []
  }

  private static let watchers = Mutex<[OwnRenames]>([])
  /// Nobody watches the directory, so that events never come: older ones are forgotten. Forgetting costs an event too many.
  private static let remembered = 4096

  private let state = Mutex(State())

  static func each(_ body: (OwnRenames) -> Void) {
    for watcher in watchers.withLock({ $0 }) { body(watcher) }
  }

  /// From now on it hears of temporaries.
  func open() { Self.watchers.withLock { $0.append(self) } }

  func close() { Self.watchers.withLock { $0.removeAll { $0 === self } } }

  fileprivate func begin(_ key: UInt64, directory: UInt64, _ writer: ResourceHandle?) {
    state.withLock { $0.temporaries[key] = Temporary(writer: writer, directory: directory) }
  }

  fileprivate func expect(_ key: UInt64, as target: UInt64) {
    state.withLock { $0.temporaries[key]?.target = target }
  }

  fileprivate func end(_ key: UInt64) {
    state.withLock { state in
      guard state.temporaries[key] != nil else { return }
      state.ended.append(key)
      guard state.ended.count >= 2 * Self.remembered else { return }
      for old in state.ended.prefix(Self.remembered) { state.temporaries[old] = nil }
      state.ended.removeFirst(Self.remembered)
    }
  }

  /// [reactor] An event at a name that may be temporary. `isIn`: whether its watch is of the directory with this path's hash.
  func saw(_ event: inotify_event, _ name: UnsafeRawBufferPointer, isIn: (UInt64) -> Bool) -> Sight {
    let key = WatchNode.hash(name)
    return state.withLock { state in
      guard var temporary = state.temporaries[key] else { return .foreign }
      if temporary.descriptor < 0, isIn(temporary.directory) { temporary.descriptor = event.wd }
      guard temporary.descriptor == event.wd else { return .foreign }
      let mask = Int32(bitPattern: event.mask)
      if mask & IN_MOVED_FROM != 0 {
        state.temporaries[key] = nil
        guard temporary.stage != .removed else { return .foreign }
        return .leaving(
          Arrival(cookie: event.cookie, descriptor: event.wd, target: temporary.target, writer: temporary.writer))
      }
      guard let stage = Self.next(temporary.stage, mask) else {
        state.temporaries[key] = nil
        return .foreign
      }
      temporary.stage = stage
      state.temporaries[key] = temporary
      return .own
    }
  }

  /// nil: the plugin does not do this.
  private static func next(_ stage: Stage, _ mask: Int32) -> Stage? {
    switch stage {
    case .announced where mask & IN_CREATE != 0: .writing
    case .announced where mask & IN_MODIFY != 0, .writing where mask & IN_MODIFY != 0: .writing
    case .removed: mask & IN_CLOSE_WRITE != 0 ? .removed : nil
    case _ where mask & IN_ATTRIB != 0: .sealed
    case _ where mask & IN_CLOSE_WRITE != 0: stage
    case _ where mask & IN_DELETE != 0: .removed
    default: nil
    }
  }
}
