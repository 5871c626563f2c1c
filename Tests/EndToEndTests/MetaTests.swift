// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Meta parameters: how the engine treats a resource, whatever its kind.
  @Suite struct Meta {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Fails until it has been run so many times.
    private func flaky(_ graph: inout GraphText, succeedsAt number: Int, meta: String, watchfiles: [String] = []) {
      graph.shell(
        "e", "echo ran >>\(folder["runs"]); [ $(wc -l <\(folder["runs"])) -ge \(number) ]", watchfiles: watchfiles, meta: meta)
    }

    private var runs: Int { folder.read("runs")?.split(separator: "\n").count ?? 0 }

    /// For each check that ended whether it is to be tried again.
    private func retries(_ agent: AgentProcess, _ resource: String = "exec[e]") -> [Bool] {
      agent.events.filter { $0.name == "check-ended" && $0.resource == resource }.map { $0.members["retry"] as? Bool ?? false }
    }

    /// Something that is repaired: what happened before it has been seen.
    private func barrier(_ name: String = "barrier") throws {
      try folder.write(name, "spoiled\n")
      #expect(poll { folder.read(name) == "as asked\n" }, "\(name) is not repaired")
    }

    // MARK: retry, delay, retryreset, reset

    @Test("retry: a command that succeeds the third time; the failures before are said to be tried again")
    func retry() throws {
      var graph = GraphText()
      flaky(&graph, succeedsAt: 3, meta: "retry: 5, delay: 20")
      graph.file(folder["after"], "x")
      graph.edge("exec[e]", "file[after]")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 0, "\(finished.out)")
      #expect(agent.statuses("exec[e]") == ["failed", "failed", "changed"] && retries(agent) == [true, true, false])
      #expect(!agent.events.contains { $0.name == "stalled" })
      agent.expectOrder("exec[e]", "file[after]")
      #expect(agent.statuses("file[after]").count == 1 && runs == 3)
    }

    @Test("retry exhausted: the last failure is final, what comes after is never checked")
    func exhausted() throws {
      var graph = GraphText()
      flaky(&graph, succeedsAt: 100, meta: "retry: 2, delay: 1")
      graph.file(folder["after"], "x")
      graph.edge("exec[e]", "file[after]")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("quiet") { $0.name == "stalled" }
      #expect(try agent.stop().status == 1)
      #expect(retries(agent) == [true, true, false] && runs == 3)
      #expect(agent.end?.members["failed"] as? [String] == ["exec[e]"])
      #expect(agent.end?.members["unchecked"] as? [String] == ["file[after]"])
      #expect(!folder.exists("after"))
    }

    @Test("retry: -1 goes on without end")
    func endless() throws {
      var graph = GraphText()
      flaky(&graph, succeedsAt: 12, meta: "retry: -1, delay: 1")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(runs == 12 && retries(agent) == Array(repeating: true, count: 11) + [false])
    }

    @Test("a retry that waits does not keep the agent from ending, and counts as failed")
    func endsWhileWaiting() throws {
      var graph = GraphText()
      flaky(&graph, succeedsAt: 100, meta: "retry: 5, delay: 3600000")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("a failure") { $0.resource == "exec[e]" && $0.status == "failed" }
      #expect(try agent.stop().status == 1)
      #expect(agent.end?.members["failed"] as? [String] == ["exec[e]"] && runs == 1)
    }

    @Test("retryreset gives all attempts back after a success", arguments: [false, true])
    func retryReset(_ resets: Bool) throws {
      try folder.write("trigger", "0")
      var graph = GraphText()
      // Fails at odd runs, succeeds at even ones.
      graph.shell(
        "e", "echo ran >>\(folder["runs"]); [ $(($(wc -l <\(folder["runs"])) % 2)) = 0 ]", watchfiles: [folder["trigger"]],
        meta: "retry: 1, delay: 1, retryreset: \(resets)")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(agent.statuses("exec[e]") == ["failed", "changed"])
      // One event: a file that is written in place makes two.
      try folder.write("trigger.new", "1")
      #expect(rename(folder["trigger.new"], folder["trigger"]) == 0)
      if resets {
        #expect(poll { retries(agent) == [true, false, true, false] }, "\(retries(agent))")
      } else {
        agent.expect("a failure that is final") { _ in
          retries(agent).dropFirst(2).first == false && agent.statuses("exec[e]").dropFirst(2).first == "failed"
        }
      }
      _ = try agent.stop()
    }

    @Test("what was tried is counted across graphs, unless reset is set", arguments: [false, true])
    func reset(_ resets: Bool) throws {
      func graph(_ comment: String) -> String {
        var graph = GraphText()
        graph.shell("e", "exit 1 # \(comment)", meta: "retry: 1, delay: 1, reset: \(resets)")
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph("one"))
      agent.expect("quiet") { $0.name == "stalled" }
      #expect(retries(agent) == [true, false])
      try agent.edit(graph("two"))
      let wanted = resets ? [true, false, true, false] : [true, false, false]
      #expect(poll { retries(agent) == wanted }, "\(retries(agent))")
      #expect(try agent.stop().status == 1)
      #expect(retries(agent) == wanted)
    }

    // MARK: timeout

    @Test("timeout: the check is ended, its processes are gone, and it may be tried again")
    func timeout() throws {
      var graph = GraphText()
      graph.shell("e", "echo $$ >>\(folder["pids"]); exec sleep 600", meta: "timeout: 200, retry: 1, delay: 1")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("quiet") { $0.name == "stalled" }
      #expect(retries(agent) == [true, false])
      let failure = agent.failure("exec[e]")
      #expect(failure?["title"] as? String == "timeout after 0.2 seconds", "\(failure ?? [:])")
      #expect((failure?["hint"] as? String)?.contains("timeout") == true)
      #expect((failure?["labels"] as? [[String: Any]])?.first?["line"] != nil)
      #expect(try agent.stop().status == 1)
      let pids = folder.read("pids")?.split(separator: "\n").compactMap { pid_t($0) } ?? []
      #expect(pids.count == 2 && poll { !pids.contains(where: isRunning) })
    }

    @Test("a timeout that is not reached does nothing")
    func longTimeout() throws {
      var graph = GraphText()
      graph.shell("e", "true", meta: "timeout: 60000")
      graph.file(folder["f"], "x", meta: "timeout: 60000")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
    }

    // MARK: poll

    @Test("poll: 1 sees changes without a watch, again and again")
    func poll1() throws {
      var graph = GraphText()
      graph.add(
        "exec", "e", ["cmd": "/usr/bin/touch \(folder["made"])", "ifcmd": "/usr/bin/test ! -e \(folder["made"])"],
        meta: "poll: 1")
      graph.file(folder["f"], "as asked\n", meta: "poll: 1")
      let agent = try AgentProcess(folder, graph: graph.text)
      #expect(poll { folder.exists("made") && folder.exists("f") })
      for _ in 0..<2 {
        unlink(folder["made"])
        try folder.write("f", "spoiled\n")
        #expect(poll { folder.exists("made") && folder.read("f") == "as asked\n" }, "\(agent.running.out.suffix(2000))")
      }
      #expect(try agent.stop().status == 0)
      #expect(agent.statuses("exec[e]").filter { $0 == "changed" }.count == 3)
    }

    @Test("poll: -1 looks once and never again")
    func pollOnce() throws {
      var graph = GraphText()
      graph.file(folder["once"], "as asked\n", meta: "poll: -1")
      graph.file(folder["barrier"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(folder.read("once") == "as asked\n")
      try folder.write("once", "spoiled\n")
      for _ in 0..<5 { try barrier() }
      #expect(try agent.stop().status == 0)
      #expect(folder.read("once") == "spoiled\n" && agent.statuses("file[once]") == ["changed"])
    }

    // MARK: limit and burst

    @Test("limit and burst: quick events lead to as many checks as the burst allows")
    func limit() throws {
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n", meta: "limit: 0.001, burst: 3")
      graph.file(folder["barrier"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      for _ in 0..<5 {
        try folder.write("f", "spoiled\n")
        try barrier()
      }
      // One token is for the watch that is armed; each spoiling takes one at least.
      let checks = agent.statuses("file[f]").count
      #expect((1...3).contains(checks), "\(checks) checks")
      #expect(folder.read("f") == "spoiled\n", "it was mended although there was no token left")
      let status = try Mgmt.run(["status", "--json", "--prefix", folder["state"]])
      let line = status.out.split(separator: "\n").first { $0.contains("\"file[f]\"") } ?? ""
      #expect(line.contains("\"state\":\"waiting\"") && line.contains("\"reason\":\"limit\""), "\(status.out)")
      _ = try agent.stop()
      #expect(agent.statuses("file[f]").count == checks)
    }

    @Test("a limit that has tokens to come only delays: in the end all is as asked")
    func limitDelays() throws {
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n", meta: "limit: 50, burst: 1")
      let agent = try AgentProcess(folder, graph: graph.text)
      for _ in 0..<5 {
        #expect(poll { folder.read("f") == "as asked\n" })
        try folder.write("f", "spoiled\n")
      }
      #expect(poll { folder.read("f") == "as asked\n" })
      #expect(try agent.stop().status == 0)
    }

    // MARK: rewatch, realize

    @Test(
      "rewatch: what has failed begins anew with the next graph; without, it is kept and armed again by the clock",
      arguments: [false, true])
    func rewatch(_ rewatches: Bool) throws {
      func graph(_ other: String) -> String {
        var graph = GraphText()
        graph.add(
          "exec", "e",
          [
            "cmd": "/bin/true", "watchcmd": "[ -e \(folder["go"]) ] && : >\(folder["held"]) && exec sleep 600; exit 1",
            "watchshell": "/bin/sh",
            "env": ["PATH": "/usr/bin:/bin"],
          ], meta: "rewatch: \(rewatches)")
        graph.file(folder["other"], other)
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph("1"))
      agent.expect("the failure") { $0.name == "watch-failed" && $0.members["retry"] as? Bool == true }
      try agent.edit(graph("2"))
      #expect(poll { folder.read("other") == "2" })
      try folder.write("go", "")
      #expect(poll { folder.exists("held") })
      _ = agent.settled(graph: 1)
      #expect(agent.statuses("exec[e]").last == "changed")
      #expect(try agent.stop().status == 0)
      let graphs = agent.events.filter { $0.name == "graph" }
      #expect(graphs.last?.members["kept"] as? Int == (rewatches ? 0 : 1))
    }

    @Test("a watch that breaks is armed again by the clock, and takes nothing from retry")
    func watchRetry() throws {
      var graph = GraphText()
      graph.add(
        "exec", "e",
        [
          "cmd": "/bin/true",
          "watchcmd": "echo w >>\(folder["watches"]); [ $(wc -l <\(folder["watches"])) -ge 3 ] && exec sleep 600; exit 1",
          "watchshell": "/bin/sh", "env": ["PATH": "/usr/bin:/bin"],
        ], meta: "retry: 1, delay: 1")
      let agent = try AgentProcess(folder, graph: graph.text)
      #expect(poll { folder.read("watches") == "w\nw\nw\n" })
      agent.expectConverged()
      #expect(try agent.stop().status == 0)
      let failures = agent.events.filter { $0.name == "watch-failed" }
      #expect(failures.count == 2 && failures.allSatisfy { $0.members["retry"] as? Bool == true })
    }

    @Test("realize: a resource that is in the middle one of three graphs only has been applied", arguments: [false, true])
    func realize(_ realizes: Bool) throws {
      var first = GraphText()
      first.shell("long", "while [ ! -e \(folder["go"]) ]; do sleep 0.02; done")
      let agent = try AgentProcess(folder, graph: first.text)
      agent.expect("the command") { $0.name == "check-started" && $0.resource == "exec[long]" }
      var middle = GraphText()
      middle.file(folder["middle"], "realized\n", meta: "realize: \(realizes)")
      // The warning about `hostname` says that it has been read.
      try agent.edit("hostname: h\n" + middle.text)
      agent.expect("a word about the middle graph") { $0.name == "diagnostic" }
      var last = GraphText()
      last.file(folder["last"], "last\n")
      try agent.edit("remote: h\n" + last.text)
      agent.expect("a word about the last graph") { _ in agent.events.filter { $0.name == "diagnostic" }.count == 2 }
      try folder.write("go", "")
      #expect(poll { folder.read("last") == "last\n" })
      #expect(try agent.stop().status == 0)
      #expect(folder.exists("middle") == realizes)
      #expect(agent.events.filter { $0.name == "graph" }.count == (realizes ? 3 : 2))
    }

    @Test("realize: what cannot be done does not hold up the next graph")
    func cannotRealize() throws {
      var first = GraphText()
      first.file(folder["missing/f"], "x", meta: "realize: true")
      let agent = try AgentProcess(folder, graph: first.text)
      agent.expect("a failure") { $0.resource == "file[f]" && $0.status == "failed" }
      var last = GraphText()
      last.file(folder["last"], "last\n")
      try agent.edit(last.text)
      #expect(poll { folder.read("last") == "last\n" })
      #expect(try agent.stop().status == 0)
    }

    // MARK: hidden, dollar, noop

    @Test("hidden: in the graph, never checked; edges through it keep their order")
    func hidden() throws {
      var graph = GraphText()
      graph.shell("first", "echo first >>\(folder["log"])")
      graph.shell("middle", "echo middle >>\(folder["log"])", meta: "hidden: true")
      graph.shell("last", "echo last >>\(folder["log"])")
      graph.edge("exec[last]", "exec[middle]")
      graph.edge("exec[middle]", "exec[first]")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(folder.read("log") == "last\nfirst\n")
      #expect(agent.positions("check-started", "exec[middle]").isEmpty)
      #expect(agent.events.first { $0.name == "graph" }?.members["vertices"] as? Int == 3)
    }

    @Test("a hidden resource may have the name of another, and need not be valid")
    func hiddenTwin() throws {
      var graph = GraphText()
      graph.file(folder["f"], "x", "twin")
      graph.add("file", "twin", ["path": "not absolute", "mode": "nonsense"], meta: "hidden: true")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(folder.read("f") == "x")
      unlink(folder["f"])
      #expect(poll { folder.read("f") == "x" })
      #expect(try agent.stop().status == 0)
    }

    @Test("dollar: the name may begin with $, which is an error otherwise")
    func dollar() throws {
      func graph(_ meta: String) -> String {
        var graph = GraphText()
        graph.add("file", "$name", ["path": folder["f"], "content": "x"], meta: meta)
        return graph.text
      }
      let refused = try graphCommand(folder, graph("dollar: false"))
      #expect(refused.status == 1 && refused.err.contains("begins with $") && refused.err.contains("dollar"), "\(refused.err)")
      let agent = try AgentProcess(folder, graph: graph("dollar: true"), options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(agent.statuses("file[$name]") == ["changed"] && folder.read("f") == "x")
    }

    @Test("noop: only that resource is left alone, and what comes after it runs")
    func noop() throws {
      var graph = GraphText()
      graph.file(folder["looked at"], "x", meta: "noop: true")
      graph.file(folder["after"], "x")
      graph.edge("file[looked at]", "file[after]")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      let finished = try agent.running.wait()
      #expect(finished.status == 0, "\(finished.out)")
      #expect(!folder.exists("looked at") && folder.read("after") == "x")
      #expect(agent.statuses("file[looked at]").last == "differs")
    }

    // MARK: sema

    /// Commands that say when they begin and end, and wait for as many as can run at a time.
    private func commands(_ count: Int, meta: String, together: Int) -> String {
      var graph = GraphText()
      for number in 0..<count {
        graph.shell(
          "e\(number)",
          "touch \(folder["began"])\(number); i=0; "
            + "while [ $(ls \(folder.path) | grep -c ^began) -lt \(together) ] && [ $i -lt 1000 ]; do sleep 0.01; i=$((i+1)); done",
          meta: meta)
      }
      return graph.text
    }

    private func mostAtOnce(_ agent: AgentProcess) -> Int {
      var (running, most) = (0, 0)
      for event in agent.events where event.resource?.hasPrefix("exec[") == true {
        if event.name == "check-started" { running += 1 }
        if event.name == "check-ended" { running -= 1 }
        most = max(most, running)
      }
      return most
    }

    @Test(
      "sema: never more at once than it says, and that many",
      arguments: [("name", 1), ("name:2", 2), (":3", 3), ("a:3, b:2", 2)])
    func sema(_ ids: String, _ size: Int) throws {
      let list = ids.split(separator: ", ").map { "\"\($0)\"" }.joined(separator: ", ")
      let agent = try AgentProcess(
        folder, graph: commands(6, meta: "sema: [\(list)]", together: size), options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(mostAtOnce(agent) == size)
    }
  }
}
