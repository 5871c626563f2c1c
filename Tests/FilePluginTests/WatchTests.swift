// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Testing

@testable import PluginTesting

extension FileTests {
  @Test func changesOfAFileAreEvents() throws {
    let file = try kind.make(folder("f"), ["content": .string("x")])
    let other = try kind.make(folder("g"), ["content": .string("x")])
    try file.watch()
    try other.watch()
    #expect(file.record.ready == 1)
    try file.check()
    #expect(file.events() == 0, "what it did itself is no event")
    #expect(other.events() == 0)
    for change in [{ folder.write("f", "y") }, { chmod(folder("f"), 0o600) }, { unlink(folder("f")) }] as [() -> Void] {
      change()
      #expect(file.events() > 0)
    }
    folder.write("unrelated", "y")
    folder.write(".mgmt-f.new", "y")
    #expect(file.events() == 0)
    #expect(other.events() == 0)
    rename(folder(".mgmt-f.new"), folder("f"))
    #expect(file.events() > 0, "somebody else's rename is one, whatever the name it comes from")
    file.unwatch()
    folder.write("f", "z")
    folder.write("g", "z")
    #expect(file.events() == 0)
    #expect(other.events() > 0)
  }

  @Test func manyFilesNeedTwoFDs() throws {
    let files = try (0..<100).map { try kind.make(folder("f\($0)"), ["content": .string("x")]) }
    for file in files { try file.watch() }
    #expect(kind.host.fds.count == 2, "one for all watches, one for mounts")
    for (index, file) in files.enumerated() where index % 2 == 0 { file.unwatch() }
    folder.write("f50", "y")
    folder.write("f51", "y")
    #expect(files[50].events() == 0)
    #expect(files[51].events() > 0)
  }

  @Test func missingParentsAreNoticed() throws {
    let file = try kind.make(folder("a/b/f"), ["content": .string("x")])
    try file.watch()
    #expect(file.events() == 0)
    folder.make("a")
    #expect(file.events() > 0)
    folder.make("a/b")
    #expect(file.events() > 0)
    folder.write("a/b/f", "y")
    #expect(file.events() > 0)
    // All at once, before anything is read.
    Folder.remove(folder("a"))
    folder.make("a")
    folder.make("a/b")
    #expect(file.events() > 0)
    folder.write("a/b/f", "y")
    #expect(file.events() > 0)
  }

  @Test func parentsMovedAwayAndBack() throws {
    folder.make("a")
    folder.make("a/b")
    folder.make("a/b/c")
    let file = try kind.make(folder("a/b/c/f"), ["content": .string("x")])
    try file.watch()
    rename(folder("a/b"), folder("moved"))
    #expect(file.events() > 0)
    folder.write("moved/c/f", "not ours")
    #expect(file.events() == 0)
    folder.make("a/b")
    #expect(file.events() > 0)
    rmdir(folder("a/b"))
    #expect(file.events() > 0)
    rename(folder("moved"), folder("a/b"))
    #expect(file.events() > 0)
    folder.write("a/b/c/f", "y")
    #expect(file.events() > 0)
  }

  @Test func symlinkedParentsAreWatchedAtBothEnds() throws {
    folder.make("one")
    folder.make("two")
    folder.link("link", to: "one")
    let file = try kind.make(folder("link/f"), ["content": .string("x")])
    let direct = try kind.make(folder("one/f"), ["content": .string("x")])
    try file.watch()
    try direct.watch()
    folder.write("one/f", "y")
    #expect(file.events() > 0)
    #expect(direct.events() > 0)
    unlink(folder("link"))
    folder.link("link", to: "two")
    #expect(file.events() > 0)
    folder.write("two/f", "y")
    #expect(file.events() > 0)
    _ = direct.events()
    folder.write("one/f", "z")
    #expect(file.events() == 0)
    #expect(direct.events() > 0)
    direct.unwatch()
    folder.write("two/f", "z")
    #expect(file.events() > 0)
  }

  @Test func treesAreWatchedToTheirLeaves() throws {
    folder.make("d")
    folder.make("d/e")
    let tree = try kind.make(folder("d/"), ["state": .string("exists"), "recurse": .bool(true)])
    try tree.watch()
    folder.write("d/e/f", "x")
    #expect(tree.events() > 0)
    folder.make("d/e/new")
    #expect(tree.events() > 0)
    folder.make("d/e/new/deeper")
    #expect(tree.events() > 0)
    folder.write("d/e/new/deeper/f", "x")
    #expect(tree.events() > 0)
    rename(folder("d/e"), folder("out"))
    #expect(tree.events() > 0)
    folder.write("out/f", "y")
    #expect(tree.events() == 0)
    rename(folder("out"), folder("d/back"))
    #expect(tree.events() > 0)
    folder.write("d/back/new/deeper/f", "y")
    #expect(tree.events() > 0)
    tree.unwatch()
    folder.write("d/back/f", "z")
    #expect(tree.events() == 0)
  }

  @Test func aFileInATreeKeepsItsOwnWatch() throws {
    folder.make("d")
    folder.make("d/e")
    let tree = try kind.make(folder("d/"), ["state": .string("exists"), "recurse": .bool(true)])
    let file = try kind.make(folder("d/e/f"), ["content": .string("x")])
    try tree.watch()
    try file.watch()
    tree.unwatch()
    folder.write("d/e/f", "x")
    #expect(file.events() > 0)
    try tree.watch()
    file.unwatch()
    folder.write("d/e/f", "y")
    #expect(tree.events() > 0)
    #expect(file.events() == 0)
    Folder.remove(folder("d"))
    #expect(tree.events() > 0)
    folder.make("d")
    folder.make("d/x")
    #expect(tree.events() > 0)
    folder.write("d/x/y", "")
    #expect(tree.events() > 0)
  }

  @Test func sourcesAndFragmentsAreWatched() throws {
    folder.make("parts")
    folder.write("s", "x")
    let copy = try kind.make(folder("copy"), ["source": .string(folder("s"))])
    let joined = try kind.make(folder("joined"), ["fragments": .strings([folder("parts/"), folder("s")])])
    try copy.watch()
    try joined.watch()
    folder.write("s", "y")
    #expect(copy.events() > 0)
    #expect(joined.events() > 0)
    folder.write("parts/1", "y")
    #expect(copy.events() == 0)
    #expect(joined.events() > 0)
  }

  @Test func overflowChecksEverythingAgain() throws {
    guard getuid() == 0, let limit = setting(), limit < 100_000 else { return }
    folder.make("d")
    let file = try kind.make(folder("d/f"), ["content": .string("x")])
    let tree = try kind.make(folder("d/"), ["state": .string("exists"), "recurse": .bool(true)])
    try file.watch()
    try tree.watch()
    kind.host.log = []
    for _ in 0...limit / 2 {
      folder.write("d/1", "")
      folder.write("d/2", "")
    }
    folder.make("d/unseen")
    #expect(file.events() > 0)
    #expect(kind.host.log.count == 1)
    #expect(tree.events() > 0)
    folder.write("d/unseen/f", "")
    #expect(tree.events() > 0)
    folder.write("d/f", "")
    #expect(file.events() > 0)
  }

  private func setting() -> Int? {
    let fd = open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY)
    defer { close(fd) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = read(fd, &bytes, 31)
    return Int(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first ?? "")
  }
}
