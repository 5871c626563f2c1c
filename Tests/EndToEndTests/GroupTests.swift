// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Automatic groups: resources that no path joins become one vertex, where their kind can look after several.
  @Suite struct Groups {
    private static func prints(_ names: [String], meta: String = "") -> String {
      var graph = GraphText()
      for name in names { graph.add("print", name, ["msg": "message \(name)"], meta: meta) }
      return graph.text
    }

    private func messages(_ agent: AgentProcess) -> [String] {
      agent.events.filter { $0.name == "log" }.compactMap { $0.members["text"] as? String }.filter { $0.hasPrefix("Msg: ") }
    }

    private func vertices(_ agent: AgentProcess) -> Int? {
      agent.events.last { $0.name == "graph" }?.members["vertices"] as? Int
    }

    @Test("prints become one vertex, and each message is printed under its own name")
    func prints() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: Self.prints(["c", "a", "b"]), options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(agent.groups.count == 2 && Set(agent.groups.map { $0.split(separator: " ").last }).count == 1, "\(agent.groups)")
      #expect(vertices(agent) == 1)
      for name in ["a", "b", "c"] { #expect(agent.logged("print[\(name)]") == ["Msg: message \(name)"]) }
      #expect(agent.events.filter { $0.name == "check-started" }.count == 1)
      #expect(agent.end?.members["resources"] as? Int == 3 && agent.end?.members["changed"] as? Int == 3)
    }

    @Test("the text view says who was grouped with whom")
    func logLine() throws {
      let folder = try TemporaryFolder()
      try folder.write("graph.yaml", Self.prints(["a", "b"]))
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", folder["graph.yaml"]])
      #expect(finished.status == 0)
      let found = finished.err.split(separator: "\n").filter { $0.contains("Grouping") }
      #expect(found.count == 2, "\(found)")
      #expect(found.first?.hasSuffix("Compile: Grouping: Algorithm: nonReachabilityGrouper...") == true, "\(found)")
      #expect(found.last?.contains("Compile: Grouping: Success for: print[") == true, "\(found)")
    }

    @Test("noops group with each other, tests where their leader asks for it; kinds do not mix")
    func kinds() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      for name in ["a", "b"] {
        graph.add("noop", name)
        graph.add("print", name)
        graph.add("test", name, ["alwaysgroup": true])
        graph.add("test", name + " alone")
        graph.file(folder[name], "x")
      }
      let finished = try graphCommand(folder, graph.text, "--compiled")
      #expect(finished.status == 0)
      let groups = lines(finished.out, after: "Group: ")
      #expect(groups.contains { $0.hasPrefix("noop[") } && groups.contains { $0.hasPrefix("print[") }, "\(groups)")
      for group in groups {
        let parts = group.split(separator: ": ")
        #expect(parts.count == 2 && parts.first?.prefix { $0 != "[" } == parts.last?.prefix { $0 != "[" }, "\(group)")
      }
      // A test that does not ask for it leads none.
      #expect(!groups.contains { $0.hasPrefix("test[a alone]:") || $0.hasPrefix("test[b alone]:") }, "\(groups)")
      #expect(lines(finished.out, after: "Vertex: ").filter { $0.hasPrefix("file[") }.count == 2)

      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(agent.end?.members["resources"] as? Int == 10)
    }

    @Test("--no-autogroup and autogroup: false keep them apart")
    func off() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: Self.prints(["a", "b"]), options: ["--no-autogroup", "--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(agent.groups.isEmpty && vertices(agent) == 2 && messages(agent).count == 2)

      var graph = GraphText()
      graph.add("print", "a", ["msg": "a"])
      graph.add("print", "alone", ["msg": "alone"], meta: "autogroup: false")
      graph.add("print", "b", ["msg": "b"])
      let other = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try other.running.wait().status == 0)
      #expect(other.groups.count == 1 && !(other.groups.first?.contains("alone") ?? true), "\(other.groups)")
      #expect(vertices(other) == 2 && messages(other).count == 3)
    }

    @Test("what a path joins is not grouped: a chain stays a chain, the middle of a diamond becomes one")
    func order() throws {
      let folder = try TemporaryFolder()
      func graph(_ edges: [(String, String)]) -> String {
        var graph = GraphText()
        for name in ["a", "b", "c", "d"] { graph.add("print", name, ["msg": name]) }
        for (from, to) in edges { graph.edge("print[\(from)]", "print[\(to)]") }
        return graph.text
      }
      let chain = try AgentProcess(
        folder, graph: graph([("d", "b"), ("b", "c"), ("c", "a")]), options: ["--converged-exit"])
      #expect(try chain.running.wait().status == 0)
      #expect(chain.groups.isEmpty && vertices(chain) == 4)
      #expect(messages(chain) == ["Msg: d", "Msg: b", "Msg: c", "Msg: a"])

      let diamond = try AgentProcess(
        folder, graph: graph([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]), options: ["--converged-exit"])
      #expect(try diamond.running.wait().status == 0)
      #expect(diamond.groups.count == 1 && vertices(diamond) == 3)
      let printed = messages(diamond)
      #expect(printed.first == "Msg: a" && printed.last == "Msg: d" && printed.count == 4, "\(printed)")
    }

    @Test("edges of members are edges of their group")
    func edges() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell("first", "echo first >>\(folder["log"])")
      graph.shell("last", "echo last >>\(folder["log"])")
      for name in ["a", "b", "c"] { graph.add("print", name, ["msg": name]) }
      graph.edge("exec[first]", "print[a]")
      graph.edge("print[c]", "exec[last]")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(vertices(agent) == 3 && agent.events.first { $0.name == "graph" }?.members["edges"] as? Int == 2)
      let ended = agent.events.indices.filter { agent.events[$0].name == "check-ended" }.compactMap {
        agent.events[$0].resource
      }
      #expect(ended.count == 3 && ended.first == "exec[first]" && ended.last == "exec[last]", "\(ended)")
      #expect(folder.read("log") == "first\nlast\n")
    }

    @Test("a notification to a member is one to its group, a member's change notifies who comes after it")
    func notifications() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "x")
      for name in ["a", "b"] { graph.add("print", name, ["msg": name]) }
      graph.add("noop", "after")
      graph.edge("file[f]", "print[b]", notify: true)
      graph.edge("print[b]", "noop[after]", notify: true)
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(messages(agent).sorted() == ["Msg: a", "Msg: b"] && agent.logged("noop[after]").count == 1)
      unlink(folder["f"])
      #expect(poll { agent.logged("noop[after]").count == 2 }, "\(agent.running.out.suffix(2000))")
      #expect(try agent.stop().status == 0)
      #expect(messages(agent).sorted() == ["Msg: a", "Msg: a", "Msg: b", "Msg: b"])
    }

    // MARK: Failures

    /// A group of three tests, of which one fails, and what comes after the others.
    private func failing(_ name: String, _ folder: TemporaryFolder) -> String {
      var graph = GraphText()
      for test in ["a", "b", "c"] {
        graph.add("test", test, ["alwaysgroup": true, "waitforerror": test == name ? 5 : 0])
        graph.shell("after \(test)", "echo ran >>\(folder["ran"])")
        graph.edge("test[\(test)]", "exec[after \(test)]")
      }
      return graph.text
    }

    @Test(
      "one of a group fails: all of them have, and nothing that comes after any of them is done", arguments: ["a", "b", "c"])
    func failure(_ name: String) throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: failing(name, folder))
      agent.expect("quiet") { $0.name == "stalled" }
      let status = try Mgmt.run(["status", "--json", "--prefix", folder["state"]])
      #expect(status.status == 2 || status.status == 1, "\(status.err)")
      var states: [String: [String: Any]] = [:]
      for line in status.out.split(separator: "\n") {
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { continue }
        if let resource = object["resource"] as? String { states[resource] = object }
      }
      for test in ["a", "b", "c"] {
        #expect(states["test[\(test)]"]?["state"] as? String == "failed", "\(status.out)")
        #expect(states["exec[after \(test)]"]?["state"] as? String == "blocked", "\(status.out)")
      }
      #expect(states.values.filter { $0["leader"] != nil }.count == 2)
      let leader = try #require(states.values.first { $0["members"] != nil }?["resource"] as? String)
      let title = agent.failure(leader)?["title"] as? String
      #expect(title?.contains("it was asked to fail after 5 ms") == true, "\(title ?? "")")
      #expect(leader == "test[\(name)]" || title?.contains("(of test[\(name)])") == true, "\(title ?? "")")

      let finished = try agent.stop()
      #expect(finished.status == 1)
      #expect(agent.end?.members["failed"] as? [String] == ["test[a]", "test[b]", "test[c]"])
      #expect(agent.end?.members["unchecked"] as? [String] == ["exec[after a]", "exec[after b]", "exec[after c]"])
      #expect(!folder.exists("ran"))
    }

    @Test("a group that failed is tried as often as its leader says, and mended by an edit")
    func mended() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: failing("b", folder))
      agent.expect("quiet") { $0.name == "stalled" }
      try agent.edit(failing("none", folder))
      agent.expectConverged()
      #expect(try agent.stop().status == 0)
      #expect(folder.read("ran") == "ran\nran\nran\n")
    }

    // MARK: Edits

    @Test("members come and go: what was printed stays printed, what is new is printed")
    func edits() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: Self.prints(["a", "b", "c"]))
      agent.expectConverged()
      #expect(messages(agent).count == 3)
      try agent.edit(Self.prints(["a", "c"]))
      #expect(agent.settled(graph: 1).counts == [1, 0, 1, 1])
      #expect(messages(agent).count == 3)
      try agent.edit(Self.prints(["a", "c", "d"]))
      _ = agent.settled(graph: 2)
      #expect(messages(agent).dropFirst(3) == ["Msg: message d"])
      try agent.edit("# only a comment\n" + Self.prints(["a", "c", "d"]))
      #expect(agent.settled(graph: 3).counts == [1, 1, 0, 0])
      #expect(messages(agent).count == 4)
      try agent.edit(Self.prints(["d"]))
      #expect(agent.settled(graph: 4).counts == [1, 0, 1, 1])
      #expect(messages(agent).count == 4)
      #expect(try agent.stop().status == 0)
      #expect(agent.end?.members["resources"] as? Int == 1)
    }

    @Test("a member that becomes somebody's parent leaves the group")
    func newEdge() throws {
      let folder = try TemporaryFolder()
      let apart = Self.prints(["a", "b"])
      let agent = try AgentProcess(folder, graph: apart)
      agent.expectConverged()
      #expect(vertices(agent) == 1)
      try agent.edit(apart + "edges:\n- {name: e, from: {kind: print, name: b}, to: {kind: print, name: a}}\n")
      #expect(agent.settled(graph: 1).first?.members["vertices"] as? Int == 2)
      try agent.edit(apart)
      #expect(agent.settled(graph: 2).first?.members["vertices"] as? Int == 1)
      #expect(messages(agent).count == 2)
      #expect(try agent.stop().status == 0)
    }

    // MARK: Printing the graph

    @Test("graph --compiled has a line for each member, and edges between groups only")
    func compiled() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      for name in ["a", "b", "c"] { graph.add("noop", name) }
      graph.add("print", "p")
      graph.edge("print[p]", "noop[a]")
      graph.edge("noop[a]", "noop[b]")
      let compiled = try graphCommand(folder, graph.text, "--compiled")
      #expect(compiled.status == 0)
      let vertices = lines(compiled.out, after: "Vertex: ")
      let groups = lines(compiled.out, after: "Group: ")
      #expect(vertices.count == 3 && groups.count == 1, "\(compiled.out)")
      #expect(lines(compiled.out, after: "Edge: ").count == 2)
      let declared = try graphCommand(folder, graph.text)
      #expect(lines(declared.out, after: "Vertex: ").count == 4 && lines(declared.out, after: "Group: ").isEmpty)
      let without = try graphCommand(folder, graph.text, "--compiled", "--no-autogroup")
      #expect(without.out == declared.out)

      let json = try graphCommand(folder, graph.text, "--compiled", "--json")
      let object = try #require(try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any])
      let all = try #require(object["vertices"] as? [[String: Any]])
      let members = all.filter { $0["leader"] != nil }.compactMap { member in
        (member["leader"] as? String).map { "\($0): noop[\(member["name"] as? String ?? "")]" }
      }
      #expect(all.count == 4 && members == groups, "\(json.out)")
    }
  }
}
