// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// How graphs run: order, edges, semaphores, and the options of `run`.
  @Suite struct GraphRun {
    @Test("one cause is told in full once, and in a line for each attempt and resource after that")
    func sameFailures() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("exec", "a", ["cmd": "/bin/false"], meta: "retry: 2")
      graph.add("exec", "b", ["cmd": "/bin/false"])
      try folder.write("graph.yaml", graph.text)
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", folder["graph.yaml"]])
      #expect(finished.status == 1)
      let lines = finished.err.split(separator: "\n")
      #expect(lines.count { $0.hasPrefix("error: ") } == 1, "\(finished.err)")
      #expect(lines.count { $0.contains("]: failed") } == 4, "\(finished.err)")
      #expect(lines.count { $0.contains("cmd: failed with exit status 1") } == 4, "\(finished.err)")
    }

    @Test("the example of four sleeps: two chains side by side, convergence after 5 s, a drawing")
    func example() throws {
      let folder = try TemporaryFolder()
      let source = try String(contentsOfFile: Mgmt.repository + "/examples/yaml/graph8.yaml", encoding: .utf8)
      try folder.write("graph8.yaml", source)
      let finished = try Mgmt.run(
        [
          "run", "--json", "--prefix", folder["state"], "--converged-timeout=5", "--graphviz=example1.dot", "yaml",
          "graph8.yaml",
        ], in: folder, bound: 120)
      #expect(finished.status == 0, "\(finished.err)")
      let lines = finished.out.split(separator: "\n").map(String.init)
      func position(_ event: String, _ name: String) throws -> Int {
        try #require(
          lines.firstIndex { $0.contains("\"event\":\"\(event)\"") && $0.contains("exec[\(name)]") }, "\(event) \(name)")
      }
      let firstEnd = min(try position("check-ended", "exec1"), try position("check-ended", "exec4"))
      #expect(try position("check-started", "exec1") < firstEnd)
      #expect(try position("check-started", "exec4") < firstEnd)
      #expect(try position("check-ended", "exec1") < position("check-started", "exec2"))
      #expect(try position("check-ended", "exec4") < position("check-started", "exec3"))
      #expect(try position("check-ended", "exec2") < position("check-started", "exec3"))
      let converged = try #require(lines.firstIndex { $0.contains("\"event\":\"converged\",\"converged\":true") })
      #expect(try position("check-ended", "exec3") < converged)
      #expect(lines.filter { $0.contains("check-started") }.count == 4)

      let drawing = try #require(folder.read("example1.dot"))
      for text in ["digraph", "exec[exec1]", "exec[exec2]", "exec[exec3]", "exec[exec4]", "->"] {
        #expect(drawing.contains(text))
      }
      if FileManager.default.isExecutableFile(atPath: "/usr/bin/dot") {
        let picture = try #require(FileManager.default.contents(atPath: folder["example1.dot.png"]))
        #expect(picture.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
      }
    }

    @Test("a notification makes a resource that listens run again, an edge without one does not")
    func notify() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      graph.add("noop", "listens", meta: "autogroup: false")
      graph.add("noop", "only after", meta: "autogroup: false")
      graph.shell("plain", "echo ran >>\(folder["ran"])")
      graph.edge("file[f]", "noop[listens]", notify: true)
      graph.edge("file[f]", "noop[only after]")
      graph.edge("file[f]", "exec[plain]", notify: true)
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      try folder.write("f", "spoiled\n")
      agent.expect(
        "the file is mended",
        { $0.resource == "file[f]" && $0.members["reason"] as? String == "corrective" && $0.status == "changed" })
      let mended = agent.events.count
      agent.expect("a second notification") { _ in
        agent.events.filter { $0.name == "log" && $0.resource == "noop[listens]" }.count >= 2
      }
      #expect(poll { folder.read("ran") == "ran\nran\n" }, "a notification is an event for a command, too")
      let finished = try agent.stop()
      #expect(finished.status == 0)
      #expect(agent.events.count > mended)
      #expect(agent.positions("check-started", "noop[only after]").count == 1)
      #expect(folder.read("ran") == "ran\nran\n")
    }

    @Test("--sema 1 never checks two resources at once")
    func semaphore() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      for number in 0..<20 { graph.add("exec", "e\(number)", ["cmd": "/bin/sleep 0.02"]) }
      for number in 0..<20 { graph.file(folder["f\(number)"], "\(number)") }
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--sema", "1", "--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      var running = 0
      for event in agent.events {
        if event.name == "check-started" { running += 1 }
        if event.name == "check-ended" { running -= 1 }
        #expect((0...1).contains(running))
      }
      #expect(agent.events.filter { $0.name == "check-ended" }.count >= 40)
    }

    @Test("--noop shows what would be changed, changes nothing, and converges")
    func noop() throws {
      let folder = try TemporaryFolder()
      try folder.write("old", "one\ntwo\n")
      var graph = GraphText()
      graph.file(folder["old"], "one\nthree\n")
      graph.file(folder["new"], "not made\n")
      graph.add("file", "gone", ["path": folder["old2"], "state": "absent"])
      graph.shell("e", "touch \(folder["touched"])")
      graph.edge("file[new]", "exec[e]")
      try folder.write("old2", "stays")
      try folder.write("graph.yaml", graph.text)
      let finished = try Mgmt.run(
        ["run", "--noop", "--converged-timeout=0", "--prefix", folder["state"], "yaml", folder["graph.yaml"]])
      #expect(finished.status == 2, "\(finished.err)")
      for text in ["--- content", "+++ content", "-two", "+three", "file[new]: would be changed", "exec[e]: would be changed"] {
        #expect(finished.err.contains(text), "\(text) is not in\n\(finished.err)")
      }
      #expect(finished.err.contains("\nconverged") || finished.err.contains(" converged"))
      #expect(folder.read("old") == "one\ntwo\n")
      #expect(folder.exists("old2"))
      #expect(!folder.exists("new"))
      #expect(!folder.exists("touched"))
    }
  }
}
