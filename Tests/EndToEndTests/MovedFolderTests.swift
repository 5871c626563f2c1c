// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Folders above managed files that are moved away and come back while the agent runs.
  @Suite struct MovedFolders {
    private static func start(_ folder: TemporaryFolder) throws -> AgentProcess {
      try folder.makeFolder("top/parent")
      var graph = GraphText()
      graph.file(folder["top/parent/f"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      return agent
    }

    /// After all that, changes must still be seen.
    private static func expectWatched(_ folder: TemporaryFolder) throws {
      #expect(poll { folder.read("top/parent/f") == "as asked\n" }, "not restored: \(folder.read("top/parent/f") ?? "nothing")")
      for _ in 0..<3 {
        try folder.write("top/parent/f", "spoiled\n")
        #expect(poll { folder.read("top/parent/f") == "as asked\n" }, "no longer watched")
        unlink(folder["top/parent/f"])
        #expect(poll { folder.read("top/parent/f") == "as asked\n" }, "no longer watched")
      }
    }

    @Test(
      "moved away and back, with the file modified, removed or left alone meanwhile", arguments: ["top/parent", "top"],
      ["modify", "remove", "leave"])
    func awayAndBack(_ moved: String, _ action: String) throws {
      let folder = try TemporaryFolder()
      let agent = try Self.start(folder)
      try folder.makeFolder("elsewhere")
      let away = "elsewhere/x"
      #expect(rename(folder[moved], folder[away]) == 0)
      agent.expect("the file is missed") { $0.resource == "file[f]" && $0.status == "failed" }
      let file = away + (moved == "top" ? "/parent/f" : "/f")
      if action == "modify" { try folder.write(file, "modified away\n") }
      if action == "remove" { unlink(folder[file]) }
      #expect(rename(folder[away], folder[moved]) == 0)
      try Self.expectWatched(folder)
      agent.expectConverged(times: 2)
      let finished = try agent.stop()
      #expect(finished.status == 0, "\(finished.err)")
    }

    @Test("what is moved away is not touched: the file there is nobody's")
    func away() throws {
      let folder = try TemporaryFolder()
      let agent = try Self.start(folder)
      #expect(rename(folder["top/parent"], folder["elsewhere"]) == 0)
      agent.expect("the file is missed") { $0.resource == "file[f]" && $0.status == "failed" }
      try folder.write("elsewhere/f", "mine now\n")
      try folder.makeFolder("top/parent")
      try Self.expectWatched(folder)
      #expect(folder.read("elsewhere/f") == "mine now\n")
      #expect(try agent.stop().status == 0)
    }

    @Test("another folder takes the place at once", arguments: ["top/parent", "top"])
    func exchange(_ moved: String) throws {
      let folder = try TemporaryFolder()
      let agent = try Self.start(folder)
      let inner = moved == "top" ? "other/parent" : "other"
      try folder.makeFolder(inner)
      try folder.write(inner + "/f", "another\n")
      let finished = try Mgmt.command(["/bin/sh", "-c", "mv \(moved) away && mv other \(moved)"], in: folder)
      #expect(finished.status == 0, "\(finished.err)")
      try Self.expectWatched(folder)
      #expect(try agent.stop().status == 0)
    }

    @Test("removed with all that is in it and made again, ten times")
    func removed() throws {
      let folder = try TemporaryFolder()
      let agent = try Self.start(folder)
      for _ in 0..<10 {
        let finished = try Mgmt.command(["/bin/sh", "-c", "mv top gone && rm -r gone && mkdir -p top/parent"], in: folder)
        #expect(finished.status == 0, "\(finished.err)")
        #expect(poll(bound: 120) { folder.read("top/parent/f") == "as asked\n" })
      }
      try Self.expectWatched(folder)
      #expect(try agent.stop().status == 0)
    }

    @Test("a managed parent is made again, and its file in it")
    func managedParent() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("file", "parent", ["path": folder["top/parent/"], "state": "exists", "recurse": true])
      graph.file(folder["top/parent/f"], "as asked\n")
      graph.edge("file[parent]", "file[f]")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(rename(folder["top"], folder["away"]) == 0)
      try Self.expectWatched(folder)
      #expect(folder.read("away/parent/f") == "as asked\n")
      #expect(try agent.stop().status == 0)
    }
  }
}
