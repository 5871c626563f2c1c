// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@Suite("AutomaticEdges")
struct AutomaticEdgesTests {
  private struct Wish {
    var space = "path"
    var key: String
    var isAfterMe = false
    var notify = false
    var reach = AutomaticEdges.Reach.itself
    var group: UInt32 = 0
  }

  private struct Found: Equatable {
    var from: Int
    var to: Int
    var notify = false

    init(_ from: Int, _ to: Int, notify: Bool = false) {
      self.from = from
      self.to = to
      self.notify = notify
    }
  }

  /// `identities`: who bears what; `wishes`: in the order they are made.
  private func edges(
    _ identities: [(Int, String)], existing: [ResourceEdge] = [], precedes: @escaping (Int, Int) -> Bool = (<),
    _ wishes: [(vertex: Int, wishes: [Wish])]
  ) -> [Found] {
    var index = IdentityIndex()
    for (vertex, key) in identities { index.add(vertex, "path", key) }
    var automatic = AutomaticEdges(index: index, existing: existing, precedes: precedes)
    for (vertex, wishes) in wishes {
      automatic.begin(vertex)
      for wish in wishes {
        Array(wish.space.utf8).withUnsafeBytes { space in
          Array(wish.key.utf8).withUnsafeBytes { key in
            automatic.want(
              space: space, key: key, isAfterMe: wish.isAfterMe, notify: wish.notify, reach: wish.reach, group: wish.group)
          }
        }
      }
    }
    automatic.finish()
    #expect(automatic.edges.allSatisfy { $0.name.isEmpty && $0.transfers.isEmpty && $0.origin == nil })
    return automatic.edges.map { Found($0.from, $0.to, notify: $0.notify) }
  }

