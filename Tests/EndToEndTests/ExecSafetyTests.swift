// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What a command must not get from the agent.
  @Suite struct ExecSafety {
    @Test(
      "a command of another user has no terminal, although the agent has one, and starts in /",
      .enabled(if: Mgmt.isRoot, "only root can be somebody else"), .enabled(if: isThere("setsid"), "there is no setsid"))
    func terminal() throws {
      let folder = try TemporaryFolder()
      let terminal = try PseudoTerminal()
      var graph = GraphText()
      graph.add(
        "exec", "guest",
        [
          "cmd": """
          echo "agent $(cut -d ' ' -f 7 /proc/$PPID/stat)"; echo "command $(cut -d ' ' -f 7 /proc/$$/stat)"; \
          (: <>/dev/tty) 2>/dev/null && echo "it can type"; echo "in $(pwd -P)"
          """,
          "shell": "/bin/sh", "env": ["PATH": "/usr/bin:/bin"], "user": "nobody",
        ])
      let agent = try AgentProcess(
        folder, graph: graph.text, options: ["--converged-exit"],
        prefixCommand: ["/bin/sh", "-c", "exec setsid --ctty --wait \"$@\" <\(terminal.path)", "sh"])
      #expect(try agent.running.wait().status == 0)
      let lines = agent.logged("exec[guest]")
      #expect(lines.count == 3, "\(lines)")
      #expect(lines.first.map { $0.hasPrefix("agent ") && $0 != "agent 0" } == true, "the agent has a terminal: \(lines)")
      #expect(lines.dropFirst() == ["command 0", "in /"])
    }

    @Test("what a command wrote is not taken for the output of another one")
    func otherCommand() throws {
      let folder = try TemporaryFolder()
      func graph(_ word: String, held: Bool, environment: [String: String] = [:]) -> String {
        var graph = GraphText()
        graph.add(
          "exec", "e",
          [
            "cmd": "echo \(word)", "shell": "/bin/sh", "creates": held ? "/" : "/nonexistent/file", "send_stdout": "nothing",
            "env": environment,
          ])
        graph.add("file", "f", ["path": folder["out"], "state": "exists"])
        graph.edge("exec[e]", "file[f]", receive: ["content": "stdout"])
        return graph.text
      }
      func run(_ graph: String) throws -> String? {
        let agent = try AgentProcess(folder, graph: graph, options: ["--converged-exit"])
        let finished = try agent.running.wait()
        #expect(finished.status == 0, "\(finished.err)")
        return folder.read("out")
      }
      #expect(try run(graph("one", held: false)) == "one\n")
      #expect(try run(graph("one", held: true)) == "one\n", "its own output is remembered")
      #expect(try run(graph("two", held: true)) == "nothing")
      #expect(try run(graph("one", held: true, environment: ["A": "b"])) == "nothing")
      #expect(try run(graph("two", held: false)) == "two\n")
      #expect(try run(graph("one", held: true)) == "nothing", "the record was replaced")
    }

    @Test("mtimes: another command has not seen the files")
    func otherTimes() throws {
      let folder = try TemporaryFolder()
      try folder.write("watched", "x")
      func run(_ word: String) throws -> [String] {
        var graph = GraphText()
        graph.add("exec", "e", ["cmd": "/bin/echo \(word)", "mtimes": [folder["watched"]]])
        let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
        #expect(try agent.running.wait().status == 0)
        return agent.statuses("exec[e]")
      }
      #expect(try run("one") == ["changed"])
      #expect(try run("one") == ["ok"])
      #expect(try run("two") == ["changed"])
      #expect(try run("two") == ["ok"])
    }
  }
}

/// A terminal without a screen.
private final class PseudoTerminal {
  private let master: Int32
  let path: String

  init() throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (number, unlocked): (Int32, Int32) = (0, 0)
    guard master >= 0, ioctl(master, 0x4004_5431, &unlocked) == 0, ioctl(master, 0x8004_5430, &number) == 0 else {
      throw HarnessError("no pseudo-terminal: \(errno)")
    }
    path = "/dev/pts/\(number)"
  }

  deinit { close(master) }
}

/// Whether a program is there.
private func isThere(_ program: String) -> Bool {
  ["/usr/bin/", "/bin/"].contains { access($0 + program, X_OK) == 0 }
}
