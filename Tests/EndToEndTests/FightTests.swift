// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Somebody undoes what the agent does.
  @Suite struct Fight {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func news(_ agent: AgentProcess) -> [AgentProcess.Event] { agent.events.filter { $0.name == "fight" } }

    private func notes(_ event: AgentProcess.Event?) -> String {
      ((event?.members["diagnostic"] as? [String: Any])?["notes"] as? [String] ?? []).joined(separator: "\n")
    }

    @Test("another program undoes each repair: told once, in status and metrics, put right once a second; ^C ends with 1")
    func otherProgram() throws {
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      let script = "while [ ! -e stop ]; do [ \"$(cat f 2>/dev/null)\" = spoiled ] || echo spoiled >f; done"
      let other = try Running(["/bin/sh", "-c", script], folder: folder)
      agent.expect("the fight") { $0.name == "fight" && $0.members["fight"] as? Bool == true }
      #expect(notes(news(agent).first).contains("it is another program"))
      let status = try Mgmt.run(["status", "--prefix", folder["state"]])
      #expect(status.status == 2)
      #expect(status.out.contains("fight     file[f]") && status.out.contains("another program"), "\(status.out)")
      // Two more repairs come a second apart: many more would come without.
      let before = agent.statuses("file[f]").filter { $0 == "changed" }.count
      #expect(poll { agent.statuses("file[f]").filter { $0 == "changed" }.count >= before + 2 })
      #expect(agent.statuses("file[f]").filter { $0 == "changed" }.count < before + 20)
      #expect(news(agent).count == 1)
      try folder.write("stop", "")
      _ = try other.wait()
      #expect(poll { folder.read("f") == "as asked\n" }, "the last word is the agent's")
      let finished = try agent.stop()
      #expect(finished.status == 1)
      #expect(agent.end?.members["fights"] as? [String] == ["file[f]"])
    }

    @Test("a purged directory against a command of the same graph: told with whom, and nobody waits for the end")
    func purge() throws {
      try folder.makeFolder("d")
      var graph = GraphText()
      graph.add("file", "d", ["path": folder["d"] + "/", "state": "exists", "recurse": true, "purge": true])
      graph.add(
        "exec", "e",
        [
          "cmd": "echo x >\(folder["d"])/x", "shell": "/bin/sh", "env": ["PATH": "/usr/bin:/bin"],
          "ifcmd": "[ ! -e \(folder["d"])/x ]", "ifshell": "/bin/sh", "watchfiles": [folder["d"] + "/x"],
        ])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("the fight") { $0.name == "fight" }
      #expect(poll { agent.events.last { $0.name == "converged" || $0.name == "stalled" }?.name == "stalled" })
      #expect(try agent.stop().status == 1)
      let began = news(agent).filter { $0.members["fight"] as? Bool == true }
      #expect(!began.isEmpty && Set(began.compactMap(\.resource)).count == began.count, "told once each")
      let first = try #require(began.first)
      #expect(notes(first).contains(first.resource == "exec[e]" ? "file[d]" : "exec[e]"), "\(notes(first))")
    }
  }
}
