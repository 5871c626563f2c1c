// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Commands end with the agent, however it ends.
  @Suite struct Guarded {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A command and a watch command that run for ever, with a child each; and a daemon of its own session.
    private func graph() -> String {
      var graph = GraphText()
      graph.add(
        "exec", "e",
        [
          "cmd":
            "echo $$ >\(folder["cmd"]); (trap '' TERM HUP INT; echo hi >\(folder["alive"]); exec sleep 600) & echo $! >\(folder["child"]); wait",
          "shell": "/bin/sh", "env": ["PATH": "/usr/bin:/bin"],
          "watchcmd":
            "setsid sh -c 'echo $$ >\(folder["daemon"]); exec sleep 600' & sleep 600 & echo $! >\(folder["watchchild"]); echo $$ >\(folder["watch"]); wait",
          "watchshell": "/bin/sh",
        ])
      return graph.text
    }

    private static let mortal = ["cmd", "child", "watch", "watchchild"]

    private func pid(_ name: String) -> pid_t? {
      guard let text = folder.read(name), text.hasSuffix("\n") else { return nil }
      return pid_t(text.dropLast())
    }

    private func isAlive(_ name: String) -> Bool { pid(name).map { isRunning($0) } ?? false }

    private func start(_ prefixCommand: [String] = []) throws -> AgentProcess {
      let agent = try AgentProcess(folder, graph: graph())
      #expect(poll { (Self.mortal + ["daemon"]).allSatisfy { isAlive($0) } }, "\(agent.running.out)")
      return agent
    }

    private func endDaemon() {
      if let daemon = pid("daemon") { kill(daemon, SIGKILL) }
    }

    @Test(
      "commands, watch commands and their children end with an agent that is killed; a daemon lives on",
      arguments: [SIGKILL, SIGSEGV])
    func killed(_ signal: Int32) throws {
      let agent = try start()
      defer { endDaemon() }
      let guardian = try #require(guardOf(agent.running.pid))
      agent.running.signal(signal)
      _ = try agent.running.wait()
      #expect(poll { Self.mortal.allSatisfy { !isAlive($0) } }, "left: \(Self.mortal.filter { isAlive($0) })")
      #expect(poll { !isRunning(guardian) }, "the guard is left")
      #expect(isAlive("daemon"), "it has a session of its own")
    }

    @Test("an agent whose guard is killed or stopped starts another, which knows who runs", arguments: [SIGKILL, SIGTERM])
    func guardEnds(_ signal: Int32) throws {
      let agent = try start()
      defer { endDaemon() }
      let first = try #require(guardOf(agent.running.pid))
      kill(first, signal)
      if signal == SIGKILL {
        #expect(poll { guardOf(agent.running.pid).map { $0 != first } ?? false }, "no other guard")
        #expect(poll { agent.logged().contains { $0.contains("guard of commands was ended") } })
        #expect(poll { agent.processStatus("Pid") != nil && watched(by: guardOf(agent.running.pid)) >= 2 })
      } else {
        #expect(guardOf(agent.running.pid) == first, "it does not listen to signals")
      }
      #expect(Self.mortal.allSatisfy { isAlive($0) }, "the end of a guard is not the agent's")
      agent.running.signal(SIGKILL)
      _ = try agent.running.wait()
      #expect(poll { Self.mortal.allSatisfy { !isAlive($0) } }, "left: \(Self.mortal.filter { isAlive($0) })")
    }

    @Test("what a command that ended has left behind is left alone")
    func leftover() throws {
      var graph = GraphText()
      graph.shell("e", "sleep 600 >/dev/null 2>&1 & echo $! >\(folder["daemon"])")
      let agent = try AgentProcess(folder, graph: graph.text)
      defer { endDaemon() }
      agent.expectConverged()
      let guardian = try #require(guardOf(agent.running.pid))
      agent.running.signal(SIGKILL)
      _ = try agent.running.wait()
      #expect(poll { !isRunning(guardian) })
      #expect(isAlive("daemon"))
    }

    @Test("without the guard's program commands run, and it is said")
    func missing() throws {
      let tree = try TemporaryFolder()
      let copied = try Mgmt.command(["/bin/cp", "-a", Mgmt.stage, tree["tree"]])
      #expect(copied.status == 0)
      #expect(unlink(tree["tree/lib/mgmt/guard"]) == 0)
      try folder.write("graph.yaml", "graph: g\nresources:\n  exec:\n  - name: e\n    cmd: /bin/true\n")
      let finished = try Mgmt.command([
        tree["tree/bin/mgmt"], "run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", folder["graph.yaml"],
      ])
      #expect(finished.status == 0, "\(finished.err)")
      #expect(finished.err.contains("there is no guard"), "\(finished.err)")
      #expect(finished.err.contains("lib/mgmt/guard"), "\(finished.err)")
    }
  }
}

/// The guard of an agent: the child of that name.
private func guardOf(_ agent: pid_t) -> pid_t? {
  for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
    guard let pid = pid_t(name), let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { continue }
    let fields = text.split(separator: " ")
    if fields.count > 4, fields[1] == "(guard)", fields[2] != "Z", fields[3] == "\(agent)" { return pid }
  }
  return nil
}

/// How many groups a guard knows.
private func watched(by guardian: pid_t?) -> Int {
  guard let guardian else { return 0 }
  let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(guardian)/fd")) ?? []
  return names.filter { (Int($0) ?? 0) > 4 }.count
}
