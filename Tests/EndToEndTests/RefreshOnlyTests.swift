// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// `refreshonly`: a command that runs when it is notified, and only then.
  @Suite struct RefreshOnly {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file that notifies commands: `reload`, and one with a guard more.
    private func graph(_ content: String, cmd: String? = nil, guarded: Bool = false) -> String {
      let script = cmd ?? "cat \(folder["config"]) >>\(folder["runs"])"
      var graph = GraphText()
      graph.file(folder["config"], content, "config")
      for name in guarded ? ["reload", "guarded"] : ["reload"] {
        graph.add(
          "exec", name,
          [
            "cmd": script, "shell": "/bin/sh", "refreshonly": true, "env": ["PATH": "/usr/bin:/bin"],
            "creates": name == "guarded" ? "/" : "",
          ])
        graph.edge("file[config]", "exec[\(name)]", notify: true)
      }
      return graph.text
    }

    @Test("it runs once for each change, and not at a start without one")
    func runs() throws {
      let first = try AgentProcess(folder, graph: graph("a\n"), options: ["--converged-exit"])
      #expect(try first.running.wait().status == 0)
      #expect(folder.read("runs") == "a\n")
      #expect(first.statuses("exec[reload]") == ["changed"])
      let second = try AgentProcess(folder, graph: graph("a\n"))
      second.expectConverged()
      #expect(second.statuses("exec[reload]") == ["ok"])
      try second.edit(graph("b\n"))
      #expect(poll { folder.read("runs") == "a\nb\n" })
      try folder.write("config", "broken")
      #expect(poll { folder.read("runs") == "a\nb\nb\n" })
      #expect(poll { second.statuses("exec[reload]").filter { $0 == "changed" }.count == 2 })
      #expect(try second.stop().status == 0)
    }

    @Test("guards still hold it back when it is notified")
    func guards() throws {
      let agent = try AgentProcess(
        folder, graph: graph("a\n", guarded: true), options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      #expect(agent.statuses("exec[reload]") == ["changed"])
      #expect(agent.statuses("exec[guarded]") == ["ok"])
    }

    @Test("a run that fails is owed until one succeeds")
    func failure() throws {
      let agent = try AgentProcess(folder, graph: graph("a\n", cmd: "test -e \(folder["go"]) && echo ran >>\(folder["runs"])"))
      agent.expect("the failure") { $0.name == "check-ended" && $0.resource == "exec[reload]" && $0.status == "failed" }
      try folder.write("go", "")
      // The edit touches nothing that would notify it anew.
      try agent.edit(graph("a\n", cmd: "test -e \(folder["go"]) && echo ran >>\(folder["runs"]); :"))
      #expect(poll { folder.read("runs") == "ran\n" })
      #expect(try agent.stop().status == 0)
    }

    @Test("the plan has it when what notifies it would be changed, and is empty afterwards")
    func plan() throws {
      let before = try graphCommand(folder, graph("a\n"), "--plan")
      #expect(before.status == 2)
      #expect(before.out.contains("exec[reload]: would be changed"), "\(before.out)")
      let agent = try AgentProcess(folder, graph: graph("a\n"), options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 0)
      let after = try graphCommand(folder, graph("a\n"), "--plan")
      #expect(after.status == 0, "\(after.out)")
      let edited = try graphCommand(folder, graph("b\n"), "--plan")
      #expect(edited.status == 2)
      #expect(edited.out.contains("2 would be changed"), "\(edited.out)")
    }

    @Test("what would be changed but may not notifies nobody who acts")
    func noopNotifiesNobody() throws {
      var graph = GraphText()
      graph.file(folder["config"], "a\n", "config", meta: "noop: true")
      graph.add("exec", "reload", ["cmd": "/usr/bin/touch \(folder["ran"])", "refreshonly": true])
      graph.edge("file[config]", "exec[reload]", notify: true)
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      _ = try agent.running.wait()
      #expect(agent.statuses("exec[reload]") == ["ok"])
      #expect(!folder.exists("ran"))
    }
  }

  /// `make demo` and the README's first example.
  @Suite struct Demo {
    @Test("the demo shows what it says")
    func demo() throws {
      let finished = try Mgmt.command([Mgmt.repository + "/scripts/demo", Mgmt.binary], bound: 120)
      #expect(finished.status == 0, "\(finished.out.suffix(3000))\n\(finished.err)")
    }

    @Test("and fails when it does not", arguments: ["/bin/true", "/bin/false"])
    func wrong(_ program: String) throws {
      #expect(try Mgmt.command([Mgmt.repository + "/scripts/demo", program]).status != 0)
    }
  }
}
