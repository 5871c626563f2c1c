// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Testing

@testable import PluginTesting

/// What other resources of the graph mean for a directory that is purged, and received values.
extension FileTests {
  private func directory(_ name: String = "d/") throws -> ResourceUnderTest {
    try kind.make(folder(name), ["state": .string("exists"), "recurse": .bool(true), "purge": .bool(true)])
  }

  @Test func aFileThatLeavesIsPurgedAtOnce() throws {
    let purged = try directory()
    try purged.check()
    try purged.watch()
    let file = try kind.make(folder("d/sub/f"), ["content": .string("x")])
    folder.make("d/sub")
    try file.check()
    _ = purged.events()
    #expect(try purged.check().status == MGMT_OK)
    file.destroy()
    #expect(purged.events() == 1)
    #expect(try purged.check().status == MGMT_CHANGED)
    #expect(folder.names("d") == [])
  }

  @Test func theNearestOwnerIsTold() throws {
    let outer = try directory()
    let inner = try directory("d/in/")
    try outer.check()
    try inner.check()
    try outer.watch()
    try inner.watch()
    let file = try kind.make(folder("d/in/f"))
    let twin = try kind.make(folder("d/in/f"), ["content": .string("x")])
    _ = (outer.events(), inner.events())
    file.destroy()
    #expect((outer.events(), inner.events()) == (0, 0))
    twin.destroy()
    #expect((outer.events(), inner.events()) == (0, 1))
    inner.unwatch()
    try kind.make(folder("d/in/f")).destroy()
    #expect((outer.events(), inner.events()) == (1, 0))
    outer.unwatch()
    try kind.make(folder("d/in/f")).destroy()
    #expect((outer.record.events, inner.record.events) == (0, 0))
  }

  @Test func directoriesThatAreNotPurgedAreNotTold() throws {
    let plain = try kind.make(folder("d/"), ["state": .string("exists")])
    try plain.check()
    try plain.watch()
    _ = plain.events()
    try kind.make(folder("d/f")).destroy()
    #expect(plain.events() == 0)
  }

  @Test func receivedContentIsTakenInPlace() throws {
    let purged = try directory()
    try purged.check()
    try purged.watch()
    let file = try kind.make(folder("d/f"), ["content": .string("a")])
    try file.watch()
    try file.check()
    _ = purged.events()
    #expect(try file.update(["content": .string("b"), "mode": .string("0600")], changed: ["content", "mode"]) == MGMT_OK)
    #expect(purged.record.events == 0)
    #expect(try file.check().status == MGMT_CHANGED)
    #expect(folder.read("d/f") == "b")
    #expect(folder.mode("d/f") == 0o600)
    #expect(try purged.check().status == MGMT_OK)
    #expect(try file.update(["path": .string(folder("other"))], changed: ["path"]) == MGMT_RECREATE)
    #expect(throws: TestFailure.self) { try file.update(["mode": .string("9")], changed: ["mode"]) }
    file.destroy()
    #expect(purged.events() > 0)
  }

  @Test func aDirectoryTakesReceivedPurgeInPlace() throws {
    let plain: [String: TestValue] = ["state": .string("exists"), "recurse": .bool(true)]
    let directory = try kind.make(folder("d/"), plain)
    try directory.check()
    try directory.watch()
    #expect(try directory.update(plain.merging(["purge": .bool(true)]) { $1 }, changed: ["purge"]) == MGMT_OK)
    _ = directory.events()
    try kind.make(folder("d/f")).destroy()
    #expect(directory.events() == 1)
  }
}