  @Test("row 1, sorted by string: of several bearers the first by name, whatever the order of the graph")
  func rowSorted() {
    let names = ["delta", "bravo", "charlie", "alpha", "wishes"]
    let byName: (Int, Int) -> Bool = { names[$0] < names[$1] }
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
      #expect(edges(order.map { ($0, "/x") }, precedes: byName, [(4, [Wish(key: "/x")])]) == [Found(3, 4)])
      #expect(edges(order.map { ($0, "/x") }, precedes: byName, [(3, [Wish(key: "/x")])]) == [Found(1, 3)])
    }
  }

  @Test("row 3, identities by their type: a key of another space is no hit")
  func rowBuckets() {
    #expect(edges([(0, "/x")], [(1, [Wish(space: "svc", key: "/x"), Wish(key: "/X"), Wish(key: "")])]) == [])
  }

  @Test("row 4, next and test: the nearest parent directory wins, and it ends the search")
  func rowLoopGroup() {
    let parents = ["/a/b/", "/a/", "/"].map { Wish(key: $0, group: 1) }
    #expect(edges([(0, "/"), (1, "/a/"), (2, "/a/b/")], [(3, parents)]) == [Found(2, 3)])
    #expect(edges([(0, "/"), (1, "/a/")], [(3, parents)]) == [Found(1, 3)])
    #expect(edges([(0, "/")], [(3, parents)]) == [Found(0, 3)])
    #expect(edges([(0, "/other/")], [(3, parents)]) == [])
  }

  @Test("row 4: all wishes of group 0 are granted")
  func rowLoopAll() {
    let wishes = ["/a", "/b", "/none", "/c"].map { Wish(key: $0) }
    #expect(edges([(0, "/a"), (1, "/b"), (2, "/c")], [(3, wishes)]) == [Found(0, 3), Found(1, 3), Found(2, 3)])
  }

  @Test("row 4: groups may interleave, and end for each vertex on its own")
  func rowLoopGroups() {
    let wishes = [
      Wish(key: "/none", group: 1), Wish(key: "/a", group: 2), Wish(key: "/b", group: 1), Wish(key: "/b", group: 2),
      Wish(key: "/a", group: 1), Wish(key: "/c"),
    ]
    let identities = [(0, "/a"), (1, "/b"), (2, "/c")]
    let found = [Found(0, 3), Found(1, 3), Found(2, 3)]
    #expect(edges(identities, [(3, wishes)]) == found)
    #expect(edges(identities, [(3, wishes), (4, wishes)]) == found + [Found(0, 4), Found(1, 4), Found(2, 4)])
  }

  @Test("row 4: no edge with itself; a wish only it could grant leaves its group open")
  func rowLoopItself() {
    let wishes = [Wish(key: "/a/", group: 1), Wish(key: "/", group: 1)]
    #expect(edges([(0, "/"), (1, "/a/")], [(1, wishes)]) == [Found(0, 1)])
    #expect(edges([(0, "/"), (1, "/a/"), (2, "/a/")], [(1, wishes)]) == [Found(2, 1)])
    #expect(edges([(1, "/a/"), (1, "/b"), (1, "/a/")], [(1, wishes)]) == [])
  }

  @Test("row 4, reversed or not: the bearer comes before or after")
  func rowLoopDirections() {
    let wishes = [Wish(key: "/a"), Wish(key: "/b", isAfterMe: true)]
    #expect(edges([(0, "/a"), (1, "/b")], [(2, wishes)]) == [Found(0, 2), Found(2, 1)])
  }

  @Test("against the original: all who are to come after do, and they end the search")
  func allAfter() {
    let identities = [(0, "/a"), (3, "/b"), (1, "/a"), (2, "/a")]
    let wishes = [
      Wish(key: "/none", isAfterMe: true, group: 1), Wish(key: "/a", isAfterMe: true, group: 1),
      Wish(key: "/b", isAfterMe: true, group: 1),
    ]
    #expect(Set(edges(identities, [(1, wishes)]).map(\.to)) == [0, 2])
    #expect(edges(identities, [(4, wishes)]).count == 3)
    #expect(edges(identities, [(3, [Wish(key: "/b", isAfterMe: true)])]) == [])
  }

  @Test("row 5, against the original: an edge that was written stays as it is")
  func rowExplicit() {
    let written = [ResourceEdge(from: 0, to: 1, name: "mine", notify: true), ResourceEdge(from: 0, to: 2)]
    let wishes = [Wish(key: "/a"), Wish(key: "/a", notify: true)]
    #expect(edges([(0, "/a")], existing: written, [(1, wishes), (2, wishes)]) == [])
    #expect(edges([(0, "/a")], existing: written, [(1, [Wish(key: "/a", isAfterMe: true)])]) == [Found(1, 0)])
  }

  @Test("row 5: no name, one edge for each ordered pair; it notifies if one wish says so")
  func rowNames() {
    let wishes = [Wish(key: "/a"), Wish(key: "/a2", notify: true), Wish(key: "/a")]
    #expect(edges([(0, "/a"), (0, "/a2")], [(1, wishes)]) == [Found(0, 1, notify: true)])
    #expect(
      edges([(0, "/a"), (1, "/b")], [(1, [Wish(key: "/a")]), (0, [Wish(key: "/b", isAfterMe: true)])]) == [Found(0, 1)])
  }

  @Test("row 6, no check for cycles: two that want each other get both edges")
  func rowCycle() {
    #expect(
      edges([(0, "/a"), (1, "/b")], [(0, [Wish(key: "/b")]), (1, [Wish(key: "/a")])]) == [Found(1, 0), Found(0, 1)])
  }

  @Test("wishes before anybody began are nobody's")
  func noVertex() {
    var index = IdentityIndex()
    index.add(0, "path", "/")
    var automatic = AutomaticEdges(index: index, existing: [], precedes: <)
    Array("path".utf8).withUnsafeBytes { space in
      Array("/".utf8).withUnsafeBytes { automatic.want(space: space, key: $0, isAfterMe: false, notify: false, group: 0) }
    }
    #expect(automatic.edges.isEmpty)
  }

  @Test("below: all whose keys begin with it, at any depth, but not the one that wants; entries: not deeper than one step")
  func below() {
    let identities = [
      (0, "/d/"), (1, "/d/a"), (2, "/d/s/"), (3, "/d/s/b"), (4, "/dd/a"), (5, "/d"), (6, "/d/w"), (7, "/d/s/t/"), (8, "/"),
    ]
    func found(_ wish: Wish) -> Set<Int> { Set(edges(identities, [(6, [wish])]).filter { $0.to == 6 }.map(\.from)) }
    #expect(found(Wish(key: "/d/", reach: .below)) == [0, 1, 2, 3, 7])
    #expect(found(Wish(key: "/d/", reach: .entries)) == [0, 1, 2])
    #expect(found(Wish(key: "/d/s/", reach: .entries)) == [2, 3, 7])
    #expect(found(Wish(key: "/", reach: .below)) == [0, 1, 2, 3, 4, 5, 7, 8])
    #expect(found(Wish(key: "/", reach: .entries)) == [0, 5, 8])
    // Not a directory's key, nothing there, another space.
    #expect(found(Wish(key: "/d", reach: .below)) == [])
    #expect(found(Wish(key: "/none/", reach: .below)) == [])
    #expect(found(Wish(space: "svc", key: "/d/", reach: .below)) == [])
  }

  @Test("below: both ways, each pair once, beside other wishes; several may want the same")
  func belowOthers() {
    let identities = [(0, "/d/a"), (0, "/d/b"), (1, "/d/c")]
    let wishes = [Wish(key: "/d/a"), Wish(key: "/d/", reach: .below), Wish(key: "/", notify: true, reach: .below)]
    #expect(edges(identities, [(2, wishes)]) == [Found(0, 2, notify: true), Found(1, 2, notify: true)])
    #expect(edges(identities, [(2, [Wish(key: "/d/", isAfterMe: true, reach: .below)])]) == [Found(2, 0), Found(2, 1)])
    #expect(edges(identities, [(2, [wishes[1]]), (3, [wishes[1]])]).count == 4)
    let written = [ResourceEdge(from: 0, to: 2, name: "mine")]
    #expect(edges(identities, existing: written, [(2, [wishes[1]])]) == [Found(1, 2)])
  }

  @Test("below: the edges are the same however the graph is written")
  func belowOrder() {
    let identities = (0..<50).map { ($0, "/d/\($0 % 7)/\($0)") }
    let wishes = (50..<60).map { (vertex: $0, wishes: [Wish(key: "/d/\($0 % 7)/", reach: .below)]) }
    func ends(_ found: [Found]) -> Set<[Int]> { Set(found.map { [$0.from, $0.to] }) }
    let found = edges(identities, wishes)
    #expect(ends(found).count == found.count && !found.isEmpty)
    #expect(ends(edges(identities.reversed(), wishes.reversed())) == ends(found))
  }

  @Test("many bearers of one identity and as many wishes for it")
  func manyBearers() {
    let count = 20_000
    let found = edges(
      (0..<count).reversed().map { ($0, "/same") }, (0..<count).map { ($0, [Wish(key: "/same")]) })
    #expect(found.count == count)
    #expect(found.first == Found(1, 0))
    #expect(found.dropFirst().allSatisfy { $0.from == 0 })
  }
}
