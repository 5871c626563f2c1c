// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What is mounted over managed paths, and taken away again.
  @Suite struct Mounts {
    private static func mount(_ arguments: String...) throws {
      let finished = try Mgmt.command(["/bin/sh", "-c", arguments.joined(separator: " ")])
      guard finished.status == 0 else { throw HarnessError("\(arguments): \(finished.err)") }
    }

    private static func checks(_ agent: AgentProcess, _ resource: String) -> Int {
      agent.events.count { $0.name == "check-started" && $0.resource == resource }
    }

    @Test(
      "an empty file system over a managed directory: the file is made there; it goes: all is right again",
      .enabled(if: SmallDisk.isPossible, "only root can mount"))
    func overAndAway() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("d")
      try folder.makeFolder("other")
      try folder.makeFolder("elsewhere")
      var graph = GraphText()
      graph.file(folder["d/f"], "as asked\n")
      graph.file(folder["other/g"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      let before = Self.checks(agent, "file[g]")
      var disk: SmallDisk? = try SmallDisk(folder["d"])
      #expect(poll { folder.read("d/f") == "as asked\n" }, "the mount was not noticed\n\(agent.running.err)")
      try folder.write("d/f", "spoiled\n")
      #expect(poll { folder.read("d/f") == "as asked\n" }, "what is mounted is not watched")
      withExtendedLifetime(disk) {}
      disk = nil
      try folder.write("d/f", "spoiled\n")
      #expect(poll { folder.read("d/f") == "as asked\n" }, "what was below is not watched again")
      let unrelated = try SmallDisk(folder["elsewhere"])
      withExtendedLifetime(unrelated) {}
      try folder.write("d/f", "spoiled\n")
      #expect(poll { folder.read("d/f") == "as asked\n" })
      #expect(Self.checks(agent, "file[g]") == before, "it has nothing to do with the mounts")
      #expect(try agent.stop().status == 0)
    }

    @Test(
      "a bind mount, also behind a symbolic link: what comes and what comes back is put right",
      .enabled(if: SmallDisk.isPossible, "only root can mount"), arguments: [false, true])
    func bind(_ isLinked: Bool) throws {
      let folder = try TemporaryFolder()
      for name in ["d", "below", "over"] { try folder.makeFolder(name) }
      #expect(symlink(folder["d"], folder["link"]) == 0)
      try folder.write("over/f", "spoiled\n")
      var graph = GraphText()
      graph.file(folder[isLinked ? "link/f" : "d/f"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      // The directory stays in reach while something is mounted over it.
      try Self.mount("mount --bind", folder["d"], folder["below"], "&& mount --make-private", folder["below"])
      defer { try? Self.mount("umount -l", folder["below"]) }
      try Self.mount("mount --bind", folder["over"], folder["d"])
      #expect(poll { folder.read("over/f") == "as asked\n" }, "the mount was not noticed")
      try folder.write("below/f", "spoiled\n")
      try Self.mount("umount", folder["d"])
      #expect(poll { folder.read("d/f") == "as asked\n" }, "that it went was not noticed")
      #expect(try agent.stop().status == 0)
    }
  }
}
