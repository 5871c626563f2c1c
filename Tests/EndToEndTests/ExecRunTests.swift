// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What `exec` promises, by real commands.
  @Suite struct ExecRun {
    @Test(
      "guards: ifcmd, nifcmd, ifequals and creates hold a command back",
      arguments: [
        (["ifcmd": "/bin/false"], false), (["ifcmd": "/bin/true"], true), (["nifcmd": "/bin/true"], false),
        (["nifcmd": "/bin/false"], true), (["ifcmd": "/bin/echo same", "ifequals": "same\n"], false),
        (["ifcmd": "/bin/echo other", "ifequals": "same\n"], true), (["creates": "/etc/passwd"], false),
        (["creates": "/nonexistent/file"], true), (["ifcmd": "/bin/true", "nifcmd": "/bin/true"], false),
      ] as [([String: String], Bool)])
    func guards(_ parameters: [String: String], _ runs: Bool) throws {
      let folder = try TemporaryFolder()
      var graph = "graph: test\nresources:\n  exec:\n  - name: e\n    cmd: /usr/bin/touch\n    args: [\"\(folder["ran"])\"]\n"
      for (key, value) in parameters { graph += "    \(key): \"\(value.replacingOccurrences(of: "\n", with: "\\n"))\"\n" }
      let agent = try AgentProcess(folder, graph: graph, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 0, "\(finished.err)")
      #expect(folder.exists("ran") == runs)
      #expect(agent.statuses("exec[e]") == [runs ? "changed" : "ok"])
    }

    @Test("a parent that ignores SIGCHLD does not keep the agent from learning how its commands end")
    func ignoredChildSignal() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("exec", "e", ["cmd": "/usr/bin/touch \(folder["made"])"])
      let agent = try AgentProcess(
        folder, graph: graph.text, options: ["--converged-exit"],
        prefixCommand: ["/bin/sh", "-c", "trap '' CHLD; exec \"$@\"", "sh"])
      #expect(try agent.running.wait(bound: 20).status == 0)
      #expect(agent.statuses("exec[e]") == ["changed"])
    }

    @Test("creates is watched: the command runs again when its file is gone")
    func creates() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add("exec", "e", ["cmd": "/usr/bin/touch \(folder["made"])", "creates": folder["made"]])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      for _ in 0..<10 {
        unlink(folder["made"])
        #expect(poll { folder.exists("made") })
      }
      #expect(try agent.stop().status == 0)
      #expect(agent.statuses("exec[e]").filter { $0 == "changed" }.count == 11)
    }

    @Test("each line of watchcmd is an event, and its end is a failure")
    func watchcmd() throws {
      let folder = try TemporaryFolder()
      #expect(mkfifo(folder["pipe"], 0o600) == 0)
      var graph = GraphText()
      graph.add(
        "exec", "e",
        [
          "cmd": "echo ran >>\(folder["ran"])", "shell": "/bin/sh", "watchcmd": "exec cat \(folder["pipe"])",
          "watchshell": "/bin/sh",
          "env": ["PATH": "/usr/bin:/bin"],
        ])
      let agent = try AgentProcess(folder, graph: graph.text)
      let writer = try #require(FileHandle(forWritingAtPath: folder["pipe"]))
      func runs() -> Int { folder.read("ran")?.split(separator: "\n").count ?? 0 }
      #expect(poll { runs() == 1 })
      for number in 2...6 {
        try writer.write(contentsOf: Data("event\n".utf8))
        #expect(poll { runs() == number }, "event \(number) was not seen")
      }
      try writer.close()
      agent.expect("the watch's failure") { $0.name == "watch-failed" && $0.resource == "exec[e]" }
      #expect(try agent.stop().status == 1)
      #expect(agent.end?.members["failed"] as? [String] == ["exec[e]"])
    }

    @Test("watchfiles are watched, and no process of a watch is left at the end")
    func watchfiles() throws {
      let folder = try TemporaryFolder()
      try folder.write("watched", "0")
      var graph = GraphText()
      graph.add(
        "exec", "e",
        [
          "cmd": "echo ran >>\(folder["ran"])", "shell": "/bin/sh", "watchfiles": [folder["watched"]],
          "watchcmd": "echo $$ >\(folder["pid"]); exec sleep 600", "watchshell": "/bin/sh", "env": ["PATH": "/usr/bin:/bin"],
        ])
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(poll { folder.read("pid")?.hasSuffix("\n") ?? false })
      for number in 1...5 {
        let before = folder.read("ran")?.count ?? 0
        try folder.write("watched", "\(number)")
        #expect(poll { folder.read("ran")?.count ?? 0 > before })
      }
      #expect(try agent.stop().status == 0)
      let pid = try #require(folder.read("pid").flatMap { pid_t($0.dropLast()) })
      #expect(poll { !isRunning(pid) }, "watchcmd is left")
    }

    @Test("a command has no environment, no input, no descriptors, no blocked signals of the agent")
    func surroundings() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add(
        "exec", "e",
        [
          "cmd":
            "/usr/bin/env >\(folder["env"]); cat >\(folder["input"]); ls -l /proc/self/fd >\(folder["fds"]); grep Sig /proc/self/status >\(folder["signals"])",
          "shell": "/bin/sh", "env": ["PATH": "/usr/bin:/bin", "ONE": "a b"],
        ])
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      let names = Set(
        (folder.read("env") ?? "").split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) })
      #expect(names.subtracting(["PWD", "OLDPWD", "SHLVL", "_"]) == ["PATH", "ONE"])
      #expect(folder.read("input") == "")
      let descriptors = (folder.read("fds") ?? "").split(separator: "\n").filter { $0.contains("->") }
      #expect(descriptors.count <= 4, "\(descriptors)")
      #expect(!(folder.read("fds") ?? "").contains("inotify"))
      for line in (folder.read("signals") ?? "").split(separator: "\n")
      where line.hasPrefix("SigBlk") || line.hasPrefix("SigIgn") {
        #expect(line.hasSuffix("0000000000000000"), "\(line)")
      }
    }

    @Test("user and group", .enabled(if: Mgmt.isRoot, "only root can be somebody else"))
    func user() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("open")
      chmod(folder["open"], 0o777)
      var graph = GraphText()
      graph.add(
        "exec", "user",
        [
          "cmd": "id -u >\(folder["open/user"]); id -G >\(folder["open/groups"])", "shell": "/bin/sh", "user": "nobody",
          "env": ["PATH": "/usr/bin:/bin"],
        ])
      graph.add(
        "exec", "number",
        ["cmd": "id -u >\(folder["open/number"])", "shell": "/bin/sh", "user": "65534", "env": ["PATH": "/usr/bin:/bin"]])
      graph.add(
        "exec", "group",
        ["cmd": "id -g >\(folder["open/group"])", "shell": "/bin/sh", "group": "daemon", "env": ["PATH": "/usr/bin:/bin"]])
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 0, "\(finished.out)")
      let nobody = try #require(getpwnam("nobody")).pointee
      #expect(folder.read("open/user") == "\(nobody.pw_uid)\n")
      #expect(folder.read("open/groups") == "\(nobody.pw_gid)\n", "root's groups are not kept")
      #expect(folder.read("open/number") == "65534\n")
      let daemon = try #require(getgrnam("daemon")).pointee.gr_gid
      #expect(folder.read("open/group") == "\(daemon)\n")
    }

    @Test(
      "a user that does not exist, a program that does not exist, a folder that does not exist",
      arguments: [
        (["user": "no-such-user"], "no-such-user"), (["cmd": "/no/such/program"], "/no/such/program"),
        (["cwd": "/no/such/folder"], "No such file or directory"),
        (["cmd": "no-such-program-anywhere"], "no-such-program-anywhere"),
      ] as [([String: String], String)])
    func missing(_ parameters: [String: String], _ word: String) throws {
      let folder = try TemporaryFolder()
      var graph = "graph: test\nresources:\n  exec:\n  - name: e\n"
      for (key, value) in ["cmd": "/bin/true"].merging(parameters, uniquingKeysWith: { $1 }) {
        graph += "    \(key): \"\(value)\"\n"
      }
      let agent = try AgentProcess(folder, graph: graph, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 1)
      let text = agent.diagnosticText + agent.running.err
      #expect(text.contains(word), "\(text)")
      #expect(!agent.claimedConvergence)
    }
  }
}
