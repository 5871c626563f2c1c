// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What a shell spoils is put right at once.
  @Suite struct Repair {
    /// So many files are spoiled in turn: each of them a few times only, which is no fight.
    private static let files = 50

    /// Files that are managed, one of them never touched, and as many that must not be there.
    private static func start(_ folder: TemporaryFolder) throws -> AgentProcess {
      try folder.makeFolder("mgmt")
      var graph = GraphText()
      graph.file(folder["mgmt/untouched"], "i am untouched\n")
      for number in 0..<files {
        graph.file(folder["mgmt/f\(number)"], "i am f\(number)\n")
        graph.add("file", "gone\(number)", ["path": folder["mgmt/gone\(number)"], "state": "absent"])
      }
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      return agent
    }

    /// Runs a command 200 times in a shell, for file $k; each time, `restored` has to become true again. Bounded by a count of looks.
    private static func repeatedly(_ command: String, until restored: String, in folder: TemporaryFolder) throws {
      let script = """
        cd mgmt || exit 1
        i=0
        while [ $i -lt 200 ]; do
          i=$((i + 1))
          k=$((i % \(files)))
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

    private static func changes(_ agent: AgentProcess, _ prefix: String) -> Int {
      agent.events.count { $0.name == "check-ended" && $0.status == "changed" && $0.resource?.hasPrefix(prefix) == true }
    }

    @Test("removed, overwritten, replaced and made 200 times each: restored every time, at once")
    func transcript() throws {
      let folder = try TemporaryFolder()
      let agent = try Self.start(folder)
      let isRestored = "[ \"$(cat f$k 2>/dev/null)\" = \"i am f$k\" ]"
      try Self.repeatedly("rm -f f$k", until: isRestored, in: folder)
      try Self.repeatedly("echo blah blah > f$k", until: isRestored, in: folder)
      try Self.repeatedly("echo other > ../other && mv ../other f$k", until: isRestored, in: folder)
      try Self.repeatedly("touch gone$k", until: "[ ! -e gone$k ]", in: folder)
      let made = Self.files
      #expect(poll { Self.changes(agent, "file[gone") >= 200 && Self.changes(agent, "file[f") >= made + 600 })
      let finished = try agent.stop()
      #expect(finished.status == 0, "\(finished.err)")
      #expect(folder.names("mgmt").count == made + 1)
      #expect(Self.changes(agent, "file[untouched") == 1)
      #expect(Self.changes(agent, "file[f") == made + 600 && Self.changes(agent, "file[gone") == 200)
      let corrective = agent.events.filter { $0.status == "changed" && $0.members["reason"] as? String == "corrective" }
      #expect(corrective.count == 800)
      #expect(!agent.events.contains { $0.name == "fight" })
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
