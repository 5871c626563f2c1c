// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Testing

@testable import PluginTesting

private let user: uid_t = 65534
private let other: uid_t = 1
private let asRoot = ConditionTrait.enabled(if: getuid() == 0, "only root gives files away")

/// What other local users put where root manages files. Directory `u` is theirs.
extension FileTests {
  private func makeUsersFolder() {
    folder.make("u")
    folder.own("u", user)
  }

  private func make(_ name: String, _ parameters: [String: String]) throws -> ResourceUnderTest {
    try kind.make(folder(name), parameters.mapValues { TestValue.string($0) })
  }

  // MARK: set-user-id

  @Test(asRoot, arguments: [0o4755, 0o2755, 0o6711, 0o2644, 0o4644] as [mode_t])
  func aNewOwnerGetsNoRightsToRunAs(_ mode: mode_t) throws {
    let expected = octal(mode & 0o777)
    for parameters in [
      ["owner": "0"], ["group": "0"], ["owner": "0", "content": "x"], ["owner": "0", "mode": "o=x"], ["content": "y"],
      ["owner": "0", "state": "exists"], ["group": "0", "content": "y"],
    ] {
      for directory in ["u/", ""] {
        makeUsersFolder()
        let name = directory + "tool"
        folder.write(name, "x")
        folder.own(name, user, mode: mode)
        let file = try make(name, parameters)
        let plan = try file.check(apply: false)
        let report = try file.check()
        #expect(report.changes == plan.changes)
        #expect((folder.mode(name) ?? 0o7777) & 0o6000 == 0, "\(parameters) \(name)")
        if parameters["mode"] == nil {
          #expect(report.changes.contains(Change(path: "mode", was: octal(mode), will: expected)), "\(parameters) \(name)")
        }
        #expect(try file.check().status == MGMT_OK)
        unlink(folder(name))
      }
    }
  }

  @Test(asRoot) func rightsToRunAsComeWhenAskedFor() throws {
    makeUsersFolder()
    for (mode, result) in [("4755", 0o4755), ("u=rwxs", 0o4755), ("g=rxs", 0o2755), ("2755", 0o2755)] as [(String, mode_t)] {
      folder.write("u/tool", "x", mode: 0o755)
      folder.own("u/tool", user)
      try make("u/tool", ["owner": "0", "group": "0", "content": "x", "mode": mode]).check()
      #expect(folder.mode("u/tool") == result)
      #expect(folder.status("u/tool")?.st_uid == 0)
      unlink(folder("u/tool"))
    }
    // Nothing changes hands: what a symbolic mode does not name stays.
    folder.write("tool", "x", mode: 0o4755)
    try make("tool", ["mode": "o="]).check()
    #expect(folder.mode("tool") == 0o4750)
    // A directory's bits mean something else.
    folder.make("d", mode: 0o3775)
    try make("d/", ["owner": "65534"]).check()
    #expect(folder.mode("d") == 0o3775)
  }

  @Test(asRoot) func aProgramOfOthersIsNotGivenRoot() throws {
    makeUsersFolder()
    folder.write("u/tool", "x", mode: 0o755)
    folder.own("u/tool", user)
    let tool = try make("u/tool", ["owner": "0", "mode": "4755"])
    #expect(throws: TestFailure.self) { try tool.check() }
    #expect(folder.status("u/tool")?.st_uid == user)
    #expect(folder.mode("u/tool") == 0o755)
  }

  @Test(asRoot) func copiesAndFragmentsHaveNoRightsToRunAs() throws {
    makeUsersFolder()
    folder.write("s", "new", mode: 0o6755)
    folder.write("u/f", "old")
    folder.own("u/f", user, mode: 0o6755)
    try kind.make(folder("u/f"), ["fragments": .strings([folder("s")]), "owner": .string("0")]).check()
    #expect(folder.mode("u/f") == 0o755)
    folder.own("u/f", user, mode: 0o6755)
    folder.write("s", "newer", mode: 0o6755)
    try kind.make(folder("u/f"), ["source": .string(folder("s")), "owner": .string("0")]).check()
    #expect(folder.mode("u/f") == 0o755)
    folder.make("tree")
    folder.write("tree/f", "newest", mode: 0o6755)
    folder.own("u/f", user, mode: 0o6755)
    try kind.make(folder("u/"), ["source": .string(folder("tree/")), "recurse": .bool(true)]).check()
    #expect(folder.mode("u/f") == 0o755)
  }

