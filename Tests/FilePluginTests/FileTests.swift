// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Testing

@testable import PluginTesting

/// Everything drives one fake host, so one test at a time.
@Suite(.serialized) struct FileTests {
  let folder: Folder
  let kind = KindUnderTest()

  init() throws { folder = try Folder() }

  @Test func contentIsWrittenOnceAndKept() throws {
    let file = try kind.make(folder("f"), ["content": .string("hello\n"), "state": .string("exists")])
    let dry = try file.check(apply: false)
    #expect(dry.status == MGMT_DIFFERS)
    #expect(folder.names() == [])
    let first = try file.check(wantDiff: true)
    #expect(first.status == MGMT_CHANGED)
    #expect(
      first.changes == [
        Change(path: "state", was: "absent", will: "exists"), Change(path: "content", was: nil, will: "hello\n"),
      ])
    #expect(folder.read("f") == "hello\n")
    #expect(try file.check().status == MGMT_OK)
    folder.write("f", "hellO\n", mode: 0o664)
    let second = try file.check(wantDiff: true)
    #expect(second.changes == [Change(path: "content", was: "hellO\n", will: "hello\n")])
    #expect(folder.read("f") == "hello\n")
    #expect(folder.mode("f") == 0o664)
    #expect(folder.names() == ["f"])
  }

  @Test func contentWithoutStateMakesTheFile() throws {
    let file = try kind.make(folder("f"), ["content": .string("x")])
    #expect(try file.check().status == MGMT_CHANGED)
    #expect(folder.read("f") == "x")
  }

  @Test func stateExistsMakesAnEmptyFileAndKeepsContents() throws {
    let file = try kind.make(folder("f"), ["state": .string("exists")])
    #expect(try file.check().status == MGMT_CHANGED)
    #expect(folder.read("f") == "")
    folder.write("f", "other")
    #expect(try file.check().status == MGMT_OK)
    #expect(folder.read("f") == "other")
  }

  @Test func attributesOfAMissingFileFail() throws {
    let file = try kind.make(folder("f"), ["mode": .string("0600")])
    #expect(throws: TestFailure.self) { try file.check() }
  }

  @Test func modesConverge() throws {
    let file = try kind.make(folder("f"), ["content": .string("x"), "mode": .string("0600")])
    let dry = try file.check(apply: false)
    #expect(dry.changes.map(\.path) == ["state", "content", "mode"])
    #expect(try file.check().status == MGMT_CHANGED)
    #expect(folder.mode("f") == 0o600)
    chmod(folder("f"), 0o644)
    #expect(try file.check().changes == [Change(path: "mode", was: "0644", will: "0600")])
    #expect(try file.check().status == MGMT_OK)
    let symbolic = try kind.make(folder("f"), ["mode": .string("g=rx,o=x")])
    #expect(try symbolic.check().changes == [Change(path: "mode", was: "0600", will: "0651")])
    #expect(try symbolic.check().status == MGMT_OK)
    let directory = try kind.make(folder("d/"), ["state": .string("exists"), "mode": .string("0750")])
    #expect(try directory.check().status == MGMT_CHANGED)
    #expect(folder.mode("d") == 0o750)
    #expect(try directory.check().status == MGMT_OK)
    chmod(folder("d"), 0o700)
    #expect(try directory.check().changes == [Change(path: "mode", was: "0700", will: "0750")])
    #expect(try directory.check().status == MGMT_OK)
  }

  @Test(.enabled(if: getuid() == 0, "only root gives files away")) func ownersByNameAndNumber() throws {
    let file = try kind.make(folder("f"), ["content": .string("x"), "owner": .string("daemon"), "group": .string("2")])
    try file.check()
    #expect(folder.status("f")?.st_uid == getpwnam("daemon")?.pointee.pw_uid)
    #expect(folder.status("f")?.st_gid == 2)
    chown(folder("f"), 0, 0)
    #expect(
      try file.check().changes == [
        Change(path: "owner", was: "root", will: "daemon"), Change(path: "group", was: "0", will: "2"),
      ])
    #expect(try file.check().status == MGMT_OK)
    let unknown = try kind.make(folder("f"), ["owner": .string("nobody-has-this-name")])
    #expect(try unknown.check(apply: false).status == MGMT_DIFFERS)
    let failure = #expect(throws: TestFailure.self) { try unknown.check() }
    #expect(failure?.field == "owner")
  }

  @Test func absent() throws {
    folder.write("f", "x")
    let file = try kind.make(folder("f"), ["state": .string("absent")])
    #expect(try file.check(apply: false).status == MGMT_DIFFERS)
    #expect(folder.names() == ["f"])
    #expect(try file.check().status == MGMT_CHANGED)
    #expect(try file.check().status == MGMT_OK)
    folder.make("d")
    folder.make("d/e")
    folder.write("d/e/f", "")
    folder.write("outside", "")
    folder.link("d/l", to: folder("outside"))
    let plain = try kind.make(folder("d/"), ["state": .string("absent")])
    #expect(#expect(throws: TestFailure.self) { try plain.check() }?.field == "recurse")
    let all = try kind.make(folder("d/"), ["state": .string("absent"), "recurse": .bool(true)])
    #expect(try all.check().status == MGMT_CHANGED)
    #expect(folder.names() == ["outside"])
    let below = try kind.make(folder("outside/x"), ["state": .string("absent")])
    #expect(try below.check().status == MGMT_OK)
  }

  @Test func symbolicLinksAreNotWrittenThrough() throws {
    folder.write("target", "precious")
    folder.link("f", to: folder("target"))
    let file = try kind.make(folder("f"), ["content": .string("x")])
    #expect(#expect(throws: TestFailure.self) { try file.check() }?.field == "force")
    let mode = try kind.make(folder("f"), ["mode": .string("0777")])
    #expect(throws: TestFailure.self) { try mode.check() }
    let forced = try kind.make(folder("f"), ["content": .string("x"), "force": .bool(true)])
    #expect(try forced.check().status == MGMT_CHANGED)
    #expect(folder.read("f") == "x")
    #expect(!Folder.isLink(folder("f")))
    #expect(folder.read("target") == "precious")
    #expect(folder.names() == ["f", "target"])
    folder.link("d", to: folder.path)
    let directory = try kind.make(folder("d/"), ["state": .string("exists")])
    #expect(throws: TestFailure.self) { try directory.check() }
  }

  @Test func symlinkedParentsAreFollowed() throws {
    folder.make("real")
    folder.link("alias", to: "real")
    let file = try kind.make(folder("alias/f"), ["content": .string("x")])
    try file.check()
    #expect(folder.read("real/f") == "x")
  }

  @Test func whatIsInTheWay() throws {
    folder.make("d")
    folder.write("d/x", "")
    let file = try kind.make(folder("d"), ["content": .string("x")])
    let failure = #expect(throws: TestFailure.self) { try file.check() }
    #expect(failure?.hint.contains("force") == true)
    let forced = try kind.make(folder("d"), ["content": .string("x"), "force": .bool(true)])
    #expect(try forced.check().changes.first == Change(path: "state", was: "directory", will: "exists"))
    #expect(folder.read("d") == "x")
    let back = try kind.make(folder("d/"), ["state": .string("exists")])
    #expect(throws: TestFailure.self) { try back.check() }
    let forcedBack = try kind.make(folder("d/"), ["state": .string("exists"), "force": .bool(true)])
    #expect(try forcedBack.check().status == MGMT_CHANGED)
    #expect(folder.names("d") == [])
    mkfifo(folder("p"), 0o600)
    let pipe = try kind.make(folder("p"), ["content": .string("x"), "force": .bool(true)])
    #expect(throws: TestFailure.self) { try pipe.check() }
    let pipeMode = try kind.make(folder("p"), ["mode": .string("0640")])
    #expect(try pipeMode.check().status == MGMT_CHANGED)
    #expect(folder.mode("p") == 0o640)
  }

  @Test func missingParents() throws {
    let file = try kind.make(folder("a/b/f"), ["content": .string("x")])
    #expect(try file.check(apply: false).status == MGMT_DIFFERS)
    let failure = #expect(throws: TestFailure.self) { try file.check() }
    #expect(failure?.text == "no such directory: \(folder("a/b"))")
    #expect(failure?.hint.contains("\"\(folder("a/b/"))\"") == true)
    let plain = try kind.make(folder("a/b/"), ["state": .string("exists")])
    #expect(throws: TestFailure.self) { try plain.check() }
    let recursive = try kind.make(folder("a/b/"), ["state": .string("exists"), "recurse": .bool(true)])
    #expect(try recursive.check().status == MGMT_CHANGED)
    #expect(try file.check().status == MGMT_CHANGED)
    folder.write("t", "")
    let through = try kind.make(folder("t/f"), ["content": .string("x")])
    #expect(throws: TestFailure.self) { try through.check() }
  }

  @Test func longNames() throws {
    let long = String(repeating: "n", count: 255)
    try kind.make(folder("f"), ["content": .string("x")]).check()
    try kind.make(folder(long), ["content": .string("x")]).check()
    #expect(folder.names() == ["f", long])
    let tooLong = try kind.make(folder(long + "n"), ["content": .string("x")])
    #expect(#expect(throws: TestFailure.self) { try tooLong.check() }?.errno == ENAMETOOLONG)
  }

  @Test func emptyLargeAndBinaryContents() throws {
    let large = String(repeating: "0123456789abcdef", count: 20_000)
    let file = try kind.make(folder("f"), ["content": .string(large)])
    try file.check()
    #expect(folder.read("f") == large)
    #expect(try file.check().status == MGMT_OK)
    folder.write("f", String(large.dropLast()) + "x")
    #expect(try file.check(wantDiff: true).changes.first?.will?.hasPrefix("sha256:") == true)
    let empty = try kind.make(folder("f"), ["content": .string("")])
    #expect(try empty.check().status == MGMT_CHANGED)
    #expect(try empty.check().status == MGMT_OK)
    folder.write("f", bytes: [0xff, 0xfe])
    let was = try empty.check(wantDiff: true).changes.first?.was
    #expect(was?.hasPrefix("sha256:") == true)
  }

  @Test func symlinks() throws {
    let link = try kind.make(folder("l"), ["state": .string("exists"), "symlink": .bool(true), "source": .string("a/b")])
    #expect(try link.check(apply: false).status == MGMT_DIFFERS)
    #expect(
      try link.check().changes == [
        Change(path: "state", was: "absent", will: "exists"), Change(path: "source", was: nil, will: "a/b"),
      ])
    #expect(readlink(folder("l")) == "a/b")
    #expect(try link.check().status == MGMT_OK)
    unlink(folder("l"))
    folder.link("l", to: "c")
    #expect(try link.check().changes == [Change(path: "source", was: "c", will: "a/b")])
    unlink(folder("l"))
    folder.write("l", "")
    #expect(throws: TestFailure.self) { try link.check() }
    let forced = try kind.make(
      folder("l"), ["state": .string("exists"), "symlink": .bool(true), "source": .string("a/b"), "force": .bool(true)])
    #expect(try forced.check().status == MGMT_CHANGED)
    #expect(readlink(folder("l")) == "a/b")
    let absent = try kind.make(folder("l"), ["state": .string("absent"), "symlink": .bool(true)])
    #expect(try absent.check().status == MGMT_CHANGED)
    #expect(folder.names() == [])
  }

  @Test func labels() throws {
    guard getuid() == 0 else { return }
    let label = "system_u:object_r:etc_t:s0"
    let file = try kind.make(folder("f"), ["content": .string("x"), "selinux": .string(label)])
    let first = try file.check()
    #expect(first.changes.last == Change(path: "selinux", was: nil, will: label))
    #expect(try file.check().status == MGMT_OK)
    folder.write("f", "y")
    try kind.make(folder("f"), ["content": .string("z")]).check()  // kept when not managed
    #expect(try kind.make(folder("f"), ["selinux": .string(label)]).check().status == MGMT_OK)
    #expect(
      try kind.make(folder("f"), ["selinux": .string("")]).check().changes == [Change(path: "selinux", was: label, will: nil)])
    #expect(try kind.make(folder("f"), ["selinux": .string("")]).check().status == MGMT_OK)
  }

  @Test func identities() throws {
    let file = try kind.make("x", ["path": .string("//a/./b/c"), "fragments": .strings(["/d/", "/e/f"])])
    #expect(file.uids() == ["path:/a/b/c:0 primary"])
    #expect(
      file.automaticEdges() == [
        "path:/d/:0 entries", "path:/d/:2", "path:/:2", "path:/e/f:3", "path:/e/:3", "path:/:3", "path:/a/b/:1", "path:/a/:1",
        "path:/:1",
      ])
    let directory = try kind.make("//a/./d/", ["source": .string("/s/t/"), "recurse": .bool(true)])
    #expect(directory.uids() == ["path:/a/d:0 primary", "path:/a/d/:0"])
    #expect(
      directory.automaticEdges() == [
        "path:/s/t/:0 below", "path:/s/t/:2", "path:/s/:2", "path:/:2", "path:/a/:1", "path:/:1",
      ])
    #expect(try kind.make("/", [:]).uids() == ["path:/:0 primary"])
  }
}
