// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What was written is on the disk before the agent ends by itself, and without one that ends.
  @Suite struct Settling {
    @Test("an end by convergence waits for the disk, when something was written")
    func atTheEnd() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("file", "f", ["path": folder["f"], "state": "exists", "content": "text"])
      let first = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try first.running.wait().status == 0)
      let names = first.events.map(\.name)
      let settled = try #require(names.firstIndex(of: "settled"))
      #expect(settled < (names.firstIndex(of: "end") ?? 0))
      // Nothing is written: nothing to wait for.
      let second = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try second.running.wait().status == 0)
      #expect(!second.events.contains { $0.name == "settled" })
    }

    @Test("an agent that stays brings a repair to the disk when all is quiet")
    func whileRunning() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("file", "f", ["path": folder["f"], "state": "exists", "content": "text"])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      agent.expect("settled") { $0.name == "settled" }
      unlink(folder["f"])
      #expect(poll { folder.read("f") == "text" })
      #expect(poll(bound: 20) { agent.events.count { $0.name == "settled" } >= 2 })
      #expect(try agent.stop().status == 0)
    }
  }
}
