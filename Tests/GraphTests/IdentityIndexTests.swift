// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Graph

extension IdentityIndex {
  /// All vertices that bear an identity, in no particular order.
  func bearers(space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> [Int] {
    var vertices: [Int] = []
    forEachBearer(space, key) { vertices.append($0) }
    return vertices
  }

  /// Of all bearers but `vertex` the one that precedes all others; linear in the number of bearers.
  func first(
    space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, except vertex: Int, precedes: (Int, Int) -> Bool
  ) -> Int? {
    var best: Int?
    forEachBearer(space, key) { bearer in
      guard bearer != vertex else { return }
      if let known = best, !precedes(bearer, known) { return }
      best = bearer
    }
    return best
  }

  mutating func add(_ vertex: Int, _ space: String, _ key: String) {
    Array(space.utf8).withUnsafeBytes { space in
      Array(key.utf8).withUnsafeBytes { key in _ = add(vertex, space: space, key: key) }
    }
  }

  func bearers(_ space: String, _ key: String) -> [Int] {
    Array(space.utf8).withUnsafeBytes { space in
      Array(key.utf8).withUnsafeBytes { key in bearers(space: space, key: key).sorted() }
    }
  }

  func first(_ space: String, _ key: String, except vertex: Int, precedes: (Int, Int) -> Bool = (<)) -> Int? {
    Array(space.utf8).withUnsafeBytes { space in
      Array(key.utf8).withUnsafeBytes { key in first(space: space, key: key, except: vertex, precedes: precedes) }
    }
  }
}

@Suite("IdentityIndex")
struct IdentityIndexTests {
  @Test("finds nothing in nothing")
  func empty() {
    let index = IdentityIndex()
    #expect(index.bearers("path", "/").isEmpty)
    #expect(index.first("", "", except: 0) == nil)
  }

  @Test("keeps spaces apart, also where space and key together are the same bytes")
  func spaces() {
    var index = IdentityIndex()
    index.add(1, "path", "/etc/")
    index.add(2, "svc", "/etc/")
    index.add(3, "path/", "etc/")
    index.add(4, "", "path/etc/")
    #expect(index.bearers("path", "/etc/") == [1])
    #expect(index.bearers("svc", "/etc/") == [2])
    #expect(index.bearers("path/", "etc/") == [3])
    #expect(index.bearers("", "path/etc/") == [4])
    #expect(index.bearers("path/etc/", "").isEmpty)
  }

  @Test("takes an empty key and an empty space, and compares bytes, not characters")
  func bytes() {
    var index = IdentityIndex()
    index.add(1, "path", "")
    index.add(2, "", "")
    index.add(3, "user", "é")
    index.add(4, "user", "e\u{301}")
    index.add(5, "user", "a\u{0}b")
    #expect(index.bearers("path", "") == [1])
    #expect(index.bearers("", "") == [2])
    #expect(index.bearers("user", "é") == [3])
    #expect(index.bearers("user", "a\u{0}b") == [5])
    #expect(index.bearers("user", "a").isEmpty)
  }

  @Test("chains those that bear the same; the one that precedes wins, whatever the order they came in")
  func duplicates() {
    var index = IdentityIndex()
    for vertex in [5, 2, 9, 2, 7, 7] { index.add(vertex, "pkg", "sl") }
    #expect(Set(index.bearers("pkg", "sl")) == [2, 5, 7, 9])
    #expect(index.first("pkg", "sl", except: 1) == 2)
    #expect(index.first("pkg", "sl", except: 2) == 5)
    #expect(index.first("pkg", "sl", except: 9, precedes: >) == 7)
    index.add(4, "pkg", "alone")
    #expect(index.first("pkg", "alone", except: 4) == nil)
  }

  @Test("100,000 identities, found again, and none of those that are not there")
  func many() {
    var index = IdentityIndex()
    for vertex in 0..<100_000 { index.add(vertex, "path", "/srv/dir\(vertex)/") }
    for vertex in 0..<100_000 where index.bearers("path", "/srv/dir\(vertex)/") != [vertex] {
      Issue.record("/srv/dir\(vertex)/ is lost")
    }
    #expect((100_000..<110_000).allSatisfy { index.bearers("path", "/srv/dir\($0)/").isEmpty })
  }
}
