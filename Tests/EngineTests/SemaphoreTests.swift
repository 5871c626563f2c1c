// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@testable import Engine

/// §7 of the specification.
@Suite struct SemaphoreTests {
  @Test(
    "§7 Id syntax: N after the last colon if it is an integer above 0, else 1",
    arguments: [
      ("name", 1), ("name:3", 3), (":4", 4), ("a:b:5", 5), ("name:", 1), ("name:0", 1), ("name:-2", 1), ("name:x", 1),
      ("name:99999999999999999999", 1), ("5:x", 1), (":", 1),
    ])
  func size(id: String, size: Int) { #expect(Semaphores.size(of: id) == size) }

  @Test("§7 Id syntax: foo and foo:1 are two semaphores")
  func distinct() {
    var semaphores = Semaphores()
    let taken = ["foo", "foo:1", "foo"].enumerated().map { semaphores.take($1, for: $0) }
    #expect(taken == [true, true, false])
  }

  @Test("§7 Scope: one for the engine, also across graph switches")
  func scope() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a") { $0.semaphores = ["s"] }])
    try bench.await("check a")
    bench.apply([thing("a") { $0.semaphores = ["s"] }, thing("b") { $0.semaphores = ["s"] }])
    #expect(try bench.turn { bench.status("b")?.waiting == .semaphore("s") })
    #expect(bench.take("check") == ["check a"])
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.take("check") == ["check b"])
  }

  @Test("§7 Scope: what leaves gives back what it held and waited for")
  func givenBack() throws {
    let bench = try Bench()
    bench.factory.script("a") { $0.ends = [.held] }
    bench.apply([thing("a") { $0.semaphores = ["s"] }, thing("b") { $0.semaphores = ["s"] }])
    #expect(try bench.turn { bench.status("b")?.waiting == .semaphore("s") })
    bench.apply([thing("c") { $0.semaphores = ["s"] }])
    bench.factory.finish("a")
    try bench.settle()
    #expect(bench.take("check") == ["check a", "check c"])
  }

  @Test("§7 Locking: sorted by id, whatever the order in which they are written: no deadlock")
  func sorted() throws {
    let bench = try Bench()
    let ids = ["z", "a", "m:2"]
    bench.apply((0..<30).map { n in thing("t\(n)") { $0.semaphores = n % 2 == 0 ? ids : ids.reversed() } })
    try bench.settle()
    #expect(bench.take("check").count == 30)
  }

  @Test("§7 Locking: held from before what is received until the end of the check")
  func held() throws {
    let bench = try Bench()
    bench.factory.script("r") { $0.ends = [.held] }
    bench.factory.script("x") { $0.ends = [.held] }
    bench.apply(
      [thing("s", text: "sent"), thing("r") { $0.semaphores = ["one"] }, thing("x") { $0.semaphores = ["one"] }],
      [.send("s", "text", "r", "text")])
    #expect(try bench.turn { bench.status("r")?.waiting == .semaphore("one") })
    #expect(bench.take("update") == [])
    bench.factory.finish("x")
    try bench.await("check r")
    bench.factory.event("x")
    #expect(try bench.turn { bench.status("x")?.waiting == .semaphore("one") })
    bench.factory.finish("r")
    try bench.settle()
  }

  @Test("§7 Locking: N are held at a time")
  func bounded() throws {
    let bench = try Bench()
    for n in 0..<5 { bench.factory.script("t\(n)") { $0.ends = [.held] } }
    bench.apply((0..<5).map { n in thing("t\(n)") { $0.semaphores = ["s:2"] } })
    for left in [5, 4, 3, 2, 1] {
      #expect(try bench.turn { bench.factory.running.count == min(left, 2) })
      try bench.idle()
      #expect(bench.factory.running.count == min(left, 2))
      if let name = bench.factory.running.keys.sorted().first { bench.factory.finish(name) }
    }
    try bench.settle()
  }

  @Test("§7 Global: :N for all, beside their own")
  func global() throws {
    let bench = try Bench { $0.semaphoreSize = 1 }
    for name in ["a", "b"] { bench.factory.script(name) { $0.ends = [.held] } }
    bench.apply([thing("a") { $0.semaphores = ["own"] }, thing("b")])
    #expect(try bench.turn { bench.factory.running.count == 1 })
    try bench.idle()
    #expect(bench.factory.running.count == 1)
    #expect(bench.engine.scheduler.semaphoreIDs[bench.slot("a")] == [":1", "own"])
    for _ in 0..<2 {
      #expect(try bench.turn { bench.factory.running.count == 1 })
      for name in bench.factory.running.keys { bench.factory.finish(name) }
    }
    try bench.settle()
  }

  @Test("§7 Grouping: the leader holds those of all members, each once")
  func groups() throws {
    let bench = try Bench()
    try bench.start([
      thing("a", kind: "group") { $0.semaphores = ["x"] }, thing("b", kind: "group") { $0.semaphores = ["y", "x"] },
    ])
    #expect(bench.engine.scheduler.semaphoreIDs[bench.slot("a", kind: "group")] == ["x", "y"])
  }
}
