// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Many edits while things run: nothing leaks, nothing is lost, nothing is done twice.
  @Suite struct Swaps {
    private static let size = 200

    /// Numbered files, the content of each with the number of the edit that last changed it, in a chain of ten at a time; and a
    /// command that runs at each edit.
    private func graph(_ folder: TemporaryFolder, _ versions: [Int]) -> String {
      var graph = GraphText()
      for (number, version) in versions.enumerated() { graph.file(folder["files/\(number)"], "\(version)\n", "\(number)") }
      for number in versions.indices where number % 10 != 0 { graph.edge("file[\(number - 1)]", "file[\(number)]") }
      graph.shell("busy", "sleep 0.03", watchfiles: [folder["trigger"]])
      return graph.text
    }

    private func threads(_ agent: AgentProcess) -> Int { agent.processStatus("Threads") ?? -1 }

    private func graphs(_ agent: AgentProcess) -> Int { agent.events.filter { $0.name == "graph" }.count }

    @Test("60 edits of one of 200 resources while checks run: only what changed is checked, and nothing grows")
    func oneEach() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      try folder.write("trigger", "")
      var versions = [Int](repeating: 0, count: Self.size)
      try folder.makeFolder("plugins")
      let agent = try AgentProcess(folder, graph: graph(folder, versions), options: ["--plugin-path", folder["plugins"]])
      agent.expectConverged()
      // The directories of plugins are watched from the first second on: one descriptor more. With news of plugins the graph is
      // read again.
      try folder.write("plugins/none.so", "")
      agent.expect("a word about what is no plugin") { ($0.members["text"] as? String)?.contains("none.so") == true }
      #expect(poll { graphs(agent) == 2 })
      func edit(_ number: Int) throws {
        versions[(number * 37) % Self.size] = number
        try folder.write("trigger", "\(number)")
        try agent.edit(graph(folder, versions))
        #expect(poll { graphs(agent) == number + 2 }, "edit \(number) was not taken")
      }
      // What the first edits allocate once is not what this is about.
      for number in 1...20 { try edit(number) }
      _ = agent.settled(graph: 21)
      let before = (fds: agent.descriptorCount, threads: threads(agent), memory: agent.processStatus("VmRSS") ?? 0)
      for number in 21...80 { try edit(number) }
      _ = agent.settled(graph: 81)
      for number in 0..<Self.size { #expect(folder.smallText("files/\(number)") == "\(versions[number])\n") }
      #expect(poll { agent.descriptorCount <= before.fds }, "\(agent.descriptorCount) descriptors, \(before.fds) before")
      #expect(poll { threads(agent) <= before.threads }, "\(threads(agent)) threads, \(before.threads) before")
      let memory = agent.processStatus("VmRSS") ?? 0
      #expect(memory <= before.memory * 6 / 5, "\(memory) kB, \(before.memory) kB before")
      #expect(try agent.stop().status == 0)

      var edits = 0
      var checks = [Int](repeating: 0, count: Self.size)
      var wasChanged = [Bool](repeating: false, count: Self.size)
      for event in agent.events {
        if event.name == "graph", event.members["removed"] as? Int != 0 {
          edits += 1
          #expect(AgentProcess.counts(event) == [Self.size + 1, Self.size, 1, 1])
        }
        guard event.name == "check-ended", let resource = event.resource, resource.hasPrefix("file[") else { continue }
        let number = try #require(Int(resource.dropFirst(5).dropLast()))
        // A command that is started while a file is written inherits its descriptor for a moment: that closes later, an event.
        let isEcho = event.status == "ok" && wasChanged[number]
        #expect(event.status == "changed" || isEcho, "\(resource) is checked although nothing happened to it")
        wasChanged[number] = !isEcho
        if !isEcho { checks[number] += 1 }
      }
      #expect(edits == 80)
      for number in 0..<Self.size {
        let wanted = 1 + (1...80).count { ($0 * 37) % Self.size == number }
        #expect(checks[number] == wanted, "file[\(number)]: \(checks[number]) checks, \(wanted) reasons")
      }
    }

    @Test("edits faster than they can be taken: the last one counts, and no resource is lost")
    func faster() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      try folder.write("trigger", "")
      var versions = [Int](repeating: 0, count: Self.size)
      let agent = try AgentProcess(folder, graph: graph(folder, versions))
      for number in 1...60 {
        for step in 0..<5 { versions[(number * 37 + step * 11) % Self.size] = number }
        try folder.write("trigger", "\(number)")
        try agent.edit(graph(folder, versions))
      }
      #expect(
        poll(bound: 60) { (0..<Self.size).allSatisfy { folder.smallText("files/\($0)") == "\(versions[$0])\n" } },
        "\(agent.running.out.suffix(2000))")
      _ = agent.settled(graph: 0)
      try folder.write("files/7", "spoiled\n")
      #expect(poll { folder.smallText("files/7") == "\(versions[7])\n" })
      #expect(try agent.stop().status == 0)
      #expect(agent.end?.members["resources"] as? Int == Self.size + 1)
      // No check of a resource begins before the one before it has ended.
      var running: Set<String> = []
      for event in agent.events {
        guard let resource = event.resource else { continue }
        if event.name == "check-started" { #expect(running.insert(resource).inserted, "\(resource)") }
        if event.name == "check-ended" { #expect(running.remove(resource) != nil, "\(resource)") }
      }
      #expect(running.isEmpty)
    }
  }
}

extension AgentProcess {
  /// Of a graph that began: vertices, kept, added, removed.
  fileprivate static func counts(_ event: Event) -> [Int] { [event].counts }
}
