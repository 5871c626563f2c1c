// SPDX-License-Identifier: Apache-2.0

/// One directory on the way to, or below, a watched path. It need not exist.
final class WatchNode {
  typealias Name = ContiguousArray<UInt8>

  let name: Name
  unowned let parent: WatchNode?
  var children: [Name: WatchNode] = [:]
  /// The first subscription for each name in this directory, by the name's hash: 12 bytes for each of 10,000 files. Two
  /// names with one hash mean an event too many, never one too few.
  var named: [UInt64: Int32] = [:]
  /// The first subscription for all entries, and for the whole tree. -1: none.
  var entries: Int32 = -1
  var tree: Int32 = -1
  /// -1: there is no such directory, or it cannot be watched.
  var descriptor: Int32 = -1
  /// The next node with the same descriptor.
  var sharing: WatchNode?
  /// Watched, or missing, so that the ancestors tell when to try again.
  var isSettled = false
  /// Watched for its entries, not only as an ancestor.
  var isFull = false
  /// Met while scanning a tree: not named by anybody, so no symbolic link is followed to it.
  var isFound = false
  /// Watched through a symbolic link.
  var isLink = false

  init(name: Name, parent: WatchNode?) {
    self.name = name
    self.parent = parent
  }

  static func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(bytes: name)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  func child(_ name: some Collection<UInt8>) -> WatchNode {
    let key = Name(name)
    if let known = children[key] {
      known.isFound = false
      return known
    }
    let made = WatchNode(name: key, parent: self)
    children[key] = made
    return made
  }

  var hasSubscriptions: Bool { !named.isEmpty || entries >= 0 || tree >= 0 }

  /// Inside a directory that is watched with all that is below it.
  var isInTree: Bool {
    var node = self
    while node.tree < 0 {
      guard let parent = node.parent else { return false }
      node = parent
    }
    return true
  }

  /// The path with a NUL at the end.
  var path: ContiguousArray<CChar> {
    var names: [Name] = []
    var node = self
    while let parent = node.parent {
      names.append(node.name)
      node = parent
    }
    var path: ContiguousArray<CChar> = names.isEmpty ? [CChar(UInt8(ascii: "/"))] : []
    for name in names.reversed() {
      path.append(CChar(UInt8(ascii: "/")))
      path.append(contentsOf: name.lazy.map { CChar(bitPattern: $0) })
    }
    path.append(0)
    return path
  }
}

/// Where a subscription hangs: on one of the lists of a node.
struct WatchPlace {
  enum List {
    case named(UInt64)
    case entries
    case tree
  }
  var node: WatchNode
  var list: List
}

/// All subscriptions, in one array with free slots, chained into the lists of the nodes: no object for each.
struct WatchSubscriptions {
  private struct Slot {
    var handle: ResourceHandle?
    var place: WatchPlace?
    var next: Int32
  }

  private var slots: ContiguousArray<Slot> = []
  private var firstFree: Int32 = -1

  mutating func insert(_ handle: ResourceHandle, _ place: WatchPlace) -> Int32 {
    let slot = Slot(handle: handle, place: place, next: Self.first(place))
    let index: Int32
    if firstFree >= 0 {
      index = firstFree
      firstFree = slots[Int(index)].next
      slots[Int(index)] = slot
    } else {
      index = Int32(slots.count)
      slots.append(slot)
    }
    Self.setFirst(place, index)
    return index
  }

  /// Where it hung; nil: it was removed before.
  mutating func remove(_ index: Int32) -> WatchPlace? {
    guard slots.indices.contains(Int(index)), let place = slots[Int(index)].place else { return nil }
    let next = slots[Int(index)].next
    var position = Self.first(place)
    if position == index {
      Self.setFirst(place, next)
    } else {
      while position >= 0, slots[Int(position)].next != index { position = slots[Int(position)].next }
      if position >= 0 { slots[Int(position)].next = next }
    }
    slots[Int(index)] = Slot(handle: nil, place: nil, next: firstFree)
    firstFree = index
    return place
  }

  func visit(from first: Int32, _ body: (ResourceHandle) -> Void) {
    var position = first
    while position >= 0 {
      let slot = slots[Int(position)]
      if let handle = slot.handle { body(handle) }
      position = slot.next
    }
  }

  func visit(_ body: (ResourceHandle) -> Void) {
    for slot in slots { if let handle = slot.handle { body(handle) } }
  }

  private static func first(_ place: WatchPlace) -> Int32 {
    switch place.list {
    case .named(let hash): place.node.named[hash] ?? -1
    case .entries: place.node.entries
    case .tree: place.node.tree
    }
  }

  private static func setFirst(_ place: WatchPlace, _ index: Int32) {
    switch place.list {
    case .named(let hash): place.node.named[hash] = index < 0 ? nil : index
    case .entries: place.node.entries = index
    case .tree: place.node.tree = index
    }
  }
}
