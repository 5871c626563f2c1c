// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What a resource changed is put back when it leaves the graph, also by a later agent.
  @Suite struct Reversals {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func graph(_ content: String?, _ name: String = "f", path: String? = nil) -> String {
      var graph = GraphText()
      graph.file(folder["other"], "other\n")
      if let content { graph.file(folder[path ?? name], content, name, meta: "reverse: true") }
      return graph.text
    }

    /// The files that say how to put things back, below the prefix.
    private var records: [String] {
      folder.names("state/engine/state").map { "state/engine/state/\($0)/reverse" }.filter(folder.exists)
    }

    private func mode(_ name: String) -> mode_t {
      var status = stat()
      return lstat(folder[name], &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    /// An agent that runs until all is as asked.
    @discardableResult
    private func run(
      _ graph: String, _ options: [String] = [], status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
    )
      throws -> AgentProcess
    {
      let agent = try AgentProcess(folder, graph: graph, options: ["--converged-exit"] + options)
      let finished = try agent.running.wait()
      #expect(finished.status == status, "\(finished.out)\(finished.err)", sourceLocation: sourceLocation)
      return agent
    }

    // MARK: One agent

    @Test("a file that was made is removed when it leaves the graph, one that was there has its content and mode again")
    func liveEdit() throws {
      try folder.write("g", "old\n")
      chmod(folder["g"], 0o640)
      var first = GraphText()
      first.file(folder["f"], "new\n", meta: "reverse: true")
      first.add(
        "file", "g", ["path": folder["g"], "state": "exists", "content": "new\n", "mode": "0600"], meta: "reverse: true")
      first.file(folder["other"], "other\n")
      let agent = try AgentProcess(folder, graph: first.text)
      agent.expectConverged()
      #expect(folder.read("f") == "new\n" && folder.read("g") == "new\n" && mode("g") == 0o600)
      #expect(records.count == 2)
      for record in records { #expect(mode(record) == 0o600, "\(record)") }
      try folder.write("f", "changed by hand\n")
      #expect(poll { folder.read("f") == "new\n" })

      try agent.edit(graph(nil))
      let events = agent.settled(graph: 1)
      #expect(!folder.exists("f"))
      #expect(folder.read("g") == "old\n" && mode("g") == 0o640)
      #expect(events.counts == [3, 1, 2, 2], "two resources that put back, one that stays")
      #expect(folder.read("other") == "other\n")

      // The next graph has nothing to put back any more.
      try agent.edit("# once more\n" + graph(nil))
      #expect(agent.settled(graph: 2).counts == [1, 1, 0, 2])
      #expect(records.isEmpty)
      try folder.write("f", "mine\n")
      try folder.write("other", "spoiled\n")
      #expect(poll { folder.read("other") == "other\n" })
      #expect(try agent.stop().status == 0)
      #expect(folder.read("f") == "mine\n")
    }

    @Test("what is removed comes back, a link leads where it led")
    func removedAndLinks() throws {
      try folder.write("gone", "precious\n")
      symlink("old target", folder["link"])
      var first = GraphText()
      first.add("file", "gone", ["path": folder["gone"], "state": "absent"], meta: "reverse: true")
      first.add(
        "file", "link", ["path": folder["link"], "state": "exists", "symlink": true, "source": "new target"],
        meta: "reverse: true")
      let agent = try AgentProcess(folder, graph: first.text)
      agent.expectConverged()
      #expect(!folder.exists("gone"))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder["link"]) == "new target")
      try agent.edit("graph: test\nresources: {}\n")
      _ = agent.settled(graph: 1)
      #expect(folder.read("gone") == "precious\n")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder["link"]) == "old target")
      #expect(try agent.stop().status == 0)
      #expect(records.isEmpty)
    }

    @Test("many edits of the same resource: what comes back is what was there before the first")
    func edits() throws {
      try folder.write("f", "original\n")
      let agent = try AgentProcess(folder, graph: graph("0\n"))
      agent.expectConverged()
      for number in 1...5 {
        try agent.edit(graph("\(number)\n"))
        _ = agent.settled(graph: number)
        #expect(folder.read("f") == "\(number)\n" && records.count == 1)
      }
      try agent.edit(graph(nil))
      _ = agent.settled(graph: 6)
      #expect(folder.read("f") == "original\n")
      try agent.edit(graph("again\n"))
      _ = agent.settled(graph: 7)
      #expect(folder.read("f") == "again\n")
      try agent.edit(graph(nil))
      _ = agent.settled(graph: 8)
      #expect(folder.read("f") == "original\n")
      #expect(try agent.stop().status == 0)
      #expect(records.isEmpty)
    }

    @Test("reverse: false, and resources that changed nothing, leave nothing behind")
    func withoutReverse() throws {
      try folder.write("same", "same\n")
      var first = GraphText()
      first.file(folder["f"], "new\n")
      let agent = try AgentProcess(folder, graph: first.text)
      agent.expectConverged()
      try agent.edit("graph: test\nresources: {}\n")
      _ = agent.settled(graph: 1)
      #expect(folder.read("f") == "new\n" && records.isEmpty)
      #expect(try agent.stop().status == 0)
    }

    // MARK: Several agents

    @Test("the end of the agent puts nothing back; the next one does, if the resource is not in its graph")
    func restart() throws {
      try folder.write("f", "old\n")
      try run(graph("new\n"))
      #expect(folder.read("f") == "new\n" && records.count == 1)
      // Not before the resource has left the graph.
      try run(graph("newer\n"))
      #expect(folder.read("f") == "newer\n" && records.count == 1)
      try run(graph(nil))
      #expect(folder.read("f") == "old\n" && records.isEmpty)
    }

    @Test("a graph that changes while no agent runs: several resources, in any order")
    func severalRestarts() throws {
      var all = GraphText()
      for number in 0..<20 { all.file(folder["f\(number)"], "x", meta: "reverse: true") }
      try run(all.text)
      #expect(records.count == 20)
      var half = GraphText()
      for number in 0..<10 { half.file(folder["f\(number)"], "x", meta: "reverse: true") }
      try run(half.text)
      #expect((0..<20).allSatisfy { folder.exists("f\($0)") == ($0 < 10) } && records.count == 10)
      try run("graph: test\nresources: {}\n")
      #expect(!(0..<20).contains { folder.exists("f\($0)") } && records.isEmpty)
    }

    @Test("an agent that is killed: the next one puts back what it finds written down")
    func killed() throws {
      try folder.write("f", "old\n")
      let agent = try AgentProcess(folder, graph: graph("new\n"))
      agent.expectConverged()
      agent.running.signal(SIGKILL)
      _ = try agent.running.wait()
      #expect(folder.read("f") == "new\n" && records.count == 1)
      try run(graph(nil))
      #expect(folder.read("f") == "old\n" && records.isEmpty)
    }

    @Test("killed after it put back: the next one finds it done")
    func killedAfterwards() throws {
      try folder.write("f", "old\n")
      let agent = try AgentProcess(folder, graph: graph("new\n"))
      agent.expectConverged()
      try agent.edit(graph(nil))
      #expect(poll { folder.read("f") == "old\n" })
      agent.running.signal(SIGKILL)
      _ = try agent.running.wait()
      try run(graph(nil))
      #expect(folder.read("f") == "old\n" && records.isEmpty)
    }

    @Test("the same name for something else: refused until the first was put back")
    func otherResource() throws {
      try run(graph("a\n", path: "a"))
      let agent = try AgentProcess(folder, graph: graph("b\n", path: "b"))
      agent.expect("the failure") { $0.resource == "file[f]" && $0.status == "failed" }
      let failure = agent.failure("file[f]")
      #expect(failure?["title"] as? String == "existing, pending, reversible resource exists")
      #expect((failure?["notes"] as? [String])?.contains { $0.contains(folder["a"]) } == true, "\(failure ?? [:])")
      #expect((failure?["hint"] as? String)?.contains("another name") == true)
      #expect(!folder.exists("b") && folder.read("a") == "a\n")
      try agent.edit(graph("b\n", "g", path: "b"))
      #expect(poll { !folder.exists("a") && folder.read("b") == "b\n" }, "\(agent.running.out.suffix(2000))")
      #expect(try agent.stop().status == 0)
      #expect(records.count == 1)
    }

    // MARK: Bad records

    @Test(
      "a record that cannot be read is named and kept, everything else goes on",
      arguments: ["cut short", "garbage", "empty", "one bit", "for all to write", "folder", "link"])
    func corrupt(_ how: String) throws {
      try folder.write("f", "old\n")
      try folder.write("g", "old\n")
      var both = GraphText()
      both.file(folder["f"], "new\n", meta: "reverse: true")
      both.file(folder["g"], "new\n", meta: "reverse: true")
      try run(both.text)
      // The name is "f" in base64.
      let record = "state/engine/state/file-Zg/reverse"
      try #require(folder.exists(record), "\(records)")
      let good = try Data(contentsOf: URL(filePath: folder[record]))
      func replace(_ data: Data) throws { try data.write(to: URL(filePath: folder[record])) }
      switch how {
      case "cut short": try replace(good.dropLast(9))
      case "garbage": try replace(Data((0..<500).map { UInt8(truncatingIfNeeded: $0 &* 37) }))
      case "empty": try replace(Data())
      case "one bit":
        var bad = good
        bad[bad.startIndex + bad.count / 2] ^= 4
        try replace(bad)
      case "for all to write": chmod(folder[record], 0o666)
      case "folder":
        unlink(folder[record])
        try folder.makeFolder(record)
      default:
        try replace(good)
        #expect(rename(folder[record], folder["elsewhere"]) == 0 && symlink(folder["elsewhere"], folder[record]) == 0)
      }
      let agent = try run(graph(nil))
      let found = agent.events.filter { $0.name == "diagnostic" }.compactMap { $0.members["diagnostic"] as? [String: Any] }
      #expect(found.count == 1, "\(found)")
      #expect(found.first?["code"] as? String == "reversal.corrupt" && found.first?["severity"] as? String == "warning")
      #expect((found.first?["title"] as? String)?.contains(folder[record]) == true, "\(found)")
      #expect((found.first?["hint"] as? String)?.contains("remove the file") == true)
      #expect(folder.exists(record), "it is kept")
      #expect(folder.read("f") == "new\n" && folder.read("g") == "old\n" && folder.read("other") == "other\n")
    }

    @Test("an unreadable record does not keep its resource from being used")
    func corruptAndUsed() throws {
      try run(graph("new\n"))
      let record = try #require(records.first)
      try folder.write(record, "garbage")
      let agent = try run(graph("newer\n"))
      #expect(agent.diagnosticText.contains(folder[record]))
      #expect(folder.read("f") == "newer\n")
    }

    // MARK: What cannot be, and noop

    @Test("a directory cannot be put back: that is said, and nothing is made")
    func directory() throws {
      var graph = GraphText()
      graph.directory(folder["d"], "d", meta: "reverse: true")
      let agent = try run(graph.text, status: 1)
      let failure = agent.failure("file[d]")
      #expect((failure?["title"] as? String)?.contains("a directory cannot be reversed") == true, "\(failure ?? [:])")
      #expect((failure?["hint"] as? String)?.contains("reverse: false") == true)
      #expect((failure?["labels"] as? [[String: Any]])?.first?["line"] != nil)
      #expect(!folder.exists("d") && records.isEmpty)
    }

    @Test("--noop records nothing and puts nothing back")
    func noop() throws {
      try folder.write("f", "old\n")
      try run(graph("new\n"), ["--noop"], status: 2)
      #expect(folder.read("f") == "old\n" && records.isEmpty)
      try run(graph("new\n"))
      #expect(records.count == 1)
      let agent = try run(graph(nil), ["--noop"], status: 2)
      #expect(agent.statuses("file[f]").last == "differs")
      #expect(folder.read("f") == "new\n" && records.count == 1)
      let plan = try graphCommand(folder, graph(nil), "--plan")
      #expect(plan.status == 2 && plan.out.contains("file[f]: would be changed"), "\(plan.out)\(plan.err)")
      #expect(folder.read("f") == "new\n" && records.count == 1)
      try run(graph(nil))
      #expect(folder.read("f") == "old\n" && records.isEmpty)
    }

    @Test("a resource that is only looked at records nothing")
    func metaNoop() throws {
      try folder.write("f", "old\n")
      var graph = GraphText()
      graph.file(folder["f"], "new\n", meta: "reverse: true, noop: true")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      _ = try agent.running.wait()
      #expect(folder.read("f") == "old\n" && records.isEmpty)
    }
  }
}
