// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Testing

@testable import PluginTesting

extension FileTests {
  @Test func sourceFile() throws {
    folder.write("s", "hello", mode: 0o754)
    let copy = try kind.make(folder("f"), ["source": .string(folder("s"))])
    let first = try copy.check(wantDiff: true)
    #expect(first.changes.last == Change(path: "content", was: nil, will: "hello"))
    #expect(folder.read("f") == "hello")
    #expect(folder.mode("f") == 0o754)
    #expect(try copy.check().status == MGMT_OK)
    folder.write("f", "hellx")
    #expect(try copy.check().status == MGMT_CHANGED)
    folder.write("f", "hello and more")
    #expect(try copy.check().status == MGMT_CHANGED)
    #expect(folder.read("f") == "hello")
    unlink(folder("s"))
    #expect(#expect(throws: TestFailure.self) { try copy.check() }?.field == "source")
    #expect(try copy.check(apply: false).status == MGMT_DIFFERS)
    mkfifo(folder("s"), 0o600)
    #expect(throws: TestFailure.self) { try copy.check() }
    let proc = try kind.make(folder("p"), ["source": .string("/proc/sys/kernel/ostype")])
    #expect(try proc.check().status == MGMT_CHANGED)
    #expect(folder.read("p") == "Linux\n")
    #expect(try proc.check().status == MGMT_OK)
  }

  @Test func largeSourceFile() throws {
    let text = String(repeating: "0123456789abcdef", count: 40_000)
    folder.write("s", text)
    let copy = try kind.make(folder("f"), ["source": .string(folder("s")), "mode": .string("0600")])
    #expect(try copy.check().status == MGMT_CHANGED)
    #expect(folder.read("f") == text)
    #expect(folder.mode("f") == 0o600)
    #expect(try copy.check().status == MGMT_OK)
  }

  @Test func fragments() throws {
    folder.make("parts")
    folder.make("parts/sub")
    folder.write("parts/20", "b")
    folder.write("parts/10", "a")
    folder.write("last", "c")
    let file = try kind.make(folder("f"), ["fragments": .strings([folder("parts/"), folder("last")])])
    #expect(try file.check().status == MGMT_CHANGED)
    #expect(folder.read("f") == "abc")
    #expect(try file.check().status == MGMT_OK)
    folder.write("parts/15", "x")
    #expect(try file.check(wantDiff: true).changes == [Change(path: "content", was: "abc", will: "axbc")])
    unlink(folder("parts/15"))
    folder.link("parts/30", to: "/etc/shadow")
    #expect(#expect(throws: TestFailure.self) { try file.check() }?.field == "fragments")
  }

