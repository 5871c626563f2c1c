// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Testing

@testable import PluginTesting

/// Directories in watched trees that cannot be watched themselves.
extension FileTests {
  @Test("a path that is too long, moved into a tree: named once, looked at by time, all else goes on")
  func tooLongToWatch() throws {
    folder.make("d")
    folder.make("d/e")
    let name = String(repeating: "n", count: 250)
    try makeDeep("outside", name, levels: 20)
    let tree = try kind.make(folder("d/"), ["state": .string("exists"), "recurse": .bool(true)])
    let file = try kind.make(folder("d/e/f"), ["content": .string("x")])
    defer { _ = try? kind.make(folder("d/"), ["state": .string("absent"), "recurse": .bool(true)]).check() }
    try tree.watch()
    try file.watch()
    kind.host.log = []
    rename(folder("outside"), folder("d/deep"))
    #expect(tree.events() > 0)
    #expect(tree.record.watchFailure == nil && file.record.watchFailure == nil)
    let log = kind.host.log
    #expect(log.count == 1, "\(log)")
    #expect(
      log.allSatisfy { $0.contains("cannot watch") && $0.contains(folder("d/deep/n")) && $0.contains("4095 bytes") }, "\(log)")
    for _ in 0..<3 {
      kind.host.fireTimers()
      #expect(tree.events() > 0, "it is not looked at")
      #expect(file.events() == 0, "it has nothing to do with it")
    }
    #expect(kind.host.log.count == 1, "named once")
    folder.write("d/e/f", "y")
    folder.write("d/deep/\(name)/f", "y")
    #expect(tree.events() > 0 && file.events() > 0)
    // It becomes short enough.
    rename(folder("d/deep/\(name)/\(name)/\(name)/\(name)"), folder("d/short"))
    _ = tree.events()
    kind.host.fireTimers()
    #expect(kind.host.log.last == "every directory is watched again")
    _ = tree.events()
    kind.host.fireTimers()
    #expect(tree.events() == 0)
  }

  @Test("a tree that cannot be watched whole from the start is watched as far as it goes")
  func tooLongFromTheStart() throws {
    folder.make("d")
    try makeDeep("d/deep", String(repeating: "n", count: 250), levels: 20)
    let tree = try kind.make(folder("d/"), ["state": .string("exists"), "recurse": .bool(true)])
    defer { _ = try? kind.make(folder("d/"), ["state": .string("absent"), "recurse": .bool(true)]).check() }
    try tree.watch()
    #expect(tree.record.ready == 1)
    folder.write("d/f", "y")
    #expect(tree.events() > 0)
    kind.host.fireTimers()
    #expect(tree.events() > 0)
    tree.unwatch()
    kind.host.fireTimers()
    #expect(tree.events() == 0)
  }

  private func makeDeep(_ top: String, _ name: String, levels: Int) throws {
    folder.make(top)
    var directory = open(folder(top), O_RDONLY | O_DIRECTORY)
    for _ in 0..<levels {
      mkdirat(directory, name, 0o755)
      let next = openat(directory, name, O_RDONLY | O_DIRECTORY)
      close(directory)
      directory = next
    }
    try #require(directory >= 0)
    close(directory)
  }
}
