// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Signals to an agent that watches.
  @Suite struct Signals {
    @Test("^C with 1,000 watched files ends with 0", arguments: [SIGINT, SIGTERM])
    func interrupt(_ number: Int32) throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      let agent = try AgentProcess(folder, graph: GraphText.files(1000, in: folder["files"]) { "\($0)\n" })
      agent.expectConverged()
      agent.running.signal(number)
      let finished = try agent.running.wait()
      #expect(finished.status == 0, "\(finished.err)")
      #expect(agent.end?.members["resources"] as? Int == 1000)
      #expect(agent.end?.members["changed"] as? Int == 1000)
      let name = number == SIGINT ? "^C" : "SIGTERM"
      #expect(agent.events.contains { ($0.members["text"] as? String)?.contains("interrupted by \(name)") ?? false })
      #expect(folder.names("files").count == 1000)
    }

    @Test("SIGUSR1 pauses: what happens meanwhile is put right after SIGUSR2")
    func pause() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "asked\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      func said(_ text: String) -> (AgentProcess.Event) -> Bool { { ($0.members["text"] as? String)?.contains(text) ?? false } }
      agent.running.signal(SIGUSR1)
      agent.expect("paused", said("no check runs"))
      try folder.write("f", "by hand\n")
      agent.running.signal(SIGUSR2)
      #expect(poll { folder.read("f") == "asked\n" })
      #expect(try agent.stop().status == 0)
      let events = agent.events
      let paused = try #require(events.firstIndex(where: said("no check runs")))
      let resumed = try #require(events.firstIndex(where: said("going on")))
      #expect(!events[paused..<resumed].contains { $0.name == "check-started" })
    }

    @Test("SIGQUIT prints where every resource stands, and the agent goes on")
    func quit() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["good"], "good\n")
      graph.file(folder["missing/bad"], "bad\n")
      graph.add("noop", "after")
      graph.shell("long", "while [ ! -e \(folder["go"]) ]; do sleep 0.02; done")
      graph.add("noop", "later")
      graph.edge("file[bad]", "noop[after]")
      graph.edge("exec[long]", "noop[later]")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--no-autogroup"])
      agent.expect("a failure") { $0.resource == "file[bad]" && $0.status == "failed" }
      #expect(poll { folder.read("good") == "good\n" })
      agent.running.signal(SIGQUIT)
      #expect(poll { agent.running.err.contains("noop[later]") })
      let lines = agent.running.err.split(separator: "\n").map(String.init)
      func line(_ id: String) -> String { lines.first { $0.contains("  \(id)") } ?? "" }
      #expect(line("file[good]").contains("ok") && line("file[good]").contains("changed once"), "\(lines)")
      #expect(line("file[bad]").contains("failed") && line("file[bad]").contains("no such directory"), "\(lines)")
      #expect(line("exec[long]").contains("running"), "\(lines)")
      #expect(line("noop[later]").contains("waits for exec[long]"), "\(lines)")
      #expect(line("noop[after]").contains("file[bad]"), "\(lines)")

      try folder.write("good", "spoiled\n")
      #expect(poll { folder.read("good") == "good\n" }, "it does not go on")
      try folder.write("go", "")
      agent.expect("the command's end") { $0.resource == "exec[long]" && $0.status == "changed" }
      #expect(try agent.stop().status == 1)
      #expect(agent.end?.members["failed"] as? [String] == ["file[bad]"])
    }

    @Test("^C before the first check is done: nothing is half done, nothing hangs")
    func early() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      let agent = try AgentProcess(folder, graph: GraphText.files(3000, in: folder["files"]) { "\($0) is whole\n" })
      agent.expect("a check") { $0.name == "check-ended" }
      let finished = try agent.stop()
      let unchecked = agent.end?.members["unchecked"] as? [String] ?? []
      #expect(finished.status == (unchecked.isEmpty ? 0 : 1))
      let names = folder.names("files")
      #expect(names.allSatisfy { Int($0) != nil }, "temporary files are left")
      for name in names { #expect(folder.read("files/\(name)") == "\(name) is whole\n") }
      #expect(names.count + unchecked.count >= 3000)
    }

    @Test("a reader of the events that goes away does not end the agent")
    func brokenPipe() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      try folder.write("graph.yaml", graph.text)
      let script =
        "{ \(Mgmt.binary) run --json --prefix state yaml graph.yaml & echo $! >pid; wait $!; echo $? >status; } | head -n 1 >first"
      let shell = try Running(["/bin/sh", "-c", script], folder: folder)
      #expect(poll { folder.read("f") == "as asked\n" && folder.read("first")?.isEmpty == false })
      for _ in 0..<20 {
        try folder.write("f", "spoiled\n")
        #expect(poll { folder.read("f") == "as asked\n" })
      }
      let pid = try #require(folder.read("pid").flatMap { pid_t($0.dropLast()) })
      kill(pid, SIGINT)
      kill(pid, SIGTERM)
      #expect(poll { folder.read("status")?.isEmpty == false })
      _ = try shell.wait()
    }
  }
}