  @Test(asRoot) func whatIsPutBackHasNoRightsToRunAs() throws {
    makeUsersFolder()
    folder.write("u/tool", "x")
    folder.own("u/tool", user, mode: 0o4755)
    let file = try make("u/tool", ["mode": "0644"])
    #expect(try file.reverse()?.parameters["mode"] == .string("0755"))
    let whole = try make("u/tool", ["content": "y"])
    #expect(
      try whole.reverse()?.parameters == [
        "path": .string(folder("u/tool")), "content": .string("x"), "owner": .string("65534"), "group": .string("65534"),
        "mode": .string("0755"),
      ])
  }

  // MARK: names that others gave

  @Test(asRoot) func aLinkToRootsFileIsNotGivenAway() throws {
    makeUsersFolder()
    folder.write("secret", "root's", mode: 0o660)
    for parameters in [["owner": "65534"], ["group": "65534"], ["mode": "0666"], ["owner": "65534", "state": "exists"]] {
      link(folder("secret"), folder("u/f"))
      let file = try make("u/f", parameters)
      let failure = #expect(throws: TestFailure.self) { try file.check() }
      #expect(failure?.errno == EPERM)
      #expect(failure?.text.contains("hard link") == true)
      #expect(throws: TestFailure.self) { try file.check(apply: false) }
      unlink(folder("u/f"))
    }
    link(folder("secret"), folder("u/f"))
    try make("u/f", ["owner": "65534", "mode": "0640", "content": "root's"]).check()
    #expect(folder.status("u/f")?.st_uid == user)
    #expect(folder.mode("u/f") == 0o640)
    #expect(folder.status("secret")?.st_uid == 0)
    #expect(folder.mode("secret") == 0o660)
    #expect(folder.status("u/f")?.st_ino != folder.status("secret")?.st_ino)
  }

  @Test(asRoot) func rootsFileMovedThereIsNotGivenAway() throws {
    makeUsersFolder()
    folder.write("u/secret", "root's", mode: 0o600)
    for parameters in [["owner": "65534"], ["mode": "0644"]] {
      let file = try make("u/secret", parameters)
      #expect(#expect(throws: TestFailure.self) { try file.check() }?.errno == EPERM)
    }
    #expect(folder.status("u/secret")?.st_uid == 0)
    #expect(folder.mode("u/secret") == 0o600)
    folder.make("u/d", mode: 0o700)
    folder.write("u/d/secret", "root's")
    let directory = try make("u/d/", ["owner": "65534", "state": "exists"])
    #expect(#expect(throws: TestFailure.self) { try directory.check() }?.errno == EPERM)
    #expect(folder.status("u/d")?.st_uid == 0)
    // There is nothing to get with an empty one.
    unlink(folder("u/d/secret"))
    #expect(try directory.check().status == MGMT_CHANGED)
    #expect(folder.status("u/d")?.st_uid == user)
    // Its own directory's owner may be given his own.
    folder.write("u/own", "", mode: 0o600)
    folder.own("u/own", user)
    #expect(try make("u/own", ["mode": "0644"]).check().status == MGMT_CHANGED)
    #expect(try make("u/own", ["owner": "0"]).check().status == MGMT_CHANGED)
    // As before where only root may write.
    folder.write("mine", "")
    link(folder("mine"), folder("twice"))
    #expect(try make("mine", ["owner": "65534", "mode": "0600"]).check().status == MGMT_CHANGED)
  }

  @Test(asRoot) func whatAnotherUserPutThereKeepsNothing() throws {
    folder.make("tmp", mode: 0o1777)
    folder.write("tmp/f", "bait", mode: 0o666)
    folder.own("tmp/f", user)
    let file = try make("tmp/f", ["content": "secret", "mode": "0600"])
    let report = try file.check()
    #expect(report.changes.contains(Change(path: "owner", was: "nobody", will: "root")))
    #expect(folder.status("tmp/f")?.st_uid == 0)
    #expect(folder.mode("tmp/f") == 0o600)
    #expect(try file.check().status == MGMT_OK)
    folder.write("tmp/g", "bait", mode: 0o666)
    folder.own("tmp/g", user)
    try make("tmp/g", ["content": "x"]).check()
    #expect(folder.status("tmp/g")?.st_uid == 0)
    #expect(folder.mode("tmp/g") == 0o644)
  }

  @Test(asRoot) func whoHasAFileOpenDoesNotWriteItsSuccessor() throws {
    folder.write("f", "x")
    folder.own("f", user)
    let fd = open(folder("f"), O_WRONLY)
    defer { close(fd) }
    try make("f", ["content": "x", "owner": "0"]).check()
    pwrite(fd, "y", 1, 0)
    #expect(folder.read("f") == "x")
    #expect(folder.status("f")?.st_uid == 0)
  }

  @Test(asRoot) func linksOfOthersAreMadeAnew() throws {
    makeUsersFolder()
    folder.link("u/l", to: "a")
    let link = try kind.make(
      folder("u/l"),
      ["state": .string("exists"), "symlink": .bool(true), "source": .string("a"), "owner": .string("65534")])
    #expect(try link.check().status == MGMT_CHANGED)
    #expect(folder.status("u/l")?.st_uid == user)
    #expect(try link.check().status == MGMT_OK)
  }

  /// A name that changes hands all the time: nothing of root's changes.
  @Test(asRoot) func aNameThatIsSwappedMeanwhile() throws {
    makeUsersFolder()
    folder.write("secret", "root's", mode: 0o660)
    folder.write("u/moved", "root's", mode: 0o600)
    folder.write("u/own", "")
    folder.own("u/own", user)
    let here = folder("")
    let swapper = Swapper(folder("u/f"), [here + "u/own", here + "secret", here + "u/moved"])
    let file = try make("u/f", ["owner": "65534", "mode": "0644"])
    for _ in 0..<3000 { _ = try? file.check() }
    swapper.stop()
    #expect(folder.status("secret")?.st_uid == 0)
    #expect(folder.mode("secret") == 0o660)
    #expect(folder.status("u/moved")?.st_uid == 0)
    #expect(folder.mode("u/moved") == 0o600)
  }

  // MARK: access lists

  @Test(asRoot) func anAccessListGoesWithItsOwner() throws {
    folder.make("u")
    for parameters in [["owner": "0", "mode": "0640"], ["owner": "0"], ["owner": "0", "mode": "0640", "content": "new"]] {
      folder.write("u/f", "old")
      folder.own("u/f", user, mode: 0o600)
      folder.own("u", user)
      folder.setAccessList("u/f", user: other, rights: 6, group: 0, mask: 6)
      #expect(folder.mode("u/f") == 0o660)
      let file = try make("u/f", parameters)
      let plan = try file.check(apply: false)
      #expect(try file.check().changes == plan.changes)
      #expect(!folder.hasAccessList("u/f"))
      // The group never had what the list's mask showed.
      #expect(folder.mode("u/f") == (parameters["mode"] == nil ? 0o600 : 0o640))
      unlink(folder("u/f"))
    }
    folder.write("u/f", "old")
    folder.own("u/f", user, mode: 0o600)
    folder.setAccessList("u/f", user: other, rights: 6, group: 0, mask: 6)
    try make("u/f", ["content": "new"]).check()
    #expect(folder.hasAccessList("u/f"))
    #expect(folder.mode("u/f") == 0o660)
  }

  @Test(asRoot) func aDirectoryGivesNoAccessListToASecret() throws {
    makeUsersFolder()
    folder.setAccessList("u", user: other, rights: 7, group: 7, mask: 7, isInherited: true)
    try make("u/f", ["content": "secret", "mode": "0640"]).check()
    #expect(!folder.hasAccessList("u/f"))
    #expect(folder.mode("u/f") == 0o640)
    try make("u/g", ["content": "x", "owner": "0"]).check()
    #expect(!folder.hasAccessList("u/g"))
    try make("u/d/", ["state": "exists", "mode": "0750"]).check()
    #expect(!folder.hasAccessList("u/d"))
    #expect(!folder.hasAccessList("u/d", isInherited: true))
    #expect(folder.mode("u/d") == 0o750)
    // What asks for nothing gets what everything there gets.
    try make("u/plain", ["content": "x"]).check()
    #expect(folder.hasAccessList("u/plain"))
    // Neither does a file that had none get one with its next contents.
    folder.write("t", "x")
    rename(folder("t"), folder("u/t"))
    folder.own("u/t", user, mode: 0o640)
    try make("u/t", ["content": "secret"]).check()
    #expect(!folder.hasAccessList("u/t"))
  }

  // MARK: modes of new files, and what is shown

  @Test(asRoot) func newFilesOfOthersHaveUsualModes() throws {
    let file = try make("f", ["content": "x", "owner": "65534"])
    let plan = try file.check(apply: false)
    #expect(plan.changes.last == Change(path: "mode", was: nil, will: "0644"))
    #expect(try file.check().changes == plan.changes)
    #expect(folder.mode("f") == 0o644)
    let directory = try make("d/", ["state": "exists", "group": "65534"])
    #expect(try directory.check().changes.last == Change(path: "mode", was: nil, will: "0755"))
    #expect(folder.mode("d") == 0o755)
  }

  @Test func contentsOthersMayNotReadAreSecret() throws {
    func content(_ resource: ResourceUnderTest) throws -> Change? {
      try resource.check(apply: false, wantDiff: true).changes.first { $0.path.hasSuffix("content") }
    }
    let new = try make("f", ["content": "pass\n", "mode": "0640"])
    #expect(try content(new) == Change(path: "content", was: nil, will: "5 bytes", isSecret: true))
    #expect(try content(make("f", ["content": "text", "mode": "0644"])) == Change(path: "content", was: nil, will: "text"))
    folder.write("f", "old", mode: 0o600)
    #expect(
      try content(make("f", ["content": "text", "mode": "0644"]))
        == Change(path: "content", was: "3 bytes", will: "4 bytes", isSecret: true))
    folder.write("s", "input", mode: 0o600)
    folder.write("f", "old", mode: 0o644)
    for parameters in [["fragments": .strings([folder("s")])], ["source": .string(folder("s"))]] as [[String: TestValue]] {
      #expect(
        try content(kind.make(folder("f"), parameters))
          == Change(path: "content", was: "3 bytes", will: "5 bytes", isSecret: true))
    }
    folder.make("tree")
    folder.write("tree/x", "input", mode: 0o600)
    let tree = try kind.make(folder("t/"), ["source": .string(folder("tree/")), "recurse": .bool(true)])
    #expect(try content(tree)?.isSecret == true)
  }
}

private func octal(_ mode: mode_t) -> String {
  let digits = String(mode, radix: 8)
  return String(repeating: "0", count: 4 - digits.utf8.count) + digits
}
