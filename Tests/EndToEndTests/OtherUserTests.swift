// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// The agent is root's, the directory another user's.
  @Suite("Other users", .enabled(if: Mgmt.isRoot, "only root gives files away")) struct OtherUsers {
    let folder: TemporaryFolder
    private let nobody: uid_t = 65534

    init() throws {
      folder = try TemporaryFolder()
      try folder.makeFolder("home")
      chown(folder["home"], nobody, nobody)
    }

    private func status(_ name: String) -> stat? {
      var status = stat()
      return lstat(folder[name], &status) == 0 ? status : nil
    }

    private func asUser(_ script: String) throws -> Running {
      try Running(
        [
          "/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/bin/sh", "-c", script, "sh",
          folder["home"],
        ])
    }

    @Test("a name that its user swaps all the time gives nothing of root's away")
    func swap() throws {
      try folder.write("home/secret", "root's")
      chmod(folder["home/secret"], 0o600)
      let attack = try asUser(
        "cd \"$1\"; echo mine > own; while :; do cp own f 2>/dev/null; mv -f secret f; mv -f f secret; rm -f f; done")
      defer { attack.signal(SIGKILL) }
      #expect(poll { folder.exists("home/own") })
      var graph = GraphText()
      graph.add("file", "f", ["path": folder["home/f"], "owner": "65534", "mode": "0644"], meta: "retry: -1")
      let agent = try AgentProcess(folder, graph: graph.text)
      // It got its turn while the names changed.
      agent.expect("a change or an error") { $0.resource == "file[f]" && $0.name != "started" }
      _ = poll(bound: 2) { !attack.process.isRunning }
      attack.signal(SIGKILL)
      _ = try attack.wait()
      _ = try agent.stop()
      for name in ["home/secret", "home/f"] {
        guard folder.read(name) == "root's", let status = status(name) else { continue }
        #expect(status.st_uid == 0 && status.st_mode & 0o7777 == 0o600, "\(name)")
      }
    }

    @Test("a shell made ready for root's name is no shell of root's")
    func program() throws {
      let made = try asUser("cp /bin/sh \"$1/tool\" && chmod 4755 \"$1/tool\"").wait()
      #expect(made.status == 0)
      var graph = GraphText()
      graph.add("file", "tool", ["path": folder["home/tool"], "owner": "root"])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      _ = try agent.stop()
      let found = try #require(status("home/tool"))
      #expect(found.st_uid == 0 && found.st_mode & 0o7777 == 0o755)
    }

    @Test("contents that others may not read are in no plan and no event")
    func secrets() throws {
      var graph = GraphText()
      graph.add("file", "key", ["path": folder["key"], "content": "the-pass-phrase", "mode": "0600"])
      try folder.write("plan.yaml", graph.text)
      let plan = try Mgmt.run(["graph", "yaml", folder["plan.yaml"], "--plan"])
      #expect(plan.status == 2 && !(plan.out + plan.err).contains("the-pass-phrase"))
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      let ended = try agent.stop()
      #expect(!(ended.out + ended.err).contains("the-pass-phrase"))
      #expect(folder.read("key") == "the-pass-phrase")
    }
  }
}
