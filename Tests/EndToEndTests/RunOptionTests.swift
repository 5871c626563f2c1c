// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Options of `run` that say when it ends and where it keeps its state.
  @Suite struct RunOptions {
    @Test("the status file gets a line at each change of convergence")
    func statusFile() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converger-status-file", folder["status"]])
      agent.expectConverged()
      try folder.write("f", "spoiled\n")
      agent.expectConverged(times: 2)
      #expect(try agent.stop().status == 0)
      let lines = try #require(folder.read("status")).split(separator: "\n")
      let events = agent.events.filter { $0.name == "converged" }.map {
        $0.members["converged"] as? Bool == true ? "true" : "false"
      }
      #expect(lines.map(String.init) == events)
      #expect(lines.starts(with: ["true", "false", "true"]))
      var status = stat()
      #expect(stat(folder["status"], &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test("--max-runtime ends with an error that says so")
    func maxRuntime() throws {
      let folder = try TemporaryFolder()
      let finished = try Mgmt.run(["run", "--max-runtime", "1", "--prefix", folder["state"], "empty"])
      #expect(finished.status == 1)
      #expect(finished.err.contains("maximum runtime of 1 s"), "\(finished.err)")
    }

    @Test("--max-runtime ends a command that would run on")
    func maxRuntimeKills() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell("e", "echo $$ >\(folder["pid"]); exec sleep 600")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--max-runtime", "1"])
      #expect(try agent.running.wait().status == 1)
      let pid = try #require(folder.read("pid").flatMap { pid_t($0.dropLast()) })
      #expect(poll { !isRunning(pid) }, "the command still runs")
      #expect(agent.end?.members["cancelled"] as? [String] == ["exec[e]"])
    }

    @Test("--no-watch keeps the first graph, but still repairs")
    func noWatch() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "first\n")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--no-watch"])
      agent.expectConverged()
      var second = GraphText()
      second.file(folder["f"], "second\n")
      try agent.edit(second.text)
      try folder.write("f", "spoiled\n")
      #expect(poll { folder.read("f") == "first\n" })
      #expect(try agent.stop().status == 0)
      #expect(folder.read("f") == "first\n")
      #expect(agent.events.filter { $0.name == "graph" }.count == 1)
    }

    @Test("--tmp-prefix makes a directory of its own")
    func temporaryPrefix() throws {
      let folder = try TemporaryFolder()
      var prefixes: Set<String> = []
      for _ in 0..<2 {
        let finished = try Mgmt.run(
          ["run", "--json", "--tmp-prefix", "--hostname", "h1", "--converged-timeout=0", "empty"],
          environment: ["TMPDIR": folder.path])
        #expect(finished.status == 0, "\(finished.err)")
        let start = try #require(finished.out.split(separator: "\n").first)
        let object = try JSONSerialization.jsonObject(with: Data(start.utf8)) as? [String: Any]
        let prefix = try #require(object?["prefix"] as? String)
        #expect(prefix.hasPrefix(folder.path + "/mgmt-h1-"))
        #expect(object?["hostname"] as? String == "h1")
        prefixes.insert(prefix)
      }
      #expect(prefixes.count == 2)
    }

    @Test(
      "a name that is no host name is refused",
      arguments: ["-x", "a/b", "a..b", "a b", String(repeating: "a", count: 64), "../x"])
    func hostname(_ name: String) throws {
      let finished = try Mgmt.run(["run", "--tmp-prefix", "--hostname=\(name)", "--converged-timeout=0", "empty"])
      #expect(finished.status == 1)
      #expect(finished.err.contains("is not a host name") && finished.err.contains("--hostname"), "\(finished.err)")
    }

    @Test("a prefix that is a file is an error; with --allow-tmp-prefix another is used")
    func prefixIsFile() throws {
      let folder = try TemporaryFolder()
      try folder.write("prefix", "precious")
      for prefix in [folder["prefix"], folder["prefix/below"]] {
        let finished = try Mgmt.run(["run", "--prefix", prefix, "--converged-timeout=0", "empty"])
        #expect(finished.status == 1)
        #expect(
          finished.err.contains(prefix) && finished.err.contains("Not a directory") && finished.err.contains("--prefix"),
          "\(finished.err)")
        let allowed = try Mgmt.run(
          ["run", "--prefix", prefix, "--allow-tmp-prefix", "--converged-timeout=0", "empty"],
          environment: ["TMPDIR": folder.path])
        #expect(allowed.status == 0, "\(allowed.err)")
      }
      #expect(folder.read("prefix") == "precious")
      let both = try Mgmt.run(["run", "--prefix", "/tmp/x", "--tmp-prefix", "empty"])
      #expect(both.status == 1 && both.err.contains("exclude each other"))
    }
  }
}
