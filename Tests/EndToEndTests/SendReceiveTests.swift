// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Values that one resource sends and others receive over edges.
  @Suite struct SendReceive {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A command that prints what is in `in`, as often as that changes.
    private func sender(_ graph: inout GraphText, _ folder: TemporaryFolder, _ name: String = "e") {
      graph.shell(name, "echo ran >>\(folder["runs"]); cat \(folder["in"])", watchfiles: [folder["in"]])
    }

    private func runs(_ folder: TemporaryFolder) -> Int { folder.read("runs")?.split(separator: "\n").count ?? 0 }

    /// Replaces the file whole, so that no half of it is ever sent.
    private func put(_ text: String, _ folder: TemporaryFolder) throws {
      try folder.write("in.new", text)
      #expect(rename(folder["in.new"], folder["in"]) == 0)
    }

    @Test("what a command prints becomes the content of a file, and so does each change of it")
    func content() throws {
      try put("first\n", folder)
      var graph = GraphText()
      sender(&graph, folder)
      graph.add("file", "f", ["path": folder["out"], "state": "exists"])
      graph.edge("exec[e]", "file[f]", receive: ["content": "stdout"])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(folder.read("out") == "first\n")
      #expect(agent.received == ["exec[e].stdout -> file[f].content"])
      for number in 0..<5 {
        try put("change \(number)\n", folder)
        #expect(poll { folder.read("out") == "change \(number)\n" }, "\(agent.running.out.suffix(2000))")
      }
      try folder.write("out", "spoiled\n")
      #expect(poll { folder.read("out") == "change 4\n" }, "what was received is not kept")
      // Events are written after the fact.
      #expect(poll { agent.received.count == 6 })
      let runsBefore = runs(folder)
      try put("change 4\n", folder)
      #expect(poll { runs(folder) > runsBefore })
      #expect(try agent.stop().status == 0)
      #expect(agent.received.count == 6, "the same value is received again")
    }

    @Test("values go on along a chain")
    func chain() throws {
      try put("one", folder)
      var graph = GraphText()
      graph.add("print", "p")
      graph.add("file", "f", ["path": folder["out"], "state": "exists"])
      for name in ["second", "first"] { graph.add("test", name) }
      sender(&graph, folder)
      graph.edge("exec[e]", "test[first]", receive: ["sendvalue": "output"])
      graph.edge("test[first]", "test[second]", receive: ["sendvalue": "hello", "int64": "answer"])
      graph.edge("test[second]", "file[f]", receive: ["content": "hello"])
      graph.edge("test[second]", "print[p]", receive: ["msg": "hello"])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(folder.read("out") == "one")
      #expect(agent.logged("print[p]") == ["Msg: one"])
      #expect(agent.logged("test[second]").last == "int64: 42, sendvalue: \"one\"")
      for text in ["two", "three"] {
        try put(text, folder)
        #expect(poll { folder.read("out") == text && agent.logged("print[p]").last == "Msg: \(text)" })
      }
      #expect(try agent.stop().status == 0)
    }

    @Test("types that cannot fit are refused with the graph, and those that would fit are named")
    func typesOfSchemas() throws {
      var graph = GraphText()
      graph.add("test", "t")
      graph.add("file", "f", ["path": folder["out"]])
      graph.edge("test[t]", "file[f]", receive: ["content": "answer"])
      let finished = try graphCommand(folder, graph.text)
      #expect(finished.status == 1)
      for text in ["\"content\" of file[f] is of type str", "\"answer\" of test[t] of type int", "hint: of type str: hello"] {
        #expect(finished.err.contains(text), "\(finished.err)")
      }
    }

    private func expectFailure(
      _ agent: AgentProcess, _ folder: TemporaryFolder, _ code: String, title: String, hint: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      agent.expect("the failure", sourceLocation: sourceLocation) {
        $0.resource == "file[f]" && $0.status == "failed"
          && (($0.members["diagnostic"] as? [String: Any])?["title"] as? String)?.contains(title) == true
      }
      let diagnostic = agent.failure("file[f]") ?? [:]
      #expect(diagnostic["code"] as? String == code, "\(diagnostic)", sourceLocation: sourceLocation)
      #expect((diagnostic["hint"] as? String)?.contains(hint) == true, "\(diagnostic)", sourceLocation: sourceLocation)
      let label = (diagnostic["labels"] as? [[String: Any]])?.first
      #expect(label?["file"] as? String == folder["graph.yaml"], "\(diagnostic)", sourceLocation: sourceLocation)
      #expect(label?["line"] as? Int ?? 0 > 0, "\(diagnostic)", sourceLocation: sourceLocation)
    }

    @Test("a value that is none of the choices, or is not valid, fails its receiver until a good one comes")
    func refused() throws {
      try put("exists", folder)
      var graph = GraphText()
      sender(&graph, folder)
      graph.add("file", "f", ["path": folder["out"], "content": "x\n"])
      graph.edge("exec[e]", "file[f]", receive: ["state": "stdout"])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(folder.read("out") == "x\n")

      try put("banana", folder)
      expectFailure(
        agent, folder, "receive.type", title: "state: the received value is none of the choices", hint: "\"exists\", \"absent\""
      )
      #expect((agent.failure("file[f]")?["notes"] as? [String])?.contains { $0.contains("exec[e]") } == true)
      // With content it cannot be absent: the kind says so itself.
      try put("absent", folder)
      agent.expect("another failure") { _ in
        (agent.failure("file[f]")?["notes"] as? [String])?.contains("with the values it received") == true
      }
      #expect(folder.read("out") == "x\n")

      // The very value it had before all that.
      try put("exists", folder)
      #expect(
        poll { agent.statuses("file[f]").last == "ok" },
        "it stays failed though the value is good again: \(agent.statuses("file[f]"))")
      unlink(folder["out"])
      #expect(poll { folder.read("out") == "x\n" })
      try put("", folder)
      #expect(poll { agent.statuses("file[f]").last == "ok" })
      let finished = try agent.stop()
      #expect(finished.status == 0, "\(finished.out.suffix(2000))")
    }

    @Test("a mode that is none fails with the word of its kind, and recovers")
    func invalidMode() throws {
      try put("nonsense", folder)
      var graph = GraphText()
      sender(&graph, folder)
      graph.add("file", "f", ["path": folder["out"], "state": "exists"])
      graph.edge("exec[e]", "file[f]", receive: ["mode": "stdout"])
      let agent = try AgentProcess(folder, graph: graph.text)
      expectFailure(agent, folder, "resource.invalid", title: "mode", hint: "u=rw,g=r,o=")
      #expect(!folder.exists("out"))
      try put("0640", folder)
      agent.expect("success") { $0.resource == "file[f]" && $0.status == "changed" }
      var status = stat()
      #expect(stat(folder["out"], &status) == 0 && status.st_mode & 0o777 == 0o640)
      agent.expectConverged()
      #expect(try agent.stop().status == 0)
    }

    @Test(
      "a value of the wrong type, from a field that may be of any, fails its receiver until a good one comes",
      .enabled(if: CPlugin.hasCompiler, "there is no C compiler"))
    func wrongType() throws {
      let plugins = try PluginFolder(folder)
      try CPlugin.compile(CPlugin.vault, to: plugins.path + "/vault.so")
      func graph(_ sends: String) -> String {
        var graph = GraphText()
        graph.add("vault", "v", ["path": folder["vault"], "sends": sends])
        graph.file(folder["out"], "written\n", "f")
        graph.add("test", "t")
        graph.edge("vault[v]", "file[f]", receive: ["content": "value"])
        graph.edge("vault[v]", "test[t]", receive: ["interface": "value"])
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph("text:good"), options: ["--plugin-path", plugins.path])
      agent.expectConverged()
      #expect(folder.read("out") == "good")
      try agent.edit(graph("number:5"))
      expectFailure(
        agent, folder, "receive.type", title: "content: the received value is not of type str", hint: "send a str")
      #expect((agent.failure("file[f]")?["notes"] as? [String]) == ["it was sent as value by vault[v]"])
      #expect(poll { agent.logged("test[t]").last == "interface: 5" }, "\(agent.logged("test[t]"))")
      #expect(folder.read("out") == "good")
      try agent.edit(graph("text:good"))
      #expect(poll { agent.statuses("file[f]").last == "ok" }, "\(agent.statuses("file[f]"))")
      try agent.edit(graph("number:6"))
      agent.expect("another failure") { _ in agent.statuses("file[f]").last == "failed" }
      try agent.edit(graph("text:better"))
      #expect(poll { folder.read("out") == "better" })
      let finished = try agent.stop()
      #expect(finished.status == 0, "\(finished.out.suffix(2000))")
    }

    @Test("test fails when other parameters receive than it expects")
    func expectrecv() throws {
      func graph(_ expected: [String]) -> String {
        var graph = GraphText()
        graph.add("test", "from", ["sendvalue": "hi"])
        graph.add("test", "to", ["expectrecv": expected])
        graph.edge("test[from]", "test[to]", receive: ["str": "hello", "int64": "answer"])
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph(["str"]))
      agent.expect("the failure") { $0.resource == "test[to]" && $0.status == "failed" }
      #expect(
        agent.failure("test[to]")?["title"] as? String
          == "expectrecv: 2 parameters received a value (str, int64), 1 were expected")
      try agent.edit(graph(["str", "int64"]))
      agent.expectConverged()
      #expect(agent.logged("test[to]").last?.contains("str: \"hi\", int64: 42") == true, "\(agent.logged("test[to]"))")
      try agent.edit(graph([]))
      agent.expect("another failure") { _ in agent.statuses("test[to]").last == "failed" }
      #expect(try agent.stop().status == 1)
    }

    // MARK: Edits

    @Test("a receiver that comes later gets what was sent before: the sender does not run again")
    func laterReceiver() throws {
      try put("sent once\n", folder)
      func graph(_ receivers: [String]) -> String {
        var graph = GraphText()
        sender(&graph, folder)
        for name in receivers {
          graph.add("file", name, ["path": folder[name], "state": "exists"])
          graph.edge("exec[e]", "file[\(name)]", receive: ["content": "output"])
        }
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph([]))
      agent.expectConverged()
      for number in 1...3 {
        try agent.edit(graph((1...number).map { "f\($0)" }))
        #expect(agent.settled(graph: number).counts == [number + 1, number, 1, 0])
        #expect(folder.read("f\(number)") == "sent once\n")
      }
      #expect(runs(folder) == 1)
      try put("sent anew\n", folder)
      #expect(poll { (1...3).allSatisfy { folder.read("f\($0)") == "sent anew\n" } })
      #expect(try agent.stop().status == 0)
      #expect(runs(folder) == 2)
    }

    @Test("an edge that receives no more: the value that was written counts again")
    func edgeRemoved() throws {
      try put("received\n", folder)
      func graph(receives: Bool) -> String {
        var graph = GraphText()
        sender(&graph, folder)
        graph.file(folder["out"], "written\n", "f")
        graph.edge("exec[e]", "file[f]", receive: receives ? ["content": "output"] : [:])
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph(receives: true))
      agent.expectConverged()
      #expect(folder.read("out") == "received\n")
      try agent.edit(graph(receives: false))
      #expect(agent.settled(graph: 1).counts == [2, 1, 1, 1])
      #expect(folder.read("out") == "written\n")
      try agent.edit(graph(receives: true))
      #expect(agent.settled(graph: 2).counts == [2, 1, 1, 1])
      #expect(folder.read("out") == "received\n")
      #expect(try agent.stop().status == 0)
      #expect(runs(folder) == 1)
    }

    @Test("an edit elsewhere keeps what was received: nobody is checked again")
    func keptReceiver() throws {
      try put("received\n", folder)
      func graph(_ other: String) -> String {
        var graph = GraphText()
        sender(&graph, folder)
        graph.add("file", "f", ["path": folder["out"], "state": "exists"])
        graph.file(folder["other"], other)
        graph.edge("exec[e]", "file[f]", receive: ["content": "output"])
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph("1"))
      agent.expectConverged()
      try agent.edit(graph("2"))
      let events = agent.settled(graph: 1)
      #expect(events.counts == [3, 2, 1, 1] && events.checked == ["file[other]"], "\(events.checked)")
      try folder.write("out", "spoiled\n")
      #expect(poll { folder.read("out") == "received\n" })
      #expect(try agent.stop().status == 0)
      #expect(runs(folder) == 1)
    }

    @Test("members of a group receive, too")
    func group() throws {
      try put("one", folder)
      var graph = GraphText()
      sender(&graph, folder)
      for name in ["a", "b", "c"] {
        graph.add("print", name)
        graph.edge("exec[e]", "print[\(name)]", receive: ["msg": "output"])
      }
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(agent.groups.count == 2)
      try put("two", folder)
      #expect(poll { ["a", "b", "c"].allSatisfy { agent.logged("print[\($0)]") == ["Msg: one", "Msg: two"] } })
      #expect(try agent.stop().status == 0)
    }

    @Test("a command that prints nothing leaves what is received undefined")
    func nothing() throws {
      var graph = GraphText()
      graph.shell("e", "true")
      graph.file(folder["out"], "written\n", "f")
      graph.edge("exec[e]", "file[f]", receive: ["content": "output"])
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(folder.read("out") == "", "the content is not managed, the file is")
    }
  }
}
