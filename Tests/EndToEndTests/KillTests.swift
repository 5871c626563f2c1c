// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// SIGKILL in the middle of writes.
  @Suite struct Kills {
    private static func old(_ number: Int) -> String { "old \(number) " + String(repeating: "o", count: 1000) }
    private static func new(_ number: Int) -> String { "new \(number) " + String(repeating: "n", count: 2000) }

    @Test("killed in the middle of 10,000 writes: every file is old or new; the next run converges and leaves nothing behind")
    func kill() throws {
      let folder = try TemporaryFolder(in: TemporaryFolder.memory)
      try folder.makeFolder("files")
      let count = 10_000
      for number in 0..<count { try folder.write("files/\(number)", Self.old(number)) }
      let graph = GraphText.files(count, in: folder["files"], content: Self.new)
      for written in [1, 700, 4000] {
        let agent = try AgentProcess(folder, graph: graph)
        #expect(
          poll(bound: 60) { Self.numberChanged(agent, from: written) || !agent.running.process.isRunning })
        agent.running.signal(SIGKILL)
        _ = try agent.running.wait()
        var (olds, news) = (0, 0)
        for number in 0..<count {
          let text = folder.smallText("files/\(number)")
          if text == Self.old(number) { olds += 1 } else if text == Self.new(number) { news += 1 }
        }
        #expect(olds + news == count, "\(count - olds - news) files are neither old nor new")
        #expect(news > 0)
      }
      let last = try AgentProcess(folder, graph: graph, options: ["--converged-exit"])
      let finished = try last.running.wait(bound: 120)
      #expect(finished.status == 0)
      #expect(finished.out.suffix(1000).contains("\"event\":\"converged\",\"converged\":true"))
      for number in 0..<count { #expect(folder.smallText("files/\(number)") == Self.new(number)) }
      let left = folder.names("files").filter { Int($0) == nil }
      #expect(left == [], "temporary files are left")
    }

    /// By the size of the output: to parse it would take longer than the writes.
    private static func numberChanged(_ agent: AgentProcess, from number: Int) -> Bool {
      var status = stat()
      return stat(agent.running.outPath, &status) == 0 && status.st_size > 1000 + number * 300
    }

    @Test(
      "what has the name of a temporary file is in nobody's way, whatever it is",
      arguments: ["file", "symbolic link", "directory"])
    func inTheWay(_ kind: String) throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      let victim = try folder.write("victim", "precious\n")
      for name in [".mgmt-f.new", Self.temporary] {
        switch kind {
        case "file": try folder.write("files/\(name)", "mine")
        case "symbolic link": #expect(symlink(victim, folder["files/\(name)"]) == 0)
        default: try folder.makeFolder("files/\(name)")
        }
      }
      var graph = GraphText()
      graph.file(folder["files/f"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 0, "\(finished.err)")
      #expect(folder.read("victim") == "precious\n")
      #expect(folder.read("files/f") == "as asked\n")
      #expect(folder.names("files") == [Self.temporary, ".mgmt-f.new", "f"])
    }

    private static let temporary = ".mgmt-0123456789abcdef.new"

    @Test(
      "killed while it writes: the next run removes what was half written, even with another graph; looking removes nothing")
    func leftover() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      let source = open(folder["large"], O_WRONLY | O_CREAT, 0o600)
      #expect(ftruncate(source, 64 << 30) == 0)
      close(source)
      var graph = GraphText()
      graph.add("file", "f", ["path": folder["files/f"], "state": "exists", "source": folder["large"]])
      let agent = try AgentProcess(folder, graph: graph.text)
      #expect(poll { !folder.names("files").isEmpty })
      agent.running.signal(SIGKILL)
      _ = try agent.running.wait()
      let left = folder.names("files")
      #expect(left.count == 1 && left.allSatisfy { $0.hasPrefix(".mgmt-") && $0.hasSuffix(".new") }, "\(left)")

      try folder.write("files/user", "a user's\n")
      let empty = GraphText().text
      #expect(try graphCommand(folder, empty, "--plan").status == 0)
      #expect(folder.names("files") == left + ["user"])
      let looking = try AgentProcess(folder, graph: empty, options: ["--noop", "--converged-exit"])
      #expect(try looking.running.wait().status == 0)
      #expect(folder.names("files") == left + ["user"])
      let next = try AgentProcess(folder, graph: empty, options: ["--converged-exit"])
      #expect(try next.running.wait().status == 0)
      #expect(folder.names("files") == ["user"])
    }
  }
}
