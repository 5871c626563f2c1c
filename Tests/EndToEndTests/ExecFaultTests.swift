// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Commands that misbehave.
  @Suite struct ExecFaults {
    private static func isRunning(_ folder: TemporaryFolder, _ pidFile: String) -> Bool {
      folder.read(pidFile).flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }.map {
        EndToEndTests.isRunning($0)
      }
        ?? false
    }

    @Test("a daemon that keeps the pipe open holds nothing up, and lives on")
    func daemon() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell(
        "daemon",
        "setsid sh -c 'echo $$ >\(folder["pid"]); exec sleep 600' & while [ ! -s \(folder["pid"]) ]; do sleep 0.01; done; echo done"
      )
      graph.file(folder["after"], "made\n")
      graph.edge("exec[daemon]", "file[after]")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 0, "\(finished.err)")
      #expect(folder.read("after") == "made\n")
      #expect(Self.isRunning(folder, "pid"), "a daemon that left its process group is nobody's to kill")
      if let pid = folder.read("pid").flatMap({ pid_t($0.dropLast()) }) { kill(pid, SIGKILL) }
    }

    @Test("a command that prints 1 GB: the agent's memory stays bounded", arguments: ["/dev/zero", "yes"])
    func gigabyte(_ source: String) throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell(
        "loud",
        (source == "yes" ? "yes 'a line of some length, again and again'" : "cat /dev/zero")
          + " | head -c 1000000000; echo; echo the end")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("its end", bound: 180) { $0.name == "check-ended" && $0.resource == "exec[loud]" && $0.status == "changed" }
      agent.expectConverged()
      let kilobytes = try #require(agent.processStatus("VmHWM"))
      #expect(kilobytes < 150_000, "\(kilobytes) kB")
      #expect(agent.events.filter { $0.name == "log" }.count <= 120)
      var status = stat()
      #expect(stat(agent.running.outPath, &status) == 0 && status.st_size < 1_000_000)
      #expect(try agent.stop().status == 0)
    }

    @Test("a command that ignores SIGTERM: killed some time after its timeout, with all its children")
    func ignoresTermination() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.add(
        "exec", "deaf",
        [
          "cmd":
            "trap '' TERM; echo $$ >\(folder["pid"]); sh -c 'echo $$ >\(folder["child"]); while :; do sleep 1; done'; wait",
          "shell": "/bin/sh", "timeout": 1, "env": ["PATH": "/usr/bin:/bin"],
        ])
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 1)
      #expect(agent.diagnosticText.contains("took longer than 1 s and was stopped"), "\(agent.diagnosticText)")
      #expect(poll { !Self.isRunning(folder, "pid") && !Self.isRunning(folder, "child") }, "a process is left")
      #expect(!agent.claimedConvergence)
    }

    @Test("first ^C lets a running command end")
    func drain() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell(
        "slow", "echo $$ >\(folder["pid"]); while [ ! -e \(folder["go"]) ]; do sleep 0.02; done; echo whole >\(folder["done"])")
      graph.add("noop", "after")
      graph.edge("exec[slow]", "noop[after]")
      let agent = try AgentProcess(folder, graph: graph.text)
      #expect(poll { Self.isRunning(folder, "pid") })
      agent.running.signal(SIGINT)
      #expect(poll { agent.interruptions == 1 })
      #expect(Self.isRunning(folder, "pid"))
      try folder.write("go", "")
      #expect(try agent.running.wait().status == 1, "what was not checked is not as asked")
      #expect(folder.read("done") == "whole\n")
      #expect(agent.end?.members["unchecked"] as? [String] == ["noop[after]"])
    }

    @Test("second ^C stops running commands with their signal")
    func cancel() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell(
        "slow", "trap 'echo heard >\(folder["heard"]); exit 1' TERM; echo $$ >\(folder["pid"]); while :; do sleep 0.02; done")
      let agent = try AgentProcess(folder, graph: graph.text)
      #expect(poll { Self.isRunning(folder, "pid") })
      agent.running.signal(SIGINT)
      #expect(poll { agent.interruptions == 1 })
      agent.running.signal(SIGINT)
      #expect(try agent.running.wait().status == 1)
      #expect(folder.read("heard") == "heard\n")
      #expect(!Self.isRunning(folder, "pid"))
      #expect(agent.statuses("exec[slow]") == ["cancelled"])
    }

    @Test("third ^C ends at once and kills the processes of commands, deaf ones too", arguments: [SIGINT, SIGTERM])
    func kill3(_ number: Int32) throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.shell(
        "deaf",
        "trap '' TERM INT; echo $$ >\(folder["pid"]); sh -c 'echo $$ >\(folder["child"]); while :; do sleep 1; done'; wait")
      let agent = try AgentProcess(folder, graph: graph.text)
      #expect(poll { Self.isRunning(folder, "child") })
      for time in 1...3 {
        agent.running.signal(number)
        #expect(poll { agent.interruptions == time || !agent.running.process.isRunning })
      }
      #expect(try agent.running.wait().status == 1)
      #expect(poll { !Self.isRunning(folder, "pid") && !Self.isRunning(folder, "child") }, "a process is left")
    }

    @Test("100 commands at once: all run side by side")
    func hundred() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("here")
      var graph = GraphText()
      for number in 0..<100 {
        graph.shell(
          "e\(number)", ": >\(folder["here"])/\(number); while [ ! -e \(folder["go"]) ]; do sleep 0.1; done; echo \(number)")
      }
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(poll(bound: 60) { folder.names("here").count == 100 }, "not all run at once: \(folder.names("here").count)")
      let threads = try #require(agent.processStatus("Threads"))
      #expect(threads <= 24)
      try folder.write("go", "")
      let finished = try agent.running.wait(bound: 120)
      #expect(finished.status == 0, "\(finished.err)")
      for number in 0..<100 {
        #expect(agent.statuses("exec[e\(number)]") == ["changed"])
        #expect(
          agent.events.contains {
            $0.name == "log" && $0.resource == "exec[e\(number)]" && $0.members["text"] as? String == "\(number)"
          })
      }
    }
  }
}
