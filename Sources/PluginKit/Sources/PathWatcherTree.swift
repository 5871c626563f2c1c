// SPDX-License-Identifier: Apache-2.0

import Glibc

private let ancestorMask =
  IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF
private let fullMask = ancestorMask | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB

/// Keeping the kernel's watches in step with the nodes.
extension PathWatcher {
  /// Watches a node and its ancestors, from the root down: whatever appears after a parent is watched is reported by it.
  func arm(_ node: WatchNode) throws(Failure) {
    let full = node.hasSubscriptions || node.isInTree
    if node.isSettled && (node.descriptor < 0 || node.isFull || !full) && node.tree < 0 { return }
    if let parent = node.parent { try arm(parent) }
    try watch(node)
    if node.isInTree { scan(node) }
  }

  /// Asks for the watch of one node. Anything but success leaves it without a descriptor.
  func watch(_ node: WatchNode) throws(Failure) {
    // Gone with its parent. The kernel would not say so of a path that is too long.
    if node.isFound, let parent = node.parent, parent.descriptor < 0 {
      unbind(node)
      return sees(node)
    }
    let full = node.hasSubscriptions || node.isInTree
    let mask = UInt32(full ? fullMask : ancestorMask) | UInt32(IN_ONLYDIR) | UInt32(IN_MASK_ADD)
    let path = node.path
    var descriptor = add(path, mask | UInt32(IN_DONT_FOLLOW))
    node.isLink = descriptor < 0 && errno == ENOTDIR && !node.isFound
    if node.isLink { descriptor = add(path, mask) }
    let error = errno
    node.isSettled = descriptor >= 0 || error == ENOENT || error == ENOTDIR || error == ELOOP
    if descriptor >= 0 {
      node.isFull = full
      sees(node)
      guard descriptor != node.descriptor else { return }
      unbind(node)
      node.descriptor = descriptor
      node.sharing = watches[descriptor]
      watches[descriptor] = node
      return
    }
    unbind(node)
    switch error {
    case ENOENT, ENOTDIR, ELOOP: return sees(node)
    case EACCES where !full: return  // only the way there: searching a directory does not need reading it
    default:
      throw WatchLimit.failure(error, path: text(path))
    }
  }

  private func add(_ path: ContiguousArray<CChar>, _ mask: UInt32) -> Int32 {
    path.withUnsafeBufferPointer { $0.baseAddress.map { inotify_add_watch(fd, $0, mask) } ?? -1 }
  }

  /// Takes a node off its watch, and the watch away if nobody else is on it.
  private func unbind(_ node: WatchNode) {
    let descriptor = node.descriptor
    guard descriptor >= 0 else { return }
    node.descriptor = -1
    node.isFull = false
    defer { node.sharing = nil }
    guard let first = watches[descriptor] else { return }
    if first === node {
      watches[descriptor] = node.sharing
      if node.sharing == nil { inotify_rm_watch(fd, descriptor) }
      return
    }
    var position = first
    while let next = position.sharing {
      if next === node {
        position.sharing = node.sharing
        return
      }
      position = next
    }
  }

  /// The kernel gave a watch up: the directory is gone or was unmounted.
  func lost(_ descriptor: Int32) {
    var next = watches.removeValue(forKey: descriptor)
    var nodes: [WatchNode] = []
    while let node = next {
      next = node.sharing
      node.sharing = nil
      node.descriptor = -1
      node.isFull = false
      nodes.append(node)
    }
    for node in nodes {
      resolve(node, deep: false)
      notify(below: node)
    }
  }

  /// Something at this directory's place changed: watch what is there now, and all below it. `deep`: also where the
  /// directory is the same as before, because events were lost.
  func resolve(_ node: WatchNode, deep: Bool) {
    let before = node.descriptor
    do throws(Failure) {
      try watch(node)
    } catch {
      unwatchable(node, error)
    }
    guard deep || node.descriptor != before || node.descriptor < 0 else { return }
    for child in Array(node.children.values) { resolve(child, deep: deep) }
    if node.isInTree, node.descriptor >= 0 { scan(node) }
    prune(node)
  }

