// SPDX-License-Identifier: Apache-2.0

import Glibc

private let structural = UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

/// Reading the kernel's events and telling the resources.
extension PathWatcher {
  /// Reads what is there, but not for ever: the fd is level-triggered, so the rest is reported again and other resources get
  /// their turn.
  func drain() {
    for _ in 0..<2 {
      let count = read(fd, buffer.baseAddress, buffer.count)
      guard count > 0 else { return }  // EAGAIN, EINTR: the reactor calls again
      var offset = 0
      let header = MemoryLayout<inotify_event>.size
      while offset + header <= count {
        let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
        let start = offset + header
        let end = start + Int(event.len)
        guard end <= count else { return }
        var name = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
        if let nul = name.firstIndex(of: 0) { name = UnsafeRawBufferPointer(rebasing: name[..<nul]) }
        dispatch(event, name)
        offset = end
      }
      if count < buffer.count / 2 { return }
    }
  }

  private func dispatch(_ event: inotify_event, _ name: UnsafeRawBufferPointer) {
    let (descriptor, mask) = (event.wd, event.mask)
    if mask & UInt32(IN_Q_OVERFLOW) != 0 { return overflow() }
    guard let first = watches[descriptor] else { return }
    if mask & UInt32(IN_IGNORED) != 0 { return lost(descriptor) }
    var writer: ResourceHandle?
    if mask & UInt32(IN_MOVED_TO) != 0, !arrivals.isEmpty { writer = arrived(event, name) }
    if name.starts(with: ".mgmt-".utf8) {
      switch ownRenames.saw(event, name, isIn: { leads(first, to: $0) }) {
      case .foreign: break
      case .own: return
      case .leaving(let arrival):
        if arrivals.count >= 64 { arrivals.removeFirst() }
        return arrivals.append(arrival)
      }
    }
    guard first.sharing != nil else { return handle(first, mask, name, but: writer) }
    var nodes: [WatchNode] = []
    var next: WatchNode? = first
    while let node = next {
      nodes.append(node)
      next = node.sharing
    }
    for node in nodes { handle(node, mask, name, but: writer) }
  }

  /// The other half of a plugin's own rename: who made it. The same cookie at another name is somebody else's doing.
  private func arrived(_ event: inotify_event, _ name: UnsafeRawBufferPointer) -> ResourceHandle? {
    guard let index = arrivals.firstIndex(where: { $0.cookie == event.cookie }) else { return nil }
    let arrival = arrivals.remove(at: index)
    return arrival.descriptor == event.wd && arrival.target == WatchNode.hash(name) ? arrival.writer : nil
  }

  /// Whether one of the nodes of a watch has a path with this hash.
  private func leads(_ first: WatchNode, to directory: UInt64) -> Bool {
    var next: WatchNode? = first
    while let node = next {
      let isThere = node.path.dropLast().withUnsafeBytes { WatchNode.hash($0) == directory }
      if isThere { return true }
      next = node.sharing
    }
    return false
  }

  /// `writer`: who did it, and need not be told.
  private func handle(_ node: WatchNode, _ mask: UInt32, _ name: UnsafeRawBufferPointer, but writer: ResourceHandle?) {
    let event: (ResourceHandle) -> Void = { if $0 != writer { $0.event() } }
    if name.isEmpty {
      if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF) != 0 {
        resolve(node, deep: false)
        notify(below: node)
      } else {
        notify(at: node)
      }
      notifyTrees(node) { $0.event() }
      return
    }
    // New directories are watched before anybody is told: what happens in them after the check that follows is not missed.
    if !node.children.isEmpty, let child = node.children[WatchNode.Name(name)] {
      if mask & structural != 0 {
        resolve(child, deep: false)
        notify(below: child)
      } else if child.descriptor < 0 {
        if isBlind(child) { resolve(child, deep: false) }
        notify(below: child)
      }
    } else if mask & UInt32(IN_ISDIR) != 0, mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0, node.isInTree {
      let child = node.child(name)
      child.isFound = true
      resolve(child, deep: false)
    }
    if let slot = node.named[WatchNode.hash(name)] { tell(slot, event) }
    if node.entries >= 0 { tell(node.entries, event) }
    notifyTrees(node, event)
  }

  /// Events were lost: every watch is looked at again, and every resource.
  private func overflow() {
    host.log(
      .warning,
      "the kernel's queue of file events overflowed: checking every resource again; a larger queue: "
        + "sysctl fs.inotify.max_queued_events=\((WatchLimit.setting("max_queued_events") ?? 16384) * 4)")
    resolve(root, deep: true)
    let all = subscriptions
    all.visit { $0.event() }
  }

  /// The host may take a resource off the watch while it is told: that changes another copy of the list.
  func tell(_ first: Int32, _ body: (ResourceHandle) -> Void) {
    let current = subscriptions
    current.visit(from: first, body)
  }

  private func notify(at node: WatchNode) {
    for slot in node.named.values { tell(slot) { $0.event() } }
    tell(node.entries) { $0.event() }
  }

  func notify(below node: WatchNode) {
    subscriptions(below: node) { $0.event() }
  }

  func subscriptions(below node: WatchNode, _ body: (ResourceHandle) -> Void) {
    for slot in node.named.values { tell(slot, body) }
    tell(node.entries, body)
    tell(node.tree, body)
    for child in node.children.values { subscriptions(below: child, body) }
  }

  /// Everybody who watches a tree this node is in.
  func notifyTrees(_ node: WatchNode, _ body: (ResourceHandle) -> Void) {
    var next: WatchNode? = node
    while let node = next {
      if node.tree >= 0 { tell(node.tree, body) }
      next = node.parent
    }
  }
}
