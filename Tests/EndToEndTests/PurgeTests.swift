// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// A directory that is purged keeps what other resources manage, and nothing else.
  @Suite struct Purge {
    let folder: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      try folder.makeFolder("d/old/deep")
      try folder.write("d/stranger", "x")
      try folder.write("d/old/deep/stranger", "x")
    }

    private func graph(_ files: [String], content: String = "managed\n") -> String {
      var graph = GraphText()
      for name in files { graph.file(folder["d/\(name)"], content, name) }
      graph.add("file", "d", ["path": folder["d"] + "/", "state": "exists", "recurse": true, "purge": true])
      return graph.text
    }

    private var all: [String] {
      ((try? FileManager.default.subpathsOfDirectory(atPath: folder["d"])) ?? []).sorted()
    }

    @Test("managed files are spared, also deep inside; strangers go, at once")
    func spared() throws {
      try folder.makeFolder("d/kept/below")
      try folder.write("d/kept/below/stranger", "x")
      let agent = try AgentProcess(folder, graph: graph(["a", "kept/below/b", ".hidden"]))
      agent.expectConverged()
      let expected = [".hidden", "a", "kept", "kept/below", "kept/below/b"]
      #expect(all == expected)
      for name in ["x", "kept/x", "kept/below/x"] {
        try folder.write("d/\(name)", "x")
        #expect(poll { all == expected }, "\(all)")
      }
      try folder.makeFolder("new/folder")
      #expect(rename(folder["new"], folder["d/new"]) == 0)
      #expect(poll { all == expected }, "\(all)")
      for name in ["a", "kept/below/b", ".hidden"] { #expect(folder.read("d/\(name)") == "managed\n") }
      #expect(try agent.stop().status == 0)
      #expect(all == expected)
    }

    @Test("a file that leaves the graph is removed by the purge, at once")
    func leaves() throws {
      let agent = try AgentProcess(folder, graph: graph(["a", "b", "c"]))
      agent.expectConverged()
      #expect(all == ["a", "b", "c"])
      try agent.edit(graph(["a", "c"]))
      #expect(poll { all == ["a", "c"] }, "\(all)")
      try agent.edit(graph(["c", "n"]))
      #expect(poll { all == ["c", "n"] }, "\(all)")
      try agent.edit(graph([]))
      #expect(poll { all == [] }, "\(all)")
      #expect(try agent.stop().status == 0)
    }

    @Test("a file that changes in the graph is never gone in between")
    func replaced() throws {
      let agent = try AgentProcess(folder, graph: graph(["a", "b"], content: "0\n"))
      agent.expectConverged()
      for number in 1...20 {
        try agent.edit(graph(["a", "b"], content: "\(number)\n"))
        _ = agent.settled(graph: number)
        #expect(folder.read("d/a") == "\(number)\n" && folder.read("d/b") == "\(number)\n")
      }
      #expect(try agent.stop().status == 0)
      for event in agent.events where event.name == "check-ended" {
        for change in event.members["changes"] as? [[String: Any]] ?? [] {
          let path = change["path"] as? String ?? ""
          #expect(!path.hasPrefix("/a") && !path.hasPrefix("/b"), "\(change)")
          if event.resource != "file[d]", event.members["reason"] as? String == "corrective" {
            #expect(path != "state", "it had gone: \(event.members)")
          }
        }
      }
    }

    @Test("--noop says what would be purged and removes nothing")
    func noop() throws {
      let before = all
      let finished = try graphCommand(folder, graph(["a"]), "--plan")
      #expect(finished.status == 2, "\(finished.err)")
      #expect(finished.out.contains("/stranger#state: \"exists\" -> \"absent\""), "\(finished.out)")
      #expect(finished.out.contains("/old#state: \"directory\" -> \"absent\""), "\(finished.out)")
      #expect(all == before)
    }

    @Test("two purged directories, one inside the other: each keeps to its own")
    func nested() throws {
      try folder.makeFolder("d/inner")
      try folder.write("d/inner/stranger", "x")
      func graph(inner: Bool) -> String {
        var graph = GraphText()
        graph.file(folder["d/inner/a"], "a", "a")
        graph.add("file", "d", ["path": folder["d"] + "/", "state": "exists", "recurse": true, "purge": true])
        if inner {
          graph.add("file", "inner", ["path": folder["d/inner"] + "/", "state": "exists", "recurse": true, "purge": true])
        }
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph(inner: true))
      agent.expectConverged()
      #expect(all == ["inner", "inner/a"])
      try agent.edit(graph(inner: false))
      _ = agent.settled(graph: 1)
      try folder.write("d/inner/x", "x")
      #expect(poll { all == ["inner", "inner/a"] }, "the outer one does not take over: \(all)")
      #expect(try agent.stop().status == 0)
    }
  }
}
