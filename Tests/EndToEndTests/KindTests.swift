// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What the kinds `timer`, `print` and `test` promise.
  @Suite struct Kinds {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    // MARK: timer

    @Test("a timer ticks: it is looked at again, what comes after it is poked but does not run again")
    func ticks() throws {
      var graph = GraphText()
      graph.add("timer", "t", ["interval": 1])
      graph.shell("e", "echo ran >>\(folder["runs"])")
      graph.edge("timer[t]", "exec[e]", notify: true)
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("two ticks") { _ in agent.statuses("timer[t]").count >= 3 }
      #expect(try agent.stop().status == 0)
      #expect(Set(agent.statuses("timer[t]")) == ["ok"])
      #expect(folder.read("runs") == "ran\n" && agent.statuses("exec[e]") == ["changed"])
      agent.expectOrder("timer[t]", "exec[e]")
    }

    @Test("a notification starts the interval anew, which is a change that notifies others")
    func timerRefresh() throws {
      var graph = GraphText()
      graph.file(folder["f"], "x")
      graph.add("timer", "t", ["interval": 3600])
      graph.add("noop", "after")
      graph.edge("file[f]", "timer[t]", notify: true)
      graph.edge("timer[t]", "noop[after]", notify: true)
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      #expect(agent.statuses("timer[t]") == ["changed"], "the file was made, which notified it")
      #expect(agent.logged("noop[after]") == ["received a notification"])
      unlink(folder["f"])
      #expect(poll { agent.logged("noop[after]").count == 2 }, "\(agent.running.out.suffix(2000))")
      #expect(try agent.stop().status == 0)
      let last = agent.events.last { $0.name == "check-ended" && $0.resource == "timer[t]" }
      #expect(last?.status == "changed" && last?.members["reason"] as? String == "refresh")
    }

    @Test(
      "an interval that is none is refused, with its place", arguments: ["0", "-1", "1000000001", "9223372036854775807", "x"])
    func interval(_ interval: String) throws {
      let finished = try graphCommand(
        folder, "graph: g\nresources:\n  timer:\n  - name: t\n    interval: \(interval)\n")
      #expect(finished.status == 1)
      #expect(finished.err.contains("interval") && finished.err.contains("graph.yaml:"), "\(finished.err)")
    }

    // MARK: print

    @Test("a message is printed once, again when it differs, and when it is notified")
    func prints() throws {
      func graph(_ message: String) -> String {
        var graph = GraphText()
        graph.file(folder["f"], "x")
        graph.add("print", "p", ["msg": message], meta: "autogroup: false")
        graph.add("print", "only", ["msg": "notified", "refresh_only": true])
        graph.edge("file[f]", "print[p]", notify: true)
        graph.edge("file[f]", "print[only]", notify: true)
        return graph.text
      }
      try folder.write("f", "x")
      let agent = try AgentProcess(folder, graph: graph("one"))
      agent.expectConverged()
      #expect(agent.logged("print[p]") == ["Msg: one"] && agent.logged("print[only]").isEmpty)
      try agent.edit("# a comment\n" + graph("one"))
      _ = agent.settled(graph: 1)
      try agent.edit(graph("two\nlines"))
      _ = agent.settled(graph: 2)
      #expect(agent.logged("print[p]") == ["Msg: one", "Msg: two", "lines"])
      unlink(folder["f"])
      #expect(poll { agent.logged("print[only]") == ["Msg: notified"] })
      #expect(poll { agent.logged("print[p]") == ["Msg: one", "Msg: two", "lines", "Msg: two", "lines"] })
      #expect(try agent.stop().status == 0)
      let again = try AgentProcess(folder, graph: graph("two"), options: ["--converged-exit"])
      #expect(try again.running.wait().status == 0)
      #expect(again.logged("print[p]") == ["Msg: two"], "a new agent has printed nothing yet")
    }

    @Test("--noop prints nothing and says that it would")
    func printNoop() throws {
      var graph = GraphText()
      graph.add("print", "p", ["msg": "hello"])
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--noop", "--converged-exit"])
      #expect(try agent.running.wait().status == 2)
      #expect(agent.logged("print[p]").isEmpty && agent.statuses("print[p]").last == "differs")
    }

    // MARK: test

    @Test(
      "test refuses what it is asked to refuse, and numbers out of range, with their place",
      arguments: [
        ("validatebool: true", "validatebool"), ("validateerror: not like this", "not like this"), ("int8: 128", "128"),
        ("uint: -1", "-1"), ("byte: 256", "256"), ("float32: 1.0e+300", "does not fit 32 bits"),
        ("expectrecv: [nothing]", "there is no parameter \"nothing\""), ("waitforerror: -5", "-5"), ("int: \"5\"", "int"),
      ])
    func refused(_ parameter: String, _ words: String) throws {
      let finished = try graphCommand(folder, "graph: g\nresources:\n  test:\n  - name: t\n    \(parameter)\n")
      #expect(finished.status == 1)
      #expect(finished.err.contains(words) && finished.err.contains("graph.yaml:"), "\(finished.err)")
    }

    @Test("test takes a value of every type and logs it")
    func everyType() throws {
      let finished = try folder.write(
        "graph.yaml",
        """
        graph: g
        resources:
          test:
          - name: t
            bool: true
            str: "a\\"b"
            int8: -128
            uint64: 9223372036854775807
            float32: 1.5
            boolptr: false
            stringptr: ""
            slicestring: [a, b]
            mapintfloat: {1: 2.5}
            mixedstruct: {somebool: true, somestr: s, someint: 7, somefloat: 0.5}
            interface: [1, two]

        """)
      let run = try Mgmt.run(["run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", finished])
      #expect(run.status == 0, "\(run.err)")
      let line =
        "test[t]: bool: true, str: \"a\\\"b\", int8: -128, uint64: 9223372036854775807, float32: 1.5, boolptr: false, "
        + "stringptr: \"\", slicestring: [\"a\", \"b\"], mapintfloat: {1 => 2.5}, mixedstruct: struct{true, \"s\", 7, 0.5}, "
        + "interface: [1, \"two\"]"
      #expect(run.err.contains(line), "\(run.err)")
    }

    @Test("waitforerror fails, comparefail is replaced by every graph, a reversal has str and anotherstr exchanged")
    func others() throws {
      func graph(_ other: String, reversible: Bool) -> String {
        var graph = GraphText()
        graph.add("test", "fails", ["waitforerror": 1])
        graph.add("test", "new", ["comparefail": true])
        graph.add("test", "other", ["str": other])
        if reversible { graph.add("test", "back", ["str": "there", "anotherstr": "here"], meta: "reverse: true") }
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph("1", reversible: true))
      agent.expect("quiet") { $0.name == "stalled" }
      #expect(agent.statuses("test[fails]") == ["failed"])
      try agent.edit(graph("2", reversible: true))
      agent.expect("the second graph") { $0.name == "graph" && [$0].counts == [4, 2, 2, 2] }
      try agent.edit(graph("2", reversible: false))
      agent.expect("the reversal") { _ in
        agent.logged("test[back]").last == "str: \"here\", anotherstr: \"there\", comment: \"reversal of back\""
      }
      #expect(try agent.stop().status == 1)
      #expect(agent.end?.members["failed"] as? [String] == ["test[fails]"])
    }
  }
}
