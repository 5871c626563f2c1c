// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What a shell spoils is put right at once.
  @Suite struct Repair {
    /// f1, f2, f3 are managed and f4 must not be there.
    private static func start(_ folder: TemporaryFolder) throws -> AgentProcess {
      try folder.makeFolder("mgmt")
      var graph = GraphText()
      for name in ["f1", "f2", "f3"] { graph.file(folder["mgmt/\(name)"], "i am \(name)\n") }
      graph.add("file", "f4", ["path": folder["mgmt/f4"], "state": "absent"])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      return agent
    }

    /// Runs a command 200 times in a shell; each time, `restored` has to become true again. Bounded by a count of looks.
    private static func repeatedly(_ command: String, until restored: String, in folder: TemporaryFolder) throws {
      let script = """
        cd mgmt || exit 1
        i=0
        while [ $i -lt 200 ]; do
          i=$((i + 1))
          \(command)
          n=0
          until \(restored); do
            n=$((n + 1))
            [ $n -lt 10000 ] || { echo "time $i: not restored" >&2; exit 1; }
          done
        done
        """
      let finished = try Mgmt.command(["/bin/sh", "-c", script], in: folder, bound: 300)
      #expect(finished.status == 0, "\(finished.err)")
    }

    private static func changes(_ agent: AgentProcess, _ resource: String) -> Int {
      agent.statuses(resource).filter { $0 == "changed" }.count
    }

    @Test("removed, overwritten, replaced and made 200 times each: restored every time")
    func transcript() throws {
      let folder = try TemporaryFolder()
      let agent = try Self.start(folder)
      let isRestored = "[ \"$(cat f2 2>/dev/null)\" = \"i am f2\" ]"
      try Self.repeatedly("rm -f f2", until: isRestored, in: folder)
      try Self.repeatedly("echo blah blah > f2", until: isRestored, in: folder)
      try Self.repeatedly("echo other > ../other && mv ../other f2", until: isRestored, in: folder)
      try Self.repeatedly("touch f4", until: "[ ! -e f4 ]", in: folder)
      #expect(poll { Self.changes(agent, "file[f4]") >= 200 && Self.changes(agent, "file[f2]") >= 601 })
      let finished = try agent.stop()
      #expect(finished.status == 0, "\(finished.err)")
      #expect(folder.names("mgmt") == ["f1", "f2", "f3"])
      #expect(Self.changes(agent, "file[f1]") == 1 && Self.changes(agent, "file[f3]") == 1)
      #expect(Self.changes(agent, "file[f2]") == 601 && Self.changes(agent, "file[f4]") == 200)
      let corrective = agent.events.filter { $0.status == "changed" && $0.members["reason"] as? String == "corrective" }
      #expect(corrective.count == 800)
    }

    @Test(
      "other ways to spoil a file",
      arguments: ["append", "mode", "rename away", "rename over", "hard link", "truncate", "replace by a link"])
    func ways(_ way: String) throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("mgmt")
      let path = folder["mgmt/f"]
      var graph = GraphText()
      graph.add("file", "f", ["path": path, "state": "exists", "content": "as asked\n", "mode": "0640", "force": true])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      try folder.write("other", "other\n")
      let scripts = [
        "append": "echo more >>mgmt/f", "mode": "chmod 777 mgmt/f", "rename away": "mv mgmt/f mgmt/g",
        "rename over": "mv other mgmt/f", "hard link": "ln -f other mgmt/f", "truncate": ": >mgmt/f",
        "replace by a link": "ln -sf \(folder["other"]) mgmt/f",
      ]
      let finished = try Mgmt.command(["/bin/sh", "-c", try #require(scripts[way])], in: folder)
      #expect(finished.status == 0, "\(finished.err)")
      agent.expect("a repair") {
        $0.resource == "file[f]" && $0.status == "changed" && $0.members["reason"] as? String == "corrective"
      }
      agent.expectConverged(times: 2)
      #expect(folder.read("mgmt/f") == "as asked\n")
      var status = stat()
      #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o7777 == 0o640)
      if folder.exists("other") { #expect(folder.read("other") == "other\n", "what was linked is untouched") }
      #expect(try agent.stop().status == 0)
    }
  }
}
