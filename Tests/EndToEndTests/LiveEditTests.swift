// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Edits of the YAML file while the agent runs.
  @Suite struct LiveEdit {
    /// The events after the `number`th graph began; waits for convergence there.
    private static func events(after number: Int, _ agent: AgentProcess) -> ArraySlice<AgentProcess.Event> {
      func found() -> ArraySlice<AgentProcess.Event>? {
        let all = agent.events
        let graphs = all.indices.filter { all[$0].name == "graph" }
        return graphs.count > number ? all[graphs[number]...] : nil
      }
      let came = poll { found()?.contains { $0.name == "converged" && $0.members["converged"] as? Bool == true } ?? false }
      #expect(came, "graph \(number) did not converge\n\(agent.running.out.suffix(2000))\n\(agent.running.err.suffix(2000))")
      return found() ?? []
    }

    private static func counts(_ event: AgentProcess.Event?) -> [Int] {
      ["vertices", "kept", "added", "removed"].map { event?.members[$0] as? Int ?? -1 }
    }

    @Test("one of 1,000 resources changes: that one is checked, no other is")
    func oneOfThousand() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      func graph(_ text: String) -> String { GraphText.files(1000, in: folder["files"]) { $0 == 500 ? text : "\($0)\n" } }
      let agent = try AgentProcess(folder, graph: graph("before\n"))
      agent.expectConverged()
      try agent.edit(graph("after\n"))
      let events = Self.events(after: 1, agent)
      #expect(Self.counts(events.first) == [1000, 999, 1, 1])
      #expect(folder.read("files/500") == "after\n")
      #expect(try agent.stop().status == 0)
      let checked = Self.events(after: 1, agent).filter { $0.name == "check-started" }.compactMap(\.resource)
      #expect(checked == ["file[500]"])
      #expect(folder.names("files").count == 1000)
    }

    @Test("one of 1,000 changes in a way that asks for no write: exactly one check")
    func oneCheck() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      func graph(_ force: Bool) -> String {
        var graph = GraphText()
        for number in 0..<1000 {
          let path = folder["files/\(number)"]
          graph.add(
            "file", "\(number)", ["path": path, "state": "exists", "content": "\(number)\n", "force": force && number == 7])
        }
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph(false))
      agent.expectConverged()
      try agent.edit(graph(true))
      let events = Self.events(after: 1, agent)
      #expect(Self.counts(events.first) == [1000, 999, 1, 1])
      #expect(try agent.stop().status == 0)
      let checked = Self.events(after: 1, agent).filter { $0.name == "check-started" }.compactMap(\.resource)
      #expect(checked == ["file[7]"])
    }

    @Test("an edit that changes nothing restarts nothing, a comment neither")
    func nothing() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      graph.shell("e", "echo ran >>\(folder["ran"])")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      try agent.edit("# a comment\n" + graph.text)
      agent.expect(
        "the second graph", { $0.name == "graph" && $0.members["kept"] as? Int == 2 && $0.members["added"] as? Int == 0 })
      #expect(try agent.stop().status == 0)
      #expect(folder.read("ran") == "ran\n")
    }

    @Test(
      "an invalid edit keeps the old graph running, and says where the mistake is",
      arguments: [
        ("graph: test\nresources:\n  file:\n    - name: [\n", "yaml", 4),
        ("graph: test\nresources:\n  fiel:\n    - name: f\n", "file", 3),
        ("graph: test\nresources:\n  file:\n    - name: f\n      contnt: x\n", "content", 5),
        ("graph: test\nresources:\n  file:\n    - name: f\n      path: /tmp/f\n      recurse: 7\n", "recurse", 6),
      ])
    func invalid(_ text: String, _ word: String, _ line: Int) throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      try agent.edit(text)
      agent.expect("a refusal") { $0.name == "graph-rejected" }
      let rejection = try #require(agent.events.last { $0.name == "graph-rejected" })
      let diagnostics = try #require(rejection.members["diagnostics"] as? [[String: Any]])
      #expect(agent.diagnosticText.contains(word), "\(agent.diagnosticText)")
      let label = try #require((diagnostics.first?["labels"] as? [[String: Any]])?.first, "\(diagnostics)")
      #expect((label["file"] as? String)?.hasSuffix("graph.yaml") == true)
      #expect(label["line"] as? Int == line || word == "yaml", "\(label)")
      #expect((label["column"] as? Int ?? 0) > 0)

      try folder.write("f", "spoiled\n")
      #expect(poll { folder.read("f") == "as asked\n" }, "the old graph does not repair any more")
      graph.file(folder["g"], "new\n")
      try agent.edit(graph.text)
      #expect(poll { folder.read("g") == "new\n" }, "a good edit after a bad one is not taken")
      #expect(try agent.stop().status == 0)
    }

    @Test("an edit while a command runs: it goes on, and is not started again")
    func whileRunning() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell(
        "e",
        "echo started >>\(folder["log"]); while [ ! -e \(folder["go"]) ]; do sleep 0.02; done; echo ended >>\(folder["log"])")
      let agent = try AgentProcess(folder, graph: graph.text)
      #expect(poll { folder.read("log") == "started\n" })
      graph.file(folder["f"], "new\n")
      try agent.edit(graph.text)
      #expect(poll { folder.read("f") == "new\n" }, "the new resource waits for the command of another")
      #expect(folder.read("log") == "started\n")
      try folder.write("go", "")
      agent.expectConverged()
      #expect(try agent.stop().status == 0)
      #expect(folder.read("log") == "started\nended\n")
    }

    @Test("a command that is taken out while it runs ends first, then its successor comes in")
    func replacedWhileRunning() throws {
      let folder = try TemporaryFolder()
      func graph(_ text: String) -> String {
        var graph = GraphText()
        graph.shell(
          "e",
          "echo \(text) >>\(folder["log"]); while [ ! -e \(folder["go"]) ]; do sleep 0.02; done; echo end >>\(folder["log"])")
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph("one"))
      #expect(poll { folder.read("log") == "one\n" })
      try agent.edit(graph("two"))
      try agent.edit(graph("three"))
      try folder.write("go", "")
      #expect(poll { folder.read("log")?.hasSuffix("three\nend\n") ?? false })
      agent.expectConverged()
      #expect(try agent.stop().status == 0)
      let log = try #require(folder.read("log"))
      #expect(log == "one\nend\nthree\nend\n" || log == "one\nend\ntwo\nend\nthree\nend\n", "\(log)")
    }

    @Test("resources and edges come and go; what is taken out is left as it is and no longer repaired")
    func comeAndGo() throws {
      let folder = try TemporaryFolder()
      var first = GraphText()
      first.file(folder["a"], "a\n")
      first.file(folder["b"], "b\n")
      let agent = try AgentProcess(folder, graph: first.text)
      agent.expectConverged()
      var second = GraphText()
      second.file(folder["b"], "b\n")
      second.file(folder["c"], "c\n")
      second.file(folder["d"], "d\n")
      second.edge("file[c]", "file[d]")
      try agent.edit(second.text)
      let events = Self.events(after: 1, agent)
      #expect(Self.counts(events.first) == [3, 1, 2, 1])
      let ends = agent.positions("check-ended", "file[c]").first ?? .max
      #expect(ends < agent.positions("check-started", "file[d]").first ?? .min)
      #expect(folder.read("a") == "a\n")
      try folder.write("a", "mine now\n")
      try folder.write("c", "spoiled\n")
      #expect(poll { folder.read("c") == "c\n" })
      #expect(folder.read("a") == "mine now\n")
      try agent.edit("graph: test\nresources: {}\n")
      agent.expect("an empty graph") { $0.name == "graph" && Self.counts($0) == [0, 0, 0, 3] }
      #expect(try agent.stop().status == 0)
      #expect(folder.read("d") == "d\n")
    }

    @Test("every way editors save", arguments: ["rename over", "in place", "remove and write", "backup and write", "link"])
    func editors(_ way: String) throws {
      let folder = try TemporaryFolder()
      func graph(_ text: String) -> String {
        var graph = GraphText()
        graph.file(folder["f"], text)
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph("0"))
      agent.expectConverged()
      let scripts = [
        "rename over": "mv graph.new graph.yaml", "in place": "cat graph.new >graph.yaml",
        "remove and write": "rm graph.yaml; cp graph.new graph.yaml",
        "backup and write": "mv graph.yaml graph.yaml~; cp graph.new graph.yaml",
        "link": "ln -f graph.new graph.yaml; rm graph.new",
      ]
      for number in 1...10 {
        try folder.write("graph.new", graph("\(number)"))
        let finished = try Mgmt.command(["/bin/sh", "-c", try #require(scripts[way])], in: folder)
        #expect(finished.status == 0, "\(finished.err)")
        #expect(
          poll { folder.read("f") == "\(number)" }, "save \(number) by \(way) was not seen\n\(agent.running.out.suffix(1000))")
      }
      #expect(try agent.stop().status == 0)
    }
  }
}
