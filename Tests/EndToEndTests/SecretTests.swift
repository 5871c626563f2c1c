// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What is secret is shown to nobody, but on a terminal by who asks for it.
  @Suite struct Secrets {
    private static let word = "hunter2secret"
    private static let script = "/usr/bin/script"
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A command with a password in it, which it prints, fails with, and sends.
    private func graph(_ exit: Int = 0) -> String {
      """
      graph: g
      resources:
        exec:
        - name: fetch
          cmd: "echo login user:\(Self.word); echo no access with \(Self.word) >&2; exit \(exit)"
          shell: /bin/sh
          meta: {secret: [cmd]}
        - name: token
          cmd: "echo \(Self.word)"
          shell: /bin/sh
          meta: {secret: [cmd, output]}
        file:
        - {name: f, path: "\(folder["f"])", mode: "0600", state: exists}
        test:
        - {name: t}
      edges:
      - {from: {kind: exec, name: token}, to: {kind: file, name: f}, receive: {content: output}}
      - {from: {kind: exec, name: token}, to: {kind: test, name: t}, receive: {str: output}}

      """
    }

    private func expectMasked(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(text.contains("(secret)") && !text.contains(Self.word), "\(text)", sourceLocation: sourceLocation)
    }

    @Test("a run shows none of it, whether it works or fails", arguments: [0, 3], [[], ["--json"], ["--noop"]])
    func run(_ exit: Int, _ options: [String]) throws {
      let file = try folder.write("g.yaml", graph(exit))
      let finished = try Mgmt.run(["run", "--prefix", folder["state"], "--converged-timeout=0"] + options + ["yaml", file])
      expectMasked(finished.out + finished.err)
      if options != ["--noop"] { #expect(folder.read("f") == Self.word + "\n") }
    }

    @Test("nor do plans and the status", arguments: [[], ["--json"]])
    func plan(_ options: [String]) throws {
      let file = try folder.write("g.yaml", graph())
      let planned = try Mgmt.run(["graph", "yaml", file, "--plan", "--prefix", folder["state"]] + options)
      #expect(planned.status == 2)
      expectMasked(planned.out + planned.err)
      let agent = try AgentProcess(folder, graph: graph(3))
      agent.expect("stalled") { $0.name == "stalled" }
      var status = Finished(status: 1, out: "", err: "")
      poll {
        status = (try? Mgmt.run(["status", "--prefix", folder["state"]] + options)) ?? status
        return status.status != 1
      }
      #expect(status.out.contains("exec[fetch]") && !status.out.contains(Self.word), "\(status.out)")
      _ = try agent.stop()
    }

    @Test("what is received stays secret where it goes")
    func received() throws {
      let agent = try AgentProcess(folder, graph: graph())
      agent.expectConverged()
      let change = agent.events.last { $0.name == "check-ended" && $0.resource == "file[f]" && $0.status == "changed" }
      let changes = try #require(change?.members["changes"] as? [[String: Any]])
      #expect(
        changes.contains {
          $0["path"] as? String == "content" && $0["will"] as? String == "(secret)" && $0["secret"] as? Bool == true
        })
      #expect(!agent.running.out.contains(Self.word))
      _ = try agent.stop()
    }

    @Test("an error in the graph does not quote the line, and a name that is no parameter is one")
    func errors() throws {
      let bad = """
        graph: g
        resources:
          exec:
          - name: e
            env: {A: [\(Self.word)]}
            cmd: [\(Self.word)]
            meta: {secret: [cmd, env]}

        """
      let file = try folder.write("g.yaml", bad)
      let finished = try Mgmt.run(["graph", "yaml", file])
      #expect(finished.status == 1 && finished.err.contains("error: ") && !finished.err.contains(Self.word), "\(finished.err)")
      try folder.write("g.yaml", "graph: g\nresources:\n  exec:\n  - {name: e, cmd: 'true', meta: {secret: [cmmd]}}\n")
      let unknown = try Mgmt.run(["graph", "yaml", file])
      #expect(unknown.status == 1 && unknown.err.contains("did you mean \"cmd\"?"), "\(unknown.err)")
    }

    @Test("--show-secrets wants a terminal, and never shows them to programs")
    func refused() throws {
      let file = try folder.write("g.yaml", graph())
      for (arguments, words) in [
        (["run", "--show-secrets", "yaml", file], "needs a terminal"),
        (["run", "--show-secrets", "--json", "yaml", file], "exclude each other"),
        (["graph", "yaml", file, "--plan", "--show-secrets"], "needs a terminal"),
        (["graph", "yaml", file, "--plan", "--show-secrets", "--json"], "exclude each other"),
        (["graph", "yaml", file, "--show-secrets"], "needs --plan"),
      ] {
        let finished = try Mgmt.run(arguments, environment: ["MGMT_PREFIX": folder["state"]])
        #expect(finished.status == 1 && finished.err.contains(words), "\(arguments): \(finished.err)")
        #expect(!(finished.out + finished.err).contains(Self.word))
      }
    }

    @Test(
      "--show-secrets shows them on a terminal",
      .enabled(if: FileManager.default.isExecutableFile(atPath: Self.script), "there is no script(1) to make a terminal"))
    func shown() throws {
      let file = try folder.write("g.yaml", graph())
      let run = "'\(Mgmt.binary)' run --show-secrets --prefix '\(folder["state"])' --converged-timeout=0 yaml '\(file)'"
      let ran = try Mgmt.command([Self.script, "-qec", run, "/dev/null"])
      #expect(ran.status == 0 && ran.out.contains(Self.word), "\(ran)")
      let plan = "'\(Mgmt.binary)' graph yaml '\(file)' --plan --show-secrets --prefix '\(folder["other"])'"
      let planned = try Mgmt.command([Self.script, "-qec", plan, "/dev/null"])
      #expect(planned.status == 2 && planned.out.contains(Self.word), "\(planned)")
    }

    @Test(
      "the agent leaves no core file unless it may; its commands have the limit it was started with", arguments: [false, true])
    func coreFiles(_ isAllowed: Bool) throws {
      var graph = GraphText()
      graph.shell("e", "ulimit -c >\(folder["limit"])")
      // 4 blocks of 512 bytes, or of 1024: as the shell counts them, and gives them back.
      let limited = ["/bin/sh", "-c", "ulimit -c 4 && exec \"$@\"", "sh"]
      let agent = try AgentProcess(
        folder, graph: graph.text, options: isAllowed ? ["--core-dumps"] : [], prefixCommand: limited)
      agent.expectConverged()
      let limits = try String(contentsOfFile: "/proc/\(agent.running.pid)/limits", encoding: .utf8)
      let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }).split(separator: " ")
      // One byte is too little for a file, and keeps the kernel from handing it to a program.
      #expect((core[4] == "1") == !isAllowed, "\(core)")
      #expect(folder.read("limit") == "4\n")
      _ = try agent.stop()
    }
  }
}
