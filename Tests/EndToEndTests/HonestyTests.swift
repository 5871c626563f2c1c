// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Convergence is claimed only when every resource was checked and is as asked.
  @Suite struct Honesty {
    @Test("a failed resource and those that wait for it: no convergence, status 1, all are named")
    func failure() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("exec", "bad", ["cmd": "/bin/false"])
      graph.add("noop", "after")
      graph.file(folder["after that"], "never\n")
      graph.file(folder["beside"], "made\n")
      graph.edge("exec[bad]", "noop[after]")
      graph.edge("noop[after]", "file[after that]")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 1)
      #expect(!agent.claimedConvergence)
      #expect(agent.events.contains { $0.name == "stalled" })
      let end = try #require(agent.end)
      #expect(end.members["exit"] as? Int == 1)
      #expect(end.members["resources"] as? Int == 4)
      #expect(end.members["failed"] as? [String] == ["exec[bad]"])
      #expect(Set(end.members["unchecked"] as? [String] ?? []) == ["noop[after]", "file[after that]"])
      #expect(folder.read("beside") == "made\n")
      #expect(!folder.exists("after that"))
    }

    @Test("the text for people names them too")
    func text() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("exec", "bad", ["cmd": "/bin/false"])
      graph.add("noop", "after")
      graph.edge("exec[bad]", "noop[after]")
      try folder.write("graph.yaml", graph.text)
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", folder["graph.yaml"]])
      #expect(finished.status == 1)
      for text in ["failed: exec[bad]", "never checked: noop[after] (after exec[bad])", "not converged", "exit status 1"] {
        #expect(finished.err.contains(text), "\(text) is not in\n\(finished.err)")
      }
      #expect(!finished.err.contains("converged for"))
    }

    @Test("a failure is not forgotten when the agent is ended by a signal")
    func signal() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("exec", "bad", ["cmd": "/bin/false"])
      graph.file(folder["f"], "made\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("stalled") { $0.name == "stalled" }
      #expect(try agent.stop().status == 1)
      #expect(!agent.claimedConvergence)
    }

    @Test("what failed is tried again after an event, and convergence is claimed once it is mended")
    func mended() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["sub/f"], "made\n")
      graph.add("noop", "after")
      graph.edge("file[f]", "noop[after]")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("stalled") { $0.name == "stalled" }
      #expect(!agent.claimedConvergence)
      try folder.makeFolder("sub")
      agent.expectConverged()
      #expect(folder.read("sub/f") == "made\n")
      #expect(try agent.stop().status == 0)
      #expect(agent.end?.members["failed"] as? [String] == [])
    }

    @Test("an empty graph converges", arguments: [true, false])
    func empty(_ isFrontend: Bool) throws {
      let folder = try TemporaryFolder()
      try folder.write("graph.yaml", "graph: nothing\nresources: {}\n")
      let frontend = isFrontend ? ["empty"] : ["yaml", folder["graph.yaml"]]
      let finished = try Mgmt.run(["run", "--json", "--prefix", folder["state"], "--converged-timeout=0"] + frontend)
      #expect(finished.status == 0, "\(finished.err)")
      #expect(finished.out.contains("\"converged\":true"))
    }

    @Test("of 200 files five cannot be made: the others are, the five are named")
    func mix() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      let bad = Set([3, 50, 99, 150, 199])
      var graph = GraphText()
      for number in 0..<200 { graph.file(folder["\(bad.contains(number) ? "missing" : "files")/\(number)"], "\(number)") }
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 1)
      #expect(!agent.claimedConvergence)
      #expect(Set(agent.end?.members["failed"] as? [String] ?? []) == Set(bad.map { "file[\($0)]" }))
      #expect(folder.names("files").count == 195)
    }

    @Test("--converged-exit waits for nothing that cannot come: without a first graph it ends with an error")
    func noGraph() throws {
      let folder = try TemporaryFolder()
      let finished = try Mgmt.run(
        ["run", "--json", "--prefix", folder["state"], "--converged-timeout=0", "yaml", folder["none.yaml"]])
      #expect(finished.status == 1)
      #expect(!finished.out.contains("\"converged\":true"))
      #expect(finished.out.contains("none.yaml"))
    }
  }
}
