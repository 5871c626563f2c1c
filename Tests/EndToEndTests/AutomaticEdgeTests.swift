// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Edges nobody wrote: a file comes after the directory it is in, a command after its program.
  @Suite struct AutomaticEdges {
    /// Directories inside each other, three in each, four levels, a file in each; in an order of chance that is the same each time.
    private static func tree(_ root: String, seed: UInt64) -> (graph: String, parents: [(parent: String, child: String)]) {
      var items: [(path: String, name: String, isFile: Bool)] = []
      var parents: [(parent: String, child: String)] = []
      func grow(_ path: String, _ name: String, _ depth: Int) {
        items.append((path, name, false))
        items.append((path + "/leaf", name + ".leaf", true))
        parents.append(("file[\(name)]", "file[\(name).leaf]"))
        guard depth < 4 else { return }
        for number in 0..<3 {
          parents.append(("file[\(name)]", "file[\(name).\(number)]"))
          grow(path + "/\(number)", name + ".\(number)", depth + 1)
        }
      }
      grow(root, "d", 1)
      var state = seed
      for index in items.indices.reversed() {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        items.swapAt(index, Int(state >> 33) % (index + 1))
      }
      var graph = GraphText()
      for item in items {
        if item.isFile { graph.file(item.path, "\(item.name)\n", item.name) } else { graph.directory(item.path, item.name) }
      }
      return (graph.text, parents)
    }

    @Test("directories inside each other are made in order, however they are written", arguments: [1, 2, 3] as [UInt64])
    func nested(_ seed: UInt64) throws {
      let folder = try TemporaryFolder()
      let (graph, parents) = Self.tree(folder["tree"], seed: seed)
      let agent = try AgentProcess(folder, graph: graph, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 0, "\(finished.out.suffix(2000))\(finished.err)")
      #expect(Set(agent.automaticEdges) == Set(parents.map { "\($0.parent) -> \($0.child)" }))
      #expect(agent.automaticEdges.count == parents.count)
      let events = agent.events
      var first: [String: Int] = [:]
      var starts: [String: Int] = [:]
      for (position, event) in events.enumerated() {
        guard let resource = event.resource else { continue }
        if event.name == "check-started", starts[resource] == nil { starts[resource] = position }
        guard event.name == "check-ended" else { continue }
        // Later ones are about what was made meanwhile in the directories they are in.
        #expect(event.status == (first[resource] == nil ? "changed" : "ok"), "\(resource)")
        if first[resource] == nil { first[resource] = position }
      }
      for (parent, child) in parents { #expect(try #require(first[parent]) < #require(starts[child]), "\(parent) \(child)") }
    }

    private func pair(_ folder: TemporaryFolder, parentMeta: String = "", childMeta: String = "") -> String {
      var graph = GraphText()
      graph.file(folder["a/b"], "b\n", "b", meta: childMeta)
      graph.directory(folder["a"], "a", meta: parentMeta)
      return graph.text
    }

    @Test("a line of the log says which edges were added")
    func logLine() throws {
      let folder = try TemporaryFolder()
      try folder.write("graph.yaml", pair(folder))
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", folder["graph.yaml"]])
      #expect(finished.status == 0)
      let found = finished.err.split(separator: "\n").filter { $0.contains("AutoEdge") }
      #expect(found.count == 1 && found.first?.hasSuffix(" Compile: Adding AutoEdge: file[a] -> file[b]") == true, "\(found)")
    }

    @Test("the nearest directory counts, whether or not those between are managed")
    func nearest() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("a/b/c/d")
      var graph = GraphText()
      graph.file(folder["a/b/c/d/leaf"], "x\n", "leaf")
      graph.file(folder["a/side"], "x\n", "side")
      graph.file(folder["outside"], "x\n", "outside")
      graph.directory(folder["a"], "a")
      graph.directory(folder["a/b"], "b")
      let finished = try graphCommand(folder, graph.text, "--compiled")
      #expect(finished.status == 0, "\(finished.err)")
      #expect(
        lines(finished.out, after: "Edge: ") == ["file[a] -> file[b]", "file[a] -> file[side]", "file[b] -> file[leaf]"])
      let declared = try graphCommand(folder, graph.text)
      #expect(lines(declared.out, after: "Edge: ").isEmpty)
    }

    @Test("a command comes after the files of its programs, a file after its source and its fragments")
    func commands() throws {
      let folder = try TemporaryFolder()
      let programs = ["run", "if", "done", "watch"]
      var graph = GraphText()
      graph.add(
        "exec", "e",
        [
          "cmd": folder["bin/run"] + " argument", "ifcmd": folder["bin/if"], "donecmd": folder["bin/done"],
          "watchcmd": folder["bin/watch"], "env": ["PATH": "/usr/bin:/bin"],
        ])
      graph.add("file", "joined", ["path": folder["joined"], "fragments": [folder["one"], folder["two"]]])
      graph.add("file", "copy", ["path": folder["copy"], "source": folder["joined"]])
      graph.file(folder["two"], "two\n")
      graph.file(folder["one"], "one\n")
      for program in programs {
        graph.add(
          "file", program,
          [
            "path": folder["bin/\(program)"], "mode": "0755",
            "content": "#!/bin/sh\necho \(program) >>\(folder["log"])\n" + (program == "watch" ? "exec sleep 600\n" : ""),
          ])
      }
      graph.directory(folder["bin"], "bin")
      let agent = try AgentProcess(folder, graph: graph.text)
      // The command that watches is there only once its file is: the first attempt to watch comes before.
      agent.expect("the copy", { $0.resource == "file[copy]" && $0.status == "changed" })
      #expect(folder.read("copy") == "one\ntwo\n")
      var wanted = programs.map { "file[\($0)] -> exec[e]" } + programs.map { "file[bin] -> file[\($0)]" }
      wanted += ["file[one] -> file[joined]", "file[two] -> file[joined]", "file[joined] -> file[copy]"]
      #expect(agent.automaticEdges.sorted() == wanted.sorted())
      agent.expectOrder("file[one]", "file[joined]")
      agent.expectOrder("file[two]", "file[joined]")
      agent.expectOrder("file[joined]", "file[copy]")
      try agent.stopHard()
    }

    @Test("a program that is a resource is there before it is run")
    func program() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("exec", "e", ["cmd": folder["bin/program"]])
      graph.add(
        "file", "program",
        ["path": folder["bin/program"], "mode": "0755", "content": "#!/bin/sh\necho ran >\(folder["ran"])\n"])
      graph.directory(folder["bin"], "bin")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(folder.read("ran") == "ran\n")
      agent.expectOrder("file[program]", "exec[e]")
    }

    @Test("autoedge: false on either side, or --no-autoedges: no edge")
    func off() throws {
      let folder = try TemporaryFolder()
      let graphs = [
        pair(folder, parentMeta: "autoedge: false"), pair(folder, childMeta: "autoedge: false"),
      ]
      for graph in graphs {
        let finished = try graphCommand(folder, graph, "--compiled")
        #expect(finished.status == 0 && lines(finished.out, after: "Edge: ").isEmpty, "\(finished.out)")
      }
      let finished = try graphCommand(folder, pair(folder), "--compiled", "--no-autoedges")
      #expect(finished.status == 0 && lines(finished.out, after: "Edge: ").isEmpty, "\(finished.out)")

      try folder.makeFolder("a")
      let agent = try AgentProcess(folder, graph: pair(folder), options: ["--no-autoedges", "--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(agent.automaticEdges.isEmpty)
      let compiled = try #require(agent.events.first { $0.name == "compiled" })
      #expect(compiled.members["automatic_edges"] as? Int == 0)
      #expect(agent.events.first { $0.name == "graph" }?.members["edges"] as? Int == 0)
    }

    @Test("an edge that was written stays as it is: it notifies")
    func declaredStays() throws {
      let folder = try TemporaryFolder()
      try folder.write(
        "graph.yaml",
        pair(folder) + "edges:\n- {name: e, from: &a {kind: file, name: a}, to: &b {kind: file, name: b}, notify: true}\n")
      let finished = try Mgmt.run(["graph", "yaml", "--json", "--compiled", folder["graph.yaml"]])
      let object = try #require(try JSONSerialization.jsonObject(with: Data(finished.out.utf8)) as? [String: Any])
      let edges = try #require(object["edges"] as? [[String: Any]])
      #expect(edges.count == 1 && edges.first?["notify"] as? Bool == true && edges.first?["automatic"] == nil, "\(edges)")
    }

    @Test("an automatic edge that closes a cycle: the graph is refused with its name, the one before goes on")
    func cycle() throws {
      let folder = try TemporaryFolder()
      let good = pair(folder)
      let bad = good + "edges:\n- {name: e, from: {kind: file, name: b}, to: {kind: file, name: a}}\n"
      let agent = try AgentProcess(folder, graph: good)
      agent.expectConverged()
      try agent.edit(bad)
      agent.expect("a refusal") { $0.name == "graph-rejected" }
      let diagnostics = agent.events.last { $0.name == "graph-rejected" }?.members["diagnostics"] as? [[String: Any]]
      let diagnostic = try #require(diagnostics?.first)
      #expect(diagnostic["code"] as? String == "graph.cycle")
      #expect((diagnostic["title"] as? String)?.contains("file[a] -> file[b]") == true, "\(diagnostic)")
      #expect((diagnostic["notes"] as? [String])?.contains("file[a] -> file[b] is an automatic edge.") == true, "\(diagnostic)")
      #expect((diagnostic["hint"] as? String)?.contains("autoedge") == true, "\(diagnostic)")
      let labels = diagnostic["labels"] as? [[String: Any]]
      #expect(labels?.first?["text"] as? String == "file[b] -> file[a]", "\(labels ?? [])")

      try folder.write("a/b", "spoiled\n")
      #expect(poll { folder.read("a/b") == "b\n" }, "the graph before does not go on")
      try agent.edit(
        pair(folder, childMeta: "autoedge: false")
          + "edges:\n- {name: e, from: {kind: file, name: b}, to: {kind: file, name: a}}\n")
      agent.expect("the next graph") {
        $0.name == "graph" && $0.members["edges"] as? Int == 1 && $0.members["added"] as? Int == 1
      }
      #expect(try agent.stop().status == 0)

      let finished = try graphCommand(folder, bad)
      #expect(finished.status == 1 && finished.err.contains("is an automatic edge"), "\(finished.err)")
      let without = try graphCommand(folder, bad, "--no-autoedges")
      #expect(without.status == 0, "\(without.err)")
    }

    @Test("after an edit only edges that are new are logged")
    func edits() throws {
      let folder = try TemporaryFolder()
      func graph(_ names: [String], content: String = "x\n") -> String {
        var graph = GraphText()
        graph.directory(folder["a"], "a")
        for name in names { graph.file(folder["a/\(name)"], content, name) }
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph(["f", "g"]))
      #expect(agent.settled(graph: 0).isEmpty == false)
      #expect(agent.automaticEdges == ["file[a] -> file[f]", "file[a] -> file[g]"])
      let known = agent.automaticEdges.count

      try agent.edit(graph(["f", "g", "h"]))
      _ = agent.settled(graph: 1)
      #expect(agent.automaticEdges.dropFirst(known) == ["file[a] -> file[h]"])

      // All are replaced, the edges are those that were.
      try agent.edit(graph(["f", "g", "h"], content: "y\n"))
      #expect(agent.settled(graph: 2).counts == [4, 1, 3, 3])
      #expect(agent.automaticEdges.count == known + 1)
      let compiled = try #require(agent.events.last { $0.name == "compiled" })
      #expect(compiled.members["automatic_edges"] as? Int == 3)

      try agent.edit(graph(["g"], content: "y\n"))
      _ = agent.settled(graph: 3)
      try agent.edit(graph(["f", "g"], content: "y\n"))
      _ = agent.settled(graph: 4)
      #expect(agent.automaticEdges.dropFirst(known + 1) == ["file[a] -> file[f]"])
      #expect(try agent.stop().status == 0)
    }
  }
}
