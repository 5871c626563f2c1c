// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Testing

@testable import FilePlugin
@testable import PluginTesting

/// What killed agents leave behind.
extension FileTests {
  private static let name = ".mgmt-0123456789abcdef.new"
  private var journal: String? { folder.read("state/directories") }

  /// A run that has a place for its journal and is never closed: killed.
  private func killedRun(_ body: (KindUnderTest) throws -> Void) throws {
    let killed = newRun()
    try body(killed)
    _ = Unmanaged.passRetained(killed)
  }

  private func newRun() -> KindUnderTest {
    folder.make("state", mode: 0o700)
    FakeHost.shared.directory = folder("state/")
    defer { FakeHost.shared.directory = "" }
    return KindUnderTest()
  }

  /// A run that ends as it should.
  private func run(_ body: (KindUnderTest) throws -> Void) rethrows { try body(newRun()) }
  private func run() { run { _ in } }

  @Test("each directory is noted once; a clean end leaves nothing to look for")
  func noted() throws {
    folder.make("d")
    try run { run in
      for name in ["a", "b", "d/a", "d/b"] { try run.make(folder(name), ["content": .string("x")]).check() }
      #expect(journal == "\(folder.path)\0\(folder.path)/d\0")
      try run.make(folder("d/c"), ["content": .string("x")]).check()
      #expect(journal == "\(folder.path)\0\(folder.path)/d\0")
    }
    #expect(folder.names("state") == [])
  }

  @Test("left-overs are removed at the next start, whatever is in the graph then; nothing else is")
  func swept() throws {
    folder.make("d")
    try killedRun { try $0.make(folder("d/f"), ["content": .string("x")]).check() }
    folder.write("d/\(Self.name)", "secret")
    folder.write("d/.mgmt-f.new", "mine")
    folder.make("d/.mgmt-0000000000000000.new")
    folder.link("d/.mgmt-1111111111111111.new", to: "f")
    folder.write("\(Self.name)", "in a directory that was not written to")
    run()
    #expect(
      folder.names("d") == [".mgmt-0000000000000000.new", ".mgmt-1111111111111111.new", ".mgmt-f.new", "f"])
    #expect(folder.read(Self.name) != nil)
    #expect(journal == "\(folder.path)/d\0", "the link is too young to be told from one on its way")
  }

  @Test("another agent's file on its way is left alone, and so is another user's")
  func inUse() throws {
    folder.make("d")
    try killedRun { try $0.make(folder("d/f"), ["content": .string("x")]).check() }
    folder.write("d/\(Self.name)", "half")
    let fd = open(folder("d/\(Self.name)"), O_WRONLY | O_CLOEXEC)
    flock(fd, LOCK_SH)
    run()
    #expect(folder.names("d") == [Self.name, "f"])
    #expect(journal == "\(folder.path)/d\0", "it is to be looked at again")
    close(fd)
    run()
    #expect(folder.names("d") == ["f"])
    #expect(folder.names("state") == [])
    guard getuid() == 0 else { return }
    try killedRun { try $0.make(folder("d/f"), ["content": .string("y")]).check() }
    folder.write("d/\(Self.name)", "a user's")
    chown(folder("d/\(Self.name)"), 65534, 65534)
    run()
    #expect(folder.names("d") == [Self.name, "f"])
  }

  @Test(
    "a journal is believed when it is whole and of this user; links lead nowhere",
    arguments: ["relative", "link", "parent", "mode", "type", "large", "unended"])
  func hostile(_ what: String) throws {
    folder.make("d")
    folder.make("state", mode: 0o700)
    folder.write("d/\(Self.name)", "precious")
    folder.link("l", to: "d")
    let good = "\(folder.path)/d\0"
    let depth = String(repeating: "../", count: 20)
    switch what {
    case "relative": folder.write("state/directories", String("\(depth)\(good)".dropLast()) + "\0", mode: 0o600)
    case "link": folder.write("state/directories", "\(folder.path)/l\0", mode: 0o600)
    case "parent": folder.write("state/directories", "\(folder.path)/d/../d\0", mode: 0o600)
    case "mode": folder.write("state/directories", good, mode: 0o622)
    case "type": folder.link("state/directories", to: folder("elsewhere"))
    case "large": folder.write("state/directories", String(repeating: "/\0", count: 3 << 20) + good, mode: 0o600)
    default: folder.write("state/directories", String(good.dropLast()), mode: 0o600)
    }
    if what == "type" { folder.write("elsewhere", good) }
    run()
    #expect(folder.names("d") == [Self.name])
  }
}
