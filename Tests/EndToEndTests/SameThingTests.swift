// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What is one thing in two resources, and what is read while others write it.
  @Suite struct SameThings {
    @Test("two files of one path that ask for different things are refused, with both places, and nothing is changed")
    func twoFiles() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "hunter2", "one")
      graph.add("file", "two", ["dirname": folder.path + "/", "basename": "f", "content": "b", "path": "/x"])
      for options in [[], ["--compiled"], ["--plan"]] {
        try folder.write("graph.yaml", graph.text)
        let finished = try Mgmt.run(["graph", "yaml", folder["graph.yaml"], "--prefix", folder["state"]] + options)
        #expect(finished.status == 1, "\(options): \(finished.out)")
        #expect(finished.err.contains("file[two] and file[one] are the same thing and ask for different things"))
        #expect(finished.err.contains("graph.yaml:4:") && finished.err.contains("graph.yaml:8:"), "\(finished.err)")
        #expect(finished.err.contains("They differ in: state, content."), "\(finished.err)")
      }
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 1)
      #expect(!folder.exists("f"))
    }

    @Test("a path with and without slash is one thing: a file and a directory")
    func fileAndDirectory() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("file", folder["d"], ["state": "exists"])
      graph.add("file", folder["d/"], ["state": "exists"])
      let finished = try graphCommand(folder, graph.text)
      #expect(finished.status == 1 && finished.err.contains("the way it is spelled"), "\(finished.err)")
    }

    @Test("one unit by two names: refused; asked for alike: a warning; one to be running for a user: another unit")
    func units() throws {
      let folder = try TemporaryFolder()
      func graph(_ state: String, session: Bool = false) -> String {
        var graph = GraphText()
        graph.add("svc", "mgmt-e2e", ["state": "running"])
        graph.add("svc", "mgmt-e2e.service", ["state": state, "session": session])
        return graph.text
      }
      let refused = try graphCommand(folder, graph("stopped"))
      #expect(refused.status == 1 && refused.err.contains("They differ in: state."), "\(refused.err)")
      let warned = try graphCommand(folder, graph("running"))
      #expect(warned.status == 0 && warned.err.contains("are the same thing, twice"), "\(warned.err)")
      let other = try graphCommand(folder, graph("stopped", session: true))
      #expect(other.status == 0 && !other.err.contains("same thing"), "\(other.err)")
    }

    @Test("an edit that adds the same thing with another wish is refused; what runs goes on")
    func edit() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "a", "one")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      graph.file(folder["f"], "b", "two")
      try agent.edit(graph.text)
      agent.expect("a refusal") { $0.name == "graph-rejected" }
      #expect(agent.diagnosticText.contains("graph.same") && folder.read("f") == "a")
      try "other".write(toFile: folder["f"], atomically: false, encoding: .utf8)
      #expect(poll { folder.read("f") == "a" })
      _ = try agent.stop()
    }

    // MARK: What is read while others write it

    /// A directory of fragments, and what is joined of them, however the resources are named and written.
    private func fragments(_ folder: TemporaryFolder, _ count: Int) -> String {
      var graph = GraphText()
      graph.add("file", "all", ["path": folder["all"], "fragments": [folder["d/"]]])
      for number in 0..<count { graph.file(folder["d/\(number)"], "\(number)\n", "\(count - number) part") }
      graph.directory(folder["d"], "parts")
      return graph.text
    }

    @Test("a file joined of a directory comes after all that is managed in it, each time")
    func joined() throws {
      for run in 0..<40 {
        let folder = try TemporaryFolder(in: TemporaryFolder.memory)
        try folder.write("graph.yaml", fragments(folder, 9))
        let finished = try Mgmt.run([
          "run", "--prefix", folder["state"], "--converged-timeout", "0", "yaml", folder["graph.yaml"],
        ])
        let expected = (0..<9).map { "\($0)\n" }.joined()
        #expect(finished.status == 0 && folder.read("all") == expected, "run \(run): \(folder.read("all") ?? "none")")
      }
    }

    @Test("edges: from all entries of a fragment directory, from all below a source, from what brings an input along")
    func edges() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("file", "all", ["path": folder["d/deep/all"], "fragments": [folder["d/"]]])
      graph.directory(folder["d"], "d")
      graph.directory(folder["d/deep"], "deep")
      graph.file(folder["d/a"], "a", "a")
      graph.file(folder["d/deep/b"], "b", "b")
      graph.add("file", "copy", ["path": folder["copy/"], "source": folder["d/"], "recurse": true])
      graph.add("file", "part", ["path": folder["part"], "source": folder["copy/a"]])
      let finished = try graphCommand(folder, graph.text, "--compiled")
      #expect(finished.status == 0, "\(finished.err)")
      let edges = Set(lines(finished.out, after: "Edge: "))
      #expect(
        edges == [
          "file[d] -> file[deep]", "file[d] -> file[a]", "file[deep] -> file[b]", "file[deep] -> file[all]",
          "file[d] -> file[all]", "file[a] -> file[all]",
          "file[d] -> file[copy]", "file[deep] -> file[copy]", "file[a] -> file[copy]", "file[b] -> file[copy]",
          "file[all] -> file[copy]", "file[copy] -> file[part]",
        ])
    }
  }
}
