// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// The newest text of the graph is not what runs: everybody who asks is told, until it is.
  @Suite struct RefusedEdits {
    private static let bad = "graph: test\nresources:\n  fiel:\n    - name: f\n"

    private func graph(_ folder: TemporaryFolder) -> String {
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      return graph.text
    }

    private func status(_ folder: TemporaryFolder, _ options: String...) throws -> Finished {
      try Mgmt.run(["status", "--prefix", folder["state"]] + options)
    }

    private func json(_ finished: Finished) throws -> [String: Any] {
      let line = try #require(finished.out.split(separator: "\n").last, "\(finished.err)")
      return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    /// The value of a metric without labels.
    private func metric(_ agent: AgentProcess, _ name: String) throws -> String? {
      let prefix = "metrics: http://127.0.0.1:"
      let text = try #require(agent.logged().first { $0.hasPrefix(prefix) })
      let port = try #require(UInt16(text.dropFirst(prefix.count).prefix { $0.isNumber }))
      let answer = try ClientSocket(port: port).ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
      return lines(answer, after: name + " ").first.map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func expectRefusals(_ agent: AgentProcess, _ count: Int) {
      #expect(
        poll { agent.events.filter { $0.name == "graph-rejected" }.count >= count },
        "\(agent.running.out.suffix(2000))")
    }

    @Test("status, JSON and metrics name the edit that was refused, until the old text is back")
    func told() throws {
      let folder = try TemporaryFolder()
      let graph = graph(folder)
      let agent = try AgentProcess(folder, graph: graph, options: ["--prometheus", "--prometheus-listen", "127.0.0.1:0"])
      agent.expectConverged()
      #expect(poll { (try? status(folder).status) == 0 })
      #expect(try metric(agent, "mgmt_graph_refused") == "0")
      try agent.edit(Self.bad)
      expectRefusals(agent, 1)
      let text = try status(folder)
      #expect(text.status == 2 && text.out.contains("graph.yaml:3:3: unknown kind"), "\(text.out)")
      #expect(text.out.contains("refused   the newest graph, ") && !text.out.contains("all as asked"), "\(text.out)")
      try agent.edit(Self.bad + "    - name: g\n")
      expectRefusals(agent, 2)
      let object = try json(status(folder, "--json"))
      #expect(object["as_asked"] as? Bool == false)
      let refused = try #require(object["refused"] as? [String: Any], "\(object)")
      #expect(refused["count"] as? Int == 2 && abs((refused["time"] as? Double ?? 0) - Date().timeIntervalSince1970) < 3600)
      #expect((refused["diagnostic"] as? [String: Any])?["code"] as? String == "yaml.kind", "\(refused)")
      #expect(try metric(agent, "mgmt_graph_refused") == "1")
      #expect(try metric(agent, "mgmt_graph_refusals_total") == "2")
      // The text that runs comes back.
      try agent.edit(graph)
      #expect(poll { (try? status(folder).status) == 0 })
      #expect(try json(status(folder, "--json"))["refused"] == nil && metric(agent, "mgmt_graph_refused") == "0")
      #expect(try agent.stop().status == 0)
    }

    @Test("refused by the engine, as for a cycle: told as well, and the end of the run is a failure that says why")
    func engine() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: graph(folder))
      agent.expectConverged()
      var cycle = GraphText()
      for name in ["a", "b"] { cycle.add("noop", name) }
      cycle.edge("noop[a]", "noop[b]")
      cycle.edge("noop[b]", "noop[a]")
      try agent.edit(cycle.text)
      expectRefusals(agent, 1)
      #expect(try status(folder).status == 2)
      #expect(try agent.stop().status == 1)
      let diagnostic = (agent.end?.members["refused"] as? [String: Any])?["diagnostic"] as? [String: Any]
      #expect(diagnostic?["code"] as? String == "graph.cycle")
    }

    @Test("a graph file that is removed is told, and its return, as it was, makes up for it")
    func removed() throws {
      let folder = try TemporaryFolder()
      let graph = graph(folder)
      let agent = try AgentProcess(folder, graph: graph)
      agent.expectConverged()
      unlink(folder["graph.yaml"])
      expectRefusals(agent, 1)
      let finished = try status(folder)
      #expect(finished.status == 2 && finished.out.contains("cannot be found"), "\(finished.out)")
      try agent.edit(graph)
      #expect(poll { (try? status(folder).status) == 0 })
      #expect(try agent.stop().status == 0)
    }

    /// As people run it: words on standard error.
    private func run(_ folder: TemporaryFolder, _ options: String...) throws -> Running {
      try Running([Mgmt.binary, "run", "--prefix", folder["state"]] + options + ["yaml", folder["graph.yaml"]])
    }

    private func replace(_ folder: TemporaryFolder, _ text: String) throws {
      try folder.write("graph.new", text)
      #expect(rename(folder["graph.new"], folder["graph.yaml"]) == 0)
    }

    @Test("--converged-timeout on a graph that is not the newest text ends with 1 and says why")
    func convergedTimeout() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell("wait", "touch \(folder["began"]); while [ ! -e \(folder["go"]) ]; do sleep 0.02; done")
      try folder.write("graph.yaml", graph.text)
      let running = try run(folder, "--converged-timeout", "0")
      #expect(poll { folder.exists("began") })
      try replace(folder, Self.bad)
      #expect(poll { running.err.contains("this graph is not used") }, "\(running.err)")
      try folder.write("go", "")
      let finished = try running.wait()
      #expect(finished.status == 1)
      #expect(
        finished.err.contains("the newest graph was refused, this is about the one before: ")
          && finished.err.contains("graph.yaml:3:3: unknown kind"), "\(finished.err)")
    }

    @Test(
      "a bad save while the first graph is being prepared: the first goes on",
      .enabled(if: CPlugin.hasCompiler, "no C compiler"))
    func whilePreparing() throws {
      let folder = try TemporaryFolder()
      let plugins = try PluginFolder(folder)
      try CPlugin.compile(CPlugin.slow, to: plugins.path + "/slow.so")
      var graph = GraphText()
      graph.add("slow", folder["go"])
      graph.file(folder["f"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--plugin-path", plugins.path])
      #expect(poll { agent.logged().contains("preparing") }, "\(agent.running.out)\(agent.running.err)")
      try agent.edit(Self.bad)
      expectRefusals(agent, 1)
      #expect(!folder.exists("f") && agent.running.process.isRunning)
      try folder.write("go", "")
      agent.expectConverged()
      #expect(folder.read("f") == "as asked\n")
      #expect(try status(folder).status == 2)
      try agent.edit(graph.text)
      #expect(poll { (try? status(folder).status) == 0 })
      #expect(try agent.stop().status == 0)
    }

    @Test(
      "a first graph that is bad ends the agent, also when a kind prepared it",
      .enabled(if: CPlugin.hasCompiler, "no C compiler"))
    func firstIsBad() throws {
      let folder = try TemporaryFolder()
      let plugins = try PluginFolder(folder)
      try CPlugin.compile(CPlugin.slow, to: plugins.path + "/slow.so")
      try folder.write("go", "")
      var graph = GraphText()
      graph.add("slow", folder["go"])
      for name in ["one", "two"] { graph.file(folder["f"], name, name) }
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--plugin-path", plugins.path])
      #expect(try agent.running.wait().status == 1)
      #expect(agent.diagnosticText.contains("graph.same") && !folder.exists("f"))
    }

    @Test("a directory of the graph that is moved is a notice, and a graph that is gone; back again all is well")
    func movedDirectory() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("graphs")
      try folder.write("graphs/g.yaml", graph(folder))
      let running = try Running(
        [Mgmt.binary, "run", "--prefix", folder["state"], "--converger-timeout", "0", "yaml", folder["graphs/g.yaml"]])
      #expect(poll { (try? status(folder).status) == 0 })
      #expect(rename(folder["graphs"], folder["away"]) == 0)
      #expect(poll { (try? status(folder).status) == 2 })
      #expect(running.err.contains("put it back: then edits count again"), "\(running.err)")
      #expect(rename(folder["away"], folder["graphs"]) == 0)
      #expect(poll { (try? status(folder).status) == 0 }, "\(running.err)")
      var graph = GraphText()
      graph.file(folder["f"], "another\n")
      try folder.write("graphs/new", graph.text)
      #expect(rename(folder["graphs/new"], folder["graphs/g.yaml"]) == 0)
      #expect(poll { folder.read("f") == "another\n" })
      running.signal(SIGINT)
      #expect(try running.wait().status == 0)
    }
  }
}
