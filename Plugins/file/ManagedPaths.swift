// SPDX-License-Identifier: Apache-2.0

import PluginKit
import Synchronization

/// Every path some `file` resource of the graph manages, so that purging and copying directories spare them, and are told when
/// they need not any more.
final class ManagedPaths: Sendable {
  private struct Entry {
    var count = 0
    /// How many of them look after the contents of the directory themselves.
    var owners = 0
  }

  private let entries = Mutex<[String: Entry]>([:])
  /// Watching resources that look after the contents of their directory, by its path. Few or none.
  private let owners = Mutex<[String: [ResourceHandle]]>([:])

  func add(_ spec: FileSpec) {
    let path = FilePath.withoutSlash(spec.path)
    let owns = spec.ownsContents ? 1 : 0
    entries.withLock { entries in
      entries[path, default: Entry()].count += 1
      if owns > 0 { entries[path, default: Entry()].owners += owns }
    }
  }

  /// When nobody manages the path any more, the directory it is in may have something to remove: the nearest with an owner.
  func remove(_ spec: FileSpec) {
    let path = FilePath.withoutSlash(spec.path)
    let owns = spec.ownsContents ? 1 : 0
    let isUnmanaged = entries.withLock { entries in
      guard var entry = entries[path] else { return false }
      entry.count -= 1
      entry.owners -= owns
      entries[path] = entry.count > 0 ? entry : nil
      return entry.count <= 0
    }
    if isUnmanaged { for owner in nearestOwners(above: path) { owner.event() } }
  }

  private func nearestOwners(above path: String) -> [ResourceHandle] {
    owners.withLock { owners in
      if owners.isEmpty { return [] }
      var directory = FilePath.parent(path)
      while let parent = directory {
        if let found = owners[parent] { return found }
        directory = FilePath.parent(parent)
      }
      return []
    }
  }

  /// From now on the resource takes events.
  func startWatch(_ spec: FileSpec, _ handle: ResourceHandle) {
    guard spec.ownsContents else { return }
    owners.withLock { $0[spec.path, default: []].append(handle) }
  }

  func endWatch(_ spec: FileSpec, _ handle: ResourceHandle) {
    guard spec.ownsContents else { return }
    owners.withLock { owners in
      owners[spec.path]?.removeAll { $0 == handle }
      if owners[spec.path]?.isEmpty == true { owners[spec.path] = nil }
    }
  }

  /// What lies below a directory and belongs to other resources.
  func below(_ directory: String) -> Protected {
    let prefix = FilePath.isDirectory(directory) ? directory : directory + "/"
    var protected = Protected()
    let found = entries.withLock { entries in
      entries.filter { $0.key.utf8.starts(with: prefix.utf8) && $0.key.utf8.count > prefix.utf8.count }
        .map { (path: $0.key, owned: $0.value.owners > 0) }
    }
    for (path, owned) in found {
      protected.paths[path] = owned
      var parent = FilePath.withoutSlash(FilePath.split(path).directory)
      while parent.utf8.count >= prefix.utf8.count, protected.parents.insert(parent).inserted {
        parent = FilePath.withoutSlash(FilePath.split(parent).directory)
      }
    }
    return protected
  }
}

/// The paths a directory's resource must leave alone. Directories without a slash at the end.
struct Protected {
  /// Managed by another resource; true: with all that is inside.
  var paths: [String: Bool] = [:]
  /// Directories on the way to one of them.
  var parents: Set<String> = []

  /// To be kept, though what is inside may go.
  func keeps(_ path: String) -> Bool { paths[path] != nil || parents.contains(path) }
  /// Looked after by another resource with all that is inside.
  func owned(_ path: String) -> Bool { paths[path] == true }
}

extension FileSpec {
  var ownsContents: Bool { isDirectory && state != .absent && (purge || !source.isEmpty) }
}