  /// Resources that named it have lost their watch; for trees it is one directory of many.
  private func unwatchable(_ node: WatchNode, _ failure: Failure) {
    if !node.isFound { subscriptions(below: node) { $0.watchFailed(failure) } }
    if let parent = node.parent, parent.isInTree { becomeBlind(node, failure) }
  }

  /// Watches every directory below one that is watched with its tree. Symbolic links are not followed.
  func scan(_ node: WatchNode) {
    for name in directories(in: node) {
      let known = node.children[name]
      let child = known ?? node.child(name)
      if known == nil { child.isFound = true }
      do throws(Failure) {
        try watch(child)
      } catch {
        unwatchable(child, error)
      }
      if child.descriptor >= 0 { scan(child) } else { prune(child) }
    }
  }

  /// Closed before the next level is looked at: a tree may be deeper than descriptors can be open.
  private func directories(in node: WatchNode) -> [WatchNode.Name] {
    let path = node.path
    let follow = node.isFound ? O_NOFOLLOW : 0
    let directory = path.withUnsafeBufferPointer { buffer -> OpaquePointer? in
      guard let start = buffer.baseAddress else { return nil }
      let fd = open(start, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | follow)
      guard fd >= 0 else { return nil }
      guard let directory = fdopendir(fd) else {
        Glibc.close(fd)
        return nil
      }
      return directory
    }
    guard let directory else {
      // Gone again: its parent tells.
      if ![ENOENT, ENOTDIR, ELOOP].contains(errno) { becomeBlind(node, WatchLimit.failure(errno, path: text(path))) }
      return []
    }
    defer { closedir(directory) }
    var names: [WatchNode.Name] = []
    while let entry = readdir(directory) {
      let kind = Int(entry.pointee.d_type)
      guard kind == Int(DT_DIR) || kind == Int(DT_UNKNOWN) else { continue }
      let name = entryName(entry)
      if name.isEmpty || name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { continue }
      names.append(name)
    }
    return names
  }

  private func text(_ path: ContiguousArray<CChar>) -> String {
    String(decoding: path.dropLast().lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func entryName(_ entry: UnsafeMutablePointer<dirent>) -> WatchNode.Name {
    guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
    let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: UInt8.self)
    var name = WatchNode.Name()
    var length = 0
    while start[length] != 0 {
      name.append(start[length])
      length += 1
    }
    return name
  }

  /// Drops nodes nobody needs any more, upwards.
  func prune(_ node: WatchNode) {
    var node = node
    while let parent = node.parent {
      if node.hasSubscriptions || !node.children.isEmpty || remainsInTree(node) { return narrow(node) }
      unbind(node)
      sees(node)
      parent.children[node.name] = nil
      node = parent
    }
    narrow(node)
  }

  /// A directory nobody names any more may still be part of a tree that is watched.
  private func remainsInTree(_ node: WatchNode) -> Bool {
    guard node.isInTree else { return false }
    if isBlind(node) { return true }
    guard node.descriptor >= 0 else { return false }
    if !node.isFound {
      node.isFound = true
      do throws(Failure) {
        try watch(node)  // no longer through a symbolic link
      } catch {
        return false
      }
    }
    return node.descriptor >= 0
  }

  /// Drops the directories that are only watched because they are in a tree that no longer is.
  func dropFound(below node: WatchNode) {
    for child in Array(node.children.values) where child.tree < 0 {
      if !child.children.isEmpty { dropFound(below: child) }
      if child.isFound && !child.hasSubscriptions && child.children.isEmpty {
        unbind(child)
        sees(child)
        node.children[child.name] = nil
      } else {
        narrow(child)
      }
    }
  }

  /// A directory that is only an ancestor from now on need not wake the agent at every write in it.
  private func narrow(_ node: WatchNode) {
    guard node.isFull, !node.hasSubscriptions, !node.isInTree, node.sharing == nil, watches[node.descriptor] === node else {
      return
    }
    let descriptor = node.path.withUnsafeBufferPointer { path in
      path.baseAddress.map { inotify_add_watch(fd, $0, UInt32(ancestorMask) | UInt32(IN_ONLYDIR)) } ?? -1
    }
    // Another directory took its place in this moment: its parent's event puts that right.
    if descriptor >= 0 && descriptor != node.descriptor && watches[descriptor] == nil { inotify_rm_watch(fd, descriptor) }
    node.isFull = false
  }
}
