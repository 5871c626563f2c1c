// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Which vertices bear which identity: a space and a key, such as "path" and "/etc/". Both are compared byte by byte.
/// A hash table over one arena of bytes: adding and finding take the same time however many there are, and no string is made.
public struct IdentityIndex {
  private struct Identity {
    var hash: Int
    /// Where its bytes begin in `arena`: the space, then the key.
    var start: Int
    var spaceCount: Int
    var keyCount: Int
    /// Position in `links` of the bearer added last, or after `arrange` of the first one.
    var first: Int32
  }

  private struct Link {
    var vertex: Int
    /// Position in `links`; -1: there is no other bearer.
    var next: Int32
  }

  private var arena: [UInt8] = []
  private var identities: [Identity] = []
  private var links: [Link] = []
  /// A power of two many, at most half of them taken: position in `identities`, or -1.
  private var slots = [Int32](repeating: -1, count: 16)

  public init() {}

  /// Adding the same twice in a row does nothing. Returns who else bore it last.
  @discardableResult
  public mutating func add(_ vertex: Int, space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> Int? {
    let hash = Self.hash(space, key)
    let slot = slot(of: hash, space, key)
    let link = Int32(links.count)
    if slots[slot] >= 0 {
      let identity = Int(slots[slot])
      let first = identities[identity].first
      let bearer = links[Int(first)].vertex
      guard bearer != vertex else { return nil }
      links.append(Link(vertex: vertex, next: first))
      identities[identity].first = link
      return bearer
    }
    slots[slot] = Int32(identities.count)
    links.append(Link(vertex: vertex, next: -1))
    identities.append(
      Identity(hash: hash, start: arena.count, spaceCount: space.count, keyCount: key.count, first: link))
    arena.append(contentsOf: space)
    arena.append(contentsOf: key)
    if identities.count * 2 > slots.count { grow() }
    return nil
  }

  /// Puts the first two bearers of each identity in front, so that `arrangedFirst` need not look at more: many wishes for an
  /// identity that many bear stay linear. To be called after the last `add`.
  mutating func arrange(by precedes: (Int, Int) -> Bool) {
    for identity in identities where links[Int(identity.first)].next >= 0 {
      let front = Int(identity.first)
      swapBearers(front, best(from: front, except: nil, precedes))
      let second = Int(links[front].next)
      swapBearers(second, best(from: second, except: links[front].vertex, precedes))
    }
  }

  /// `first`, in constant time, once the bearers are arranged.
  func arrangedFirst(space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, except vertex: Int) -> Int? {
    let slot = slot(of: Self.hash(space, key), space, key)
    guard slots[slot] >= 0 else { return nil }
    let front = links[Int(identities[Int(slots[slot])].first)]
    if front.vertex != vertex { return front.vertex }
    guard front.next >= 0, links[Int(front.next)].vertex != vertex else { return nil }
    return links[Int(front.next)].vertex
  }

  /// All bearers but `vertex`; once they are arranged the first two come first.
  func forEach(
    space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, except vertex: Int, _ body: (Int) -> Void
  ) {
    let slot = slot(of: Self.hash(space, key), space, key)
    guard slots[slot] >= 0 else { return }
    var link = identities[Int(slots[slot])].first
    while link >= 0 {
      let bearer = links[Int(link)]
      if bearer.vertex != vertex { body(bearer.vertex) }
      link = bearer.next
    }
  }

  /// For each identity here whose key begins with one of `prefixes`, which end in "/": who bears the prefix, who the identity, and
  /// whether it is an entry of the prefix's directory, or that itself, and does not lie deeper.
  func forEachBelow(_ prefixes: IdentityIndex, _ body: (_ prefix: Int, _ bearer: Int, _ isEntry: Bool) -> Void) {
    let lengths = Set(prefixes.identities.map(\.keyCount))
    let longest = lengths.max() ?? 0
    arena.withUnsafeBytes { arena in
      for identity in identities {
        let start = identity.start + identity.spaceCount
        let space = UnsafeRawBufferPointer(rebasing: arena[identity.start..<start])
        let key = UnsafeRawBufferPointer(rebasing: arena[start..<start + identity.keyCount])
        for end in 0..<min(longest, key.count) where key[end] == UInt8(ascii: "/") && lengths.contains(end + 1) {
          prefixes.forEachBearer(space, UnsafeRawBufferPointer(rebasing: key[...end])) { prefix in
            let isEntry = !key[(end + 1)...].dropLast().contains(UInt8(ascii: "/"))
            forEachBearer(of: identity) { body(prefix, $0, isEntry) }
          }
        }
      }
    }
  }

  /// The link from `start` on whose vertex precedes all others but `vertex`; `start` itself if there are no others.
  private func best(from start: Int, except vertex: Int?, _ precedes: (Int, Int) -> Bool) -> Int {
    var best: Int?
    var link = Int32(start)
    while link >= 0 {
      let candidate = links[Int(link)].vertex
      if candidate != vertex, best.map({ precedes(candidate, links[$0].vertex) }) ?? true { best = Int(link) }
      link = links[Int(link)].next
    }
    return best ?? start
  }

  private mutating func swapBearers(_ one: Int, _ other: Int) {
    let vertex = links[one].vertex
    links[one].vertex = links[other].vertex
    links[other].vertex = vertex
  }

  func forEachBearer(_ space: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer, _ body: (Int) -> Void) {
    let slot = slot(of: Self.hash(space, key), space, key)
    if slots[slot] >= 0 { forEachBearer(of: identities[Int(slots[slot])], body) }
  }

  private func forEachBearer(of identity: Identity, _ body: (Int) -> Void) {
    var link = identity.first
    while link >= 0 {
      body(links[Int(link)].vertex)
      link = links[Int(link)].next
    }
  }

  /// Seeded for each process, so that nobody can write a graph whose keys all collide. No result depends on it.
  private static func hash(_ space: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(space.count)
    hasher.combine(bytes: space)
    hasher.combine(bytes: key)
    return hasher.finalize()
  }

  /// Where an identity is, or the free slot where it belongs.
  private func slot(of hash: Int, _ space: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer) -> Int {
    let mask = slots.count - 1
    var slot = hash & mask
    while slots[slot] >= 0 {
      let identity = identities[Int(slots[slot])]
      if identity.hash == hash, identity.spaceCount == space.count, identity.keyCount == key.count,
        isEqual(space, at: identity.start), isEqual(key, at: identity.start + identity.spaceCount)
      {
        return slot
      }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private func isEqual(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Bool {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
    return arena.withUnsafeBytes { arena in
      guard let known = arena.baseAddress, start + bytes.count <= arena.count else { return false }
      return memcmp(known + start, base, bytes.count) == 0
    }
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for (position, identity) in identities.enumerated() {
      var slot = identity.hash & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(position)
    }
  }
}
