// SPDX-License-Identifier: Apache-2.0

/// Finds the edges that nobody wrote: from what resources are (`IdentityIndex`) and what they want to come after or before.
///
/// The semantics are those of the original's automatic edges: for each wish the first bearer, not the resource itself, in the
/// order of printed names, and the search of a group ends with its first hit (its steps "loop" and "test"); cycles are for
/// whoever puts the graph in order to find (its step 6). The deviations: the original overwrites an edge between the
/// same two resources with one that does not notify (its step 5); here an edge that was written is never touched. And of
/// those who are to come after, all do: a package with a template has to be there before each instance. A wish for what lies below a
/// directory is also granted by all: a file is joined of every fragment.
///
/// Linear in the number of wishes and of edges.
public struct AutomaticEdges {
  private struct Ends: Hashable {
    var from: Int
    var to: Int
  }

  /// Whom a wish is for.
  public enum Reach: Sendable {
    /// Who bears just this identity.
    case itself
    /// Who bears one that begins with it: it ends in "/".
    case below
    /// The same without those that have a further "/" in between.
    case entries
  }

  private struct WishBelow {
    var vertex: Int
    var isAfterMe: Bool
    var notify: Bool
    var reach: Reach
  }

  /// Those found, in the order they were found. Their names are empty, as a hundred thousand names cost memory.
  public private(set) var edges: [ResourceEdge] = []

  private let index: IdentityIndex
  /// Position in `edges`; -1: it was there before.
  private var known: [Ends: Int]
  private var vertex: Int?
  /// Counts calls of `begin`.
  private var turn = 0
  /// In which turn a group had its hit last. Stamps instead of a set, so that nothing is cleared for each vertex.
  private var hits: [UInt32: Int] = [:]
  /// Wishes for what lies below, and who bears what is wished for: a position in them.
  private var wishesBelow: [WishBelow] = []
  private var wishedPrefixes = IdentityIndex()

  /// `precedes` is a strict order of vertices and decides between several bearers of one identity.
  public init(index: IdentityIndex, existing: [ResourceEdge], precedes: @escaping (Int, Int) -> Bool) {
    var index = index
    index.arrange(by: precedes)
    self.index = index
    known = Dictionary(minimumCapacity: existing.count)
    for edge in existing { known[Ends(from: edge.from, to: edge.to)] = -1 }
  }

  /// What follows are the wishes of `vertex`.
  public mutating func begin(_ vertex: Int) {
    self.vertex = vertex
    turn += 1
  }

  /// An edge from the first vertex that bears this identity and is not the one of the last `begin`; if `isAfterMe`, edges to all of
  /// them. Of all wishes of one vertex with the same `group` other than 0 the first hit makes the others void. Wishes with another
  /// `reach` than `itself` are granted by `finish`, whatever their group.
  public mutating func want(
    space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, isAfterMe: Bool, notify: Bool, reach: Reach = .itself,
    group: UInt32
  ) {
    guard let vertex else { return }
    if reach != .itself {
      wishedPrefixes.add(wishesBelow.count, space: space, key: key)
      wishesBelow.append(WishBelow(vertex: vertex, isAfterMe: isAfterMe, notify: notify, reach: reach))
      return
    }
    guard group == 0 || hits[group] != turn else { return }
    if isAfterMe {
      // `add` does not touch the index.
      let index = index
      index.forEach(space: space, key: key, except: vertex) {
        if group != 0 { hits[group] = turn }
        add(Ends(from: vertex, to: $0), notify: notify)
      }
    } else if let bearer = index.arrangedFirst(space: space, key: key, except: vertex) {
      if group != 0 { hits[group] = turn }
      add(Ends(from: bearer, to: vertex), notify: notify)
    }
  }

  /// After the last wish: one look at all identities, if there are wishes for what lies below something.
  public mutating func finish() {
    guard !wishesBelow.isEmpty else { return }
    let (index, wishes, prefixes) = (index, wishesBelow, wishedPrefixes)
    index.forEachBelow(prefixes) { position, bearer, isEntry in
      let wish = wishes[position]
      guard bearer != wish.vertex, isEntry || wish.reach == .below else { return }
      add(wish.isAfterMe ? Ends(from: wish.vertex, to: bearer) : Ends(from: bearer, to: wish.vertex), notify: wish.notify)
    }
  }

  private mutating func add(_ ends: Ends, notify: Bool) {
    if let position = known[ends] {
      if notify, position >= 0 { edges[position].notify = true }
      return
    }
    known[ends] = edges.count
    edges.append(ResourceEdge(from: ends.from, to: ends.to, notify: notify))
  }
}
