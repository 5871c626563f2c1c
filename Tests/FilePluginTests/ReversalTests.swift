// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Testing

@testable import PluginTesting

extension FileTests {
  private func reversal(_ parameters: [String: TestValue], of name: String = "f") throws -> [String: TestValue]? {
    guard let resource = try kind.make(folder(name), parameters).reverse() else { return nil }
    #expect(resource.kind == "file")
    #expect(resource.name == folder(name))
    var rest = resource.parameters
    #expect(rest.removeValue(forKey: "path") == .string(folder(name)))
    // What is put has to be a resource.
    #expect(kind.validate(resource.name, resource.parameters) == nil)
    return rest
  }

  private func refusal(_ parameters: [String: TestValue], of name: String = "f") -> TestFailure? {
    do {
      _ = try kind.make(folder(name), parameters).reverse()
      return nil
    } catch {
      return error as? TestFailure
    }
  }

  @Test func existsIsReversedToAbsentWhereNothingWas() throws {
    let content: [String: TestValue] = ["state": .string("exists"), "content": .string("new"), "mode": .string("0600")]
    #expect(try reversal(content) == ["state": .string("absent")])
    #expect(try reversal(["state": .string("exists")]) == ["state": .string("absent")])
  }

  @Test func existsIsReversedToTheFileThatWasThere() throws {
    let content: [String: TestValue] = ["state": .string("exists"), "content": .string("new"), "mode": .string("0600")]
    folder.write("f", "old", mode: 0o640)
    #expect(
      try reversal(content) == ["state": .string("exists"), "content": .string("old"), "mode": .string("0640")])
    #expect(try reversal(["state": .string("exists")]) == nil)
  }

  @Test func absentIsReversedToTheFileThatWasThere() throws {
    #expect(try reversal(["state": .string("absent")]) == nil)
    folder.write("f", "öld\n", mode: 0o640)
    #expect(try reversal(["state": .string("absent")]) == ["state": .string("exists"), "content": .string("öld\n")])
    #expect(
      try reversal(["state": .string("absent"), "mode": .string("0600")])
        == ["state": .string("exists"), "content": .string("öld\n"), "mode": .string("0640")])
  }

  @Test func contentWithoutStateIsReversedToTheOldContent() throws {
    folder.write("part", "p")
    for payload: (String, TestValue) in [("content", .string("new")), ("fragments", .strings([folder("part")]))] {
      unlink(folder("f"))
      #expect(try reversal([payload.0: payload.1]) == ["state": .string("absent")])
      folder.write("f", "old")
      #expect(try reversal([payload.0: payload.1]) == ["content": .string("old")])
    }
    folder.write("f", "")
    #expect(try reversal(["content": .string("new")]) == ["content": .string("")])
  }

  @Test func reversalAndBackAgain() throws {
    folder.write("f", "old", mode: 0o640)
    let file = try kind.make(folder("f"), ["content": .string("new"), "mode": .string("0600")])
    let resource = try #require(try file.reverse())
    try file.check()
    #expect(folder.read("f") == "new")
    file.destroy()
    let back = try kind.make(resource.name, resource.parameters)
    #expect(try back.check().status == MGMT_CHANGED)
    #expect(folder.read("f") == "old")
    #expect(folder.mode("f") == 0o640)
    #expect(try back.check().status == MGMT_OK)
  }

  @Test func onlyWhatIsManagedOfTheAttributesIsReversed() throws {
    folder.write("f", "x", mode: 0o640)
    #expect(try reversal(["mode": .string("0600")]) == ["mode": .string("0640")])
    let uid = String(getuid())
    let gid = String(getgid())
    #expect(try reversal(["owner": .string(uid)]) == ["owner": .string(uid)])
    #expect(try reversal(["group": .string(gid)]) == ["group": .string(gid)])
    #expect(
      try reversal(["content": .string("y"), "owner": .string(uid), "group": .string(gid), "mode": .string("u=rw")])
        == [
          "content": .string("x"), "owner": .string(uid), "group": .string(gid), "mode": .string("0640"),
        ])
    #expect(try reversal(["selinux": .string("")]) == ["selinux": .string("")])
    #expect(try reversal([:]) == nil)
  }

  @Test func attributesOfWhatIsMissingAreRefusedAsTheCheckDoes() throws {
    #expect(refusal(["mode": .string("0600")])?.field == "mode")
    #expect(refusal(["mode": .string("0600")])?.errno == ENOENT)
  }

  @Test func directoriesAndSourcesAreRefused() throws {
    let directory = refusal(["state": .string("exists")], of: "d/")
    #expect(directory?.text == "a directory cannot be reversed: what was in it is not remembered")
    #expect(directory?.hint == "set reverse: false for it")
    folder.write("s", "x")
    #expect(refusal(["source": .string(folder("s"))])?.field == "source")
    #expect(refusal(["source": .string(folder("s")), "state": .string("exists")])?.field == "source")
  }

  @Test func contentsThatCannotBeKeptAreRefused() throws {
    folder.write("f", bytes: [0x41, 0xff, 0x00])
    let binary = refusal(["content": .string("x")])
    #expect(binary?.field == "content")
    #expect(binary?.text.contains("not text") == true)
    #expect(binary?.hint.contains("reverse: false") == true)
    truncate(folder("f"), (8 << 20) + 1)
    let large = refusal(["state": .string("absent")])
    #expect(large?.text.contains("8 MiB") == true)
    #expect(large?.hint.contains("reverse: false") == true)
    truncate(folder("f"), 0)
    truncate(folder("f"), 8 << 20)
    #expect(refusal(["state": .string("absent")]) == nil)
  }

  @Test func whatIsNoFileIsNotReadForReversal() throws {
    folder.write("secret", "s")
    folder.link("f", to: folder("secret"))
    #expect(refusal(["content": .string("x"), "force": .bool(true)])?.text.contains("symbolic link") == true)
    #expect(refusal(["mode": .string("0600")])?.text.contains("symbolic link") == true)
    unlink(folder("f"))
    folder.make("f")
    #expect(refusal(["state": .string("absent")])?.text.contains("directory") == true)
    rmdir(folder("f"))
    mkfifo(folder("f"), 0o644)
    #expect(refusal(["content": .string("x")])?.text.contains("pipe") == true)
    #expect(try reversal(["mode": .string("0600")]) == ["mode": .string("0644")])
  }

  @Test func linksAreReversedToTheirText() throws {
    let link: [String: TestValue] = ["symlink": .bool(true), "source": .string("new"), "state": .string("exists")]
    #expect(try reversal(link) == ["state": .string("absent")])
    folder.link("f", to: "old")
    #expect(try reversal(link) == ["state": .string("exists"), "symlink": .bool(true), "source": .string("old")])
    let absent: [String: TestValue] = ["symlink": .bool(true), "state": .string("absent")]
    #expect(try reversal(absent) == ["state": .string("exists"), "symlink": .bool(true), "source": .string("old")])
    unlink(folder("f"))
    #expect(try reversal(absent) == nil)
    #expect(try reversal(["symlink": .bool(true), "source": .string("new")]) == nil)
    folder.write("f", "x")
    #expect(refusal(link)?.text.contains("not a symbolic link") == true)
    #expect(refusal(link)?.hint.contains("reverse: false") == true)
  }

  @Test func aMissingDirectoryMeansNothingWasThere() throws {
    #expect(try reversal(["content": .string("x")], of: "no/f") == ["state": .string("absent")])
    folder.write("f", "x")
    #expect(try reversal(["state": .string("absent")], of: "f/g") == nil)
    #expect(refusal(["content": .string("x")], of: "f/g")?.errno == ENOTDIR)
  }
}