  @Test func sourceDirectory() throws {
    folder.make("s")
    folder.make("s/sub", mode: 0o750)
    folder.write("s/sub/x", "x", mode: 0o640)
    folder.write("s/y", "y")
    folder.link("s/l", to: "y")
    folder.make("d")
    folder.make("d/extra")
    folder.write("d/extra/z", "")
    folder.make("d/kept")
    folder.write("d/kept/managed", "m")
    folder.write("d/kept/other", "")
    let managed = try kind.make(folder("d/kept/managed"), ["content": .string("m")])
    let copy = try kind.make(folder("d/"), ["source": .string(folder("s/")), "recurse": .bool(true)])
    let dry = try copy.check(apply: false)
    #expect(
      dry.changes.map(\.path) == [
        "/l#source", "/sub#state", "/sub/x#content", "/y#content", "/extra#state", "/kept/other#state",
      ])
    #expect(folder.names("d") == ["extra", "kept"])
    #expect(try copy.check().changes == dry.changes)
    #expect(folder.names("d") == ["kept", "l", "sub", "y"])
    #expect(folder.names("d/kept") == ["managed"])
    #expect(folder.mode("d/sub") == 0o750)
    #expect(folder.mode("d/sub/x") == 0o640)
    #expect(readlink(folder("d/l")) == "y")
    #expect(try copy.check().status == MGMT_OK)
    #expect(try managed.check().status == MGMT_OK)
    unlink(folder("d/y"))
    folder.make("d/y")
    #expect(#expect(throws: TestFailure.self) { try copy.check() }?.field == "force")
    let fresh = try kind.make(folder("e/"), ["source": .string(folder("s/")), "recurse": .bool(true)])
    #expect(
      try fresh.check(apply: false).changes.map(\.path) == ["state", "/l#source", "/sub#state", "/sub/x#content", "/y#content"])
    #expect(try fresh.check().status == MGMT_CHANGED)
    #expect(try fresh.check().status == MGMT_OK)
  }

  @Test func purge() throws {
    folder.make("d")
    folder.write("d/managed", "m")
    folder.write("d/.mgmt-managed.new", "a stranger's")
    folder.write("d/extra", "")
    folder.make("d/own")
    folder.write("d/own/x", "")
    folder.make("outside")
    folder.write("outside/x", "")
    folder.link("d/link", to: folder("outside"))
    let managed = try kind.make(folder("d/managed"), ["content": .string("m")])
    let own = try kind.make(folder("d/own/"), ["state": .string("exists")])
    var other: ResourceUnderTest? = try kind.make(folder("d/other"), ["content": .string("m")])
    try other?.check()
    let purge = try kind.make(
      folder("d/"), ["state": .string("exists"), "recurse": .bool(true), "purge": .bool(true)])
    #expect(
      try purge.check().changes.map(\.path) == ["/.mgmt-managed.new#state", "/extra#state", "/link#state", "/own/x#state"])
    #expect(folder.names("d") == ["managed", "other", "own"])
    #expect(folder.names("outside") == ["x"])
    other = nil
    #expect(try purge.check().changes.map(\.path) == ["/other#state"])
    #expect(try purge.check().status == MGMT_OK)
    #expect(try managed.check().status == MGMT_OK)
    #expect(try own.check().status == MGMT_OK)
  }

  @Test func deepTreesAreRemovedWithFewDescriptors() throws {
    var path = folder("d")
    mkdir(path, 0o755)
    let start = open(".", O_RDONLY)
    chdir(path)
    for _ in 0..<1500 {
      mkdir("n", 0o755)
      chdir("n")
    }
    fchdir(start)
    close(start)
    path = folder("d/")
    let absent = try kind.make(path, ["state": .string("absent"), "recurse": .bool(true)])
    #expect(try absent.check().status == MGMT_CHANGED)
    #expect(folder.names() == [])
  }

  /// Whether files can be made immutable here.
  private static let hasImmutable: Bool = {
    guard getuid() == 0, let folder = try? Folder() else { return false }
    folder.write("f", "")
    defer { _ = folder.setImmutable("f", false) }
    return folder.setImmutable("f", true)
  }()

  @Test(.enabled(if: hasImmutable, "the file system has no immutable files, or the user may not make them"))
  func immutableFilesAreToldAsTheyAre() throws {
    folder.make("d")
    folder.write("d/f", "x")
    folder.write("f", "x")
    for name in ["d/f", "f"] { #expect(folder.setImmutable(name, true)) }
    defer { for name in ["d/f", "f"] { _ = folder.setImmutable(name, false) } }
    for (name, parameters) in [
      ("d/", ["state": .string("absent"), "recurse": .bool(true)]),
      ("d/", ["state": .string("exists"), "recurse": .bool(true), "purge": .bool(true)]),
      ("f", ["state": .string("absent")]), ("f", ["mode": .string("0600")]), ("f", ["content": .string("y")]),
    ] as [(String, [String: TestValue])] {
      let failure = #expect(throws: TestFailure.self) { try kind.make(folder(name), parameters).check() }
      #expect(failure?.errno == EPERM)
      #expect(failure?.hint.contains("chattr -i") == true)
    }
  }

  @Test func mountsAreNotEntered() throws {
    folder.make("d")
    folder.make("d/m")
    guard getuid() == 0, mount("none", folder("d/m"), "tmpfs", 0, nil) == 0 else { return }
    defer { umount2(folder("d/m"), 2) }
    folder.write("d/m/precious", "")
    let absent = try kind.make(folder("d/"), ["state": .string("absent"), "recurse": .bool(true)])
    #expect(#expect(throws: TestFailure.self) { try absent.check() }?.errno == EBUSY)
    #expect(folder.names("d/m") == ["precious"])
  }

  @Test func aFullDiskLeavesTheOldFile() throws {
    folder.make("m")
    guard getuid() == 0, mount("none", folder("m"), "tmpfs", 0, "size=64k") == 0 else { return }
    defer { umount2(folder("m"), 2) }
    folder.write("m/f", "old")
    let file = try kind.make(folder("m/f"), ["content": .string(String(repeating: "x", count: 100_000))])
    let failure = #expect(throws: TestFailure.self) { try file.check() }
    #expect(failure?.errno == ENOSPC)
    #expect(failure?.text == "cannot write \(folder("m/f"))")
    #expect(folder.read("m/f") == "old")
    #expect(folder.names("m") == ["f"])
    mount("none", folder("m"), nil, UInt(MS_REMOUNT | MS_RDONLY), nil)
    let small = try kind.make(folder("m/f"), ["content": .string("new")])
    #expect(#expect(throws: TestFailure.self) { try small.check() }?.errno == EROFS)
  }
}
