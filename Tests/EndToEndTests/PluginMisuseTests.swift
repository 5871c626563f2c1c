// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Plugins that are not what they should be. They are named with a reason, and everything else goes on.
  @Suite(.enabled(if: CPlugin.hasCompiler, "there is no C compiler")) struct PluginMisuse {
    let folder: TemporaryFolder
    let plugins: PluginFolder

    init() throws {
      folder = try TemporaryFolder()
      plugins = try PluginFolder(folder)
      try folder.makeFolder("work")
    }

    // MARK: Before they run

    private func expectRefused(
      _ entries: [String: [String: Any]], _ file: String, _ code: String, _ words: String, hint: String?,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let entry = entries[file]
      #expect(entry?["state"] as? String == "refused", "\(file)", sourceLocation: sourceLocation)
      let reason = entry?["reason"] as? [String: Any]
      #expect(reason?["code"] as? String == code, "\(file)", sourceLocation: sourceLocation)
      #expect((reason?["title"] as? String)?.contains(words) == true, "\(reason ?? [:])", sourceLocation: sourceLocation)
      let said = reason?["hint"] as? String
      #expect(hint.map { said?.contains($0) == true } ?? (said == nil), "\(said ?? "none")", sourceLocation: sourceLocation)
    }

    @Test("what cannot be used is listed with its reason and what mends it; what is beside it works")
    func refused() throws {
      try plugins.rogue("good")
      let path = plugins.path
      try folder.write("plugins/text.so", "I am no plugin\n")
      try folder.write("plugins/empty.so", "")
      try folder.write("plugins/.hidden.so", "")
      try folder.write("plugins/readme.txt", "")
      try Data(try Data(contentsOf: URL(filePath: path + "/good.so")).prefix(2000)).write(to: URL(filePath: path + "/cut.so"))
      try plugins.rogue("nosymbol", "ROGUE_NO_SYMBOL")
      try plugins.rogue("minor", "ROGUE_MINOR=9")
      try plugins.rogue("major", "ROGUE_MAJOR=2")
      try plugins.rogue("crash", "ROGUE_SCAN_CRASH")
      try plugins.rogue("hang", "ROGUE_SCAN_HANG")
      try plugins.rogue("writable", "ROGUE_KIND=\"writable\"")
      chmod(path + "/writable.so", 0o757)
      symlink("good.so", path + "/link.so")
      mkfifo(path + "/pipe.so", 0o644)
      try folder.makeFolder("plugins/folder.so")

      let entries = try plugins.list()
      #expect(entries["good.so"]?["state"] as? String == "usable")
      #expect(entries[".hidden.so"] == nil && entries["readme.txt"] == nil)
      expectRefused(entries, "text.so", "plugin.format", "it is not an ELF file", hint: "remove it")
      expectRefused(entries, "empty.so", "plugin.format", "it is empty", hint: "remove it")
      // What the loader makes of half a file is not fixed: an error, or a crash.
      #expect(entries["cut.so"]?["state"] as? String == "refused")
      expectRefused(entries, "nosymbol.so", "plugin.symbol", "does not export mgmt_plugin_v1", hint: "MGMT_EXPORT")
      expectRefused(entries, "minor.so", "plugin.abi", "it asks for ABI 1.9, this mgmt offers 1.0", hint: "upgrade mgmt")
      expectRefused(entries, "major.so", "plugin.abi", "it asks for ABI 2.0, this mgmt offers 1.0", hint: "upgrade mgmt")
      expectRefused(entries, "crash.so", "plugin.crash", "crashed (SIGABRT)", hint: "touch \(path)/crash.so")
      expectRefused(entries, "hang.so", "plugin.hang", "did not describe itself within 5 s", hint: "touch \(path)/hang.so")
      expectRefused(
        entries, "writable.so", "plugin.untrusted", "everybody may write to it (mode 757)",
        hint: "chmod go-w \(path)/writable.so")
      expectRefused(entries, "link.so", "plugin.untrusted", "it is a symbolic link", hint: "cp --remove-destination")
      expectRefused(entries, "pipe.so", "plugin.untrusted", "it is not a regular file", hint: nil)
      expectRefused(entries, "folder.so", "plugin.untrusted", "it is not a regular file", hint: nil)

      let text = try plugins.listText()
      #expect(text.contains("    hint: chmod go-w \(path)/writable.so\n"), "\(text)")
      chmod(path + "/writable.so", 0o755)
      #expect(try plugins.list()["writable.so"]?["state"] as? String == "usable")

      try folder.write(
        "g.yaml",
        "graph: g\nresources:\n  rogue:\n  - name: r\n  file:\n  - name: \(folder["work"])/f\n    content: x\n    state: exists\n"
      )
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["state"], "--plugin-path", path, "--converged-timeout=0", "yaml", folder["g.yaml"]])
      #expect(finished.status == 0, "\(finished.err)")
      #expect(folder.read("work/f") == "x")
    }

    @Test("nothing of a directory others may write to is used")
    func writableDirectory() throws {
      try plugins.rogue("good")
      chmod(plugins.path, 0o777)
      let entries = try plugins.list()
      #expect(entries["good.so"] == nil)
      expectRefused(
        entries, "plugins", "plugin.untrusted", "everybody may write to it (mode 777)", hint: "chmod go-w \(plugins.path)")
      #expect(entries["file.so"]?["state"] as? String == "usable")
      let shown = try Mgmt.run(["plugins", "show", "rogue", "--plugin-path", plugins.path], environment: plugins.environment)
      #expect(shown.status == 1 && shown.err.contains("there is no kind \"rogue\""))
    }

    @Test("a file of another user is not used", .enabled(if: Mgmt.isRoot, "only root can give files away"))
    func foreignOwner() throws {
      try plugins.rogue("foreign")
      #expect(chown(plugins.path + "/foreign.so", 65534, 65534) == 0)
      expectRefused(
        try plugins.list(), "foreign.so", "plugin.untrusted", "it belongs to user 65534, not to root",
        hint: "chown root \(plugins.path)/foreign.so")
    }

    @Test("a bad plugin that is dropped in while the agent runs is named, and nothing else happens")
    func badDrop() throws {
      let agent = try AgentProcess(
        folder, graph: "graph: g\nresources:\n  noop:\n  - name: n\n", options: ["--plugin-path", plugins.path])
      agent.expectConverged()
      try plugins.rogue("crash", "ROGUE_SCAN_CRASH")
      agent.expect("a word about it") {
        $0.name == "log" && ($0.members["text"] as? String)?.contains("\(plugins.path)/crash.so crashed (SIGABRT)") == true
      }
      #expect(try agent.stop().status == 0)
    }

    @Test("a kind of mgmt's own is not replaced unless that is allowed, and who tried is named at the start")
    func override() throws {
      try plugins.rogue("mine", "ROGUE_KIND=\"noop\"")
      let graph = try folder.write("g.yaml", "graph: g\nresources:\n  noop:\n  - name: n\n")
      let words =
        "plugin \(plugins.path)/mine.so is not used: its kind \"noop\" is that of \(Mgmt.stage)/lib/mgmt/resources/noop.so"
      let run = ["run", "--prefix", folder["state"], "--plugin-path", plugins.path, "--converged-timeout=0"]
      let refused = try Mgmt.run(run + ["yaml", graph])
      #expect(refused.status == 0 && refused.err.contains("warning: " + words), "\(refused.err)")
      expectRefused(try plugins.list(), "mine.so", "plugin.override", "its kind \"noop\"", hint: "--allow-override")
      let planned = try Mgmt.run(
        ["graph", "yaml", graph, "--prefix", folder["state"], "--plugin-path", plugins.path])
      #expect(planned.status == 0 && planned.err.contains("warning: " + words), "\(planned.err)")
      let allowed = try Mgmt.run(run + ["--allow-override", "--json", "yaml", graph])
      #expect(
        allowed.status == 0 && allowed.out.contains("comes from \(plugins.path)/mine.so (--allow-override)"), "\(allowed.out)")
    }

    @Test("a directory for plugins that is not there is named at the start")
    func missingDirectory() throws {
      let graph = try folder.write("g.yaml", "graph: g\nresources:\n  noop:\n  - name: n\n")
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["state"], "--plugin-path", folder["none"], "--converged-timeout=0", "yaml", graph])
      #expect(finished.status == 0)
      #expect(finished.err.contains("warning: there is no directory \(folder["none"])"), "\(finished.err)")
    }

    @Test("a kind whose plugin lacks a library: unknown, with the plugin, the library and what to do")
    func missingLibrary() throws {
      let library = folder["libgone.so.1"]
      try folder.write("gone.c", "int gone(void);\nint gone(void) { return 0; }\n")
      try CPlugin.compile(folder["gone.c"], to: library, libraries: ["-Wl,-soname,libgone.so.1"])
      try CPlugin.compile(
        CPlugin.rogue, to: plugins.path + "/rogue.so",
        libraries: ["-Wl,--no-as-needed", library, "-Wl,-rpath,\(folder.path)"])
      #expect(try plugins.list()["rogue.so"]?["state"] as? String == "usable")
      unlink(library)
      try folder.write("g.yaml", graph("ok"))
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["fresh"], "--plugin-path", plugins.path, "--converged-timeout=0", "yaml", folder["g.yaml"]])
      #expect(finished.status == 1)
      #expect(finished.err.contains("unknown kind \"rogue\""), "\(finished.err)")
      #expect(finished.err.contains("rogue.so, which would offer it, is refused"), "\(finished.err)")
      #expect(finished.err.contains("libgone.so.1: cannot open shared object file"), "\(finished.err)")
      #expect(finished.err.contains("hint: install libgone.so.1 (on Debian, apt-file search libgone.so.1"), "\(finished.err)")
    }

    // MARK: While they run

    /// A graph of one rogue, and a file that has to be there.
    private func graph(_ how: String) -> String {
      "graph: g\nresources:\n  rogue:\n  - name: r\n    how: \(how)\n  file:\n  - name: \(folder["work"])/f\n"
        + "    state: exists\n    content: x\n"
    }

    private func start(_ how: String, _ options: [String] = []) throws -> AgentProcess {
      try plugins.rogue("rogue")
      return try AgentProcess(folder, graph: graph(how), options: ["--plugin-path", plugins.path] + options)
    }

    private func expectFileIsKept(sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(poll { folder.read("work/f") == "x" }, sourceLocation: sourceLocation)
      unlink(folder["work/f"])
      #expect(poll { folder.read("work/f") == "x" }, "the file is not kept", sourceLocation: sourceLocation)
    }

    private func expectEnd(
      _ agent: AgentProcess, status: Int32, misbehaviour: String?, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let finished = try agent.stop()
      #expect(finished.status == status, "\(finished.out.suffix(2000))\n\(finished.err)", sourceLocation: sourceLocation)
      let rules = agent.misbehaviour("rogue")
      #expect(
        misbehaviour.map { rule in rules.contains { $0.contains(rule) } } ?? rules.isEmpty, "\(rules)",
        sourceLocation: sourceLocation)
    }

    @Test(
      "a rule is broken and nothing is wrong otherwise: the agent names plugin and rule and goes on",
      arguments: [
        ("ok", nil), ("complete-once", nil), ("thread-timer", "timer_add was called off the reactor's thread"),
        ("thread-fd", "fd_add was called off the reactor's thread"), ("complete-twice", "completed twice"),
        ("complete-early-twice", "completed twice"),
        ("complete-and-return", "complete was called for a check that did not answer MGMT_PENDING"),
        ("ready-twice", "ready was called twice"), ("event-late", "event was called after unwatch"),
        ("event-destroy", "event was called after unwatch"), ("leave", "1 sources were left behind"),
        ("garbage", "it reported a value of the unknown type 99 as a change"), ("complete-nothing", nil),
      ] as [(String, String?)])
    func tolerated(_ how: String, _ rule: String?) throws {
      let agent = try start(how)
      agent.expectConverged()
      agent.expect("its check") { $0.name == "check-ended" && $0.resource == "rogue[r]" && $0.status == "ok" }
      expectFileIsKept()
      try expectEnd(agent, status: 0, misbehaviour: rule)
    }

    @Test("a callback that blocks the reactor is named")
    func slow() throws {
      let agent = try start("timer-slow")
      agent.expectConverged()
      expectFileIsKept()
      #expect(poll { !agent.misbehaviour("rogue").isEmpty })
      try expectEnd(agent, status: 0, misbehaviour: "a timer callback blocked the reactor for more than 5 ms")
    }

    @Test(
      "a check that cannot be understood fails its resource and no other",
      arguments: [
        ("status", "the unknown status 99", "unknown status 99"), ("silent", "failed without saying why", nil),
        ("differs-in-apply", "found a difference and did not mend it", nil),
        ("cancelled", "gave up without being asked to", nil),
      ] as [(String, String, String?)])
    func failed(_ how: String, _ words: String, _ rule: String?) throws {
      let agent = try start(how)
      agent.expect("its failure") { event in
        guard event.name == "check-ended", event.resource == "rogue[r]", event.status == "failed" else { return false }
        return ((event.members["diagnostic"] as? [String: Any])?["title"] as? String)?.contains(words) == true
      }
      expectFileIsKept()
      #expect(!agent.events.contains { $0.name == "converged" && $0.members["converged"] as? Bool == true })
      try expectEnd(agent, status: 1, misbehaviour: rule)
    }

    @Test("an answer that claims a change without leave is said to be one, and noop stays noop")
    func changedInCheck() throws {
      let agent = try start("changed-in-check", ["--noop"])
      agent.expect("its check") { $0.name == "check-ended" && $0.resource == "rogue[r]" && $0.status == "differs" }
      #expect(!folder.exists("work/f"))
      _ = try agent.stop()
      #expect(agent.misbehaviour("rogue").contains { $0.contains("answered MGMT_CHANGED without MGMT_CHECK_APPLY") })
    }

    @Test("a watch that fails without a word fails its resource; the rest goes on")
    func watchSilent() throws {
      let agent = try start("watch-silent")
      agent.expect("the failure") { $0.name == "watch-failed" && $0.resource == "rogue[r]" }
      expectFileIsKept()
      try expectEnd(agent, status: 1, misbehaviour: nil)
    }

    @Test("a resource that cannot be made is said to be so; the rest goes on")
    func createSilent() throws {
      let agent = try start("create-silent")
      expectFileIsKept()
      let finished = try agent.stop()
      #expect(finished.status == 1)
      #expect(finished.out.contains("the plugin could not make it and did not say why"), "\(finished.out)")
    }

    @Test("a check that never ends holds up nothing but its resource; the second signal cancels it")
    func untilCancelled() throws {
      let agent = try start("until-cancelled")
      agent.expect("its check") { $0.name == "check-started" && $0.resource == "rogue[r]" }
      expectFileIsKept()
      agent.running.signal(SIGINT)
      agent.expect("the first signal") { ($0.members["text"] as? String)?.contains("interrupted by ^C") == true }
      agent.running.signal(SIGINT)
      let finished = try agent.running.wait(bound: 30)
      #expect(finished.status == 1)
      #expect(finished.out.contains("\"cancelled\":[\"rogue[r]\"]"), "\(finished.out.suffix(500))")
    }

    @Test("a check that ignores its cancellation: the third signal ends the agent")
    func never() throws {
      let agent = try start("never")
      agent.expect("its check") { $0.name == "check-started" && $0.resource == "rogue[r]" }
      expectFileIsKept()
      agent.running.signal(SIGINT)
      agent.expect("the first signal") { ($0.members["text"] as? String)?.contains("interrupted by ^C") == true }
      agent.running.signal(SIGINT)
      agent.expect("the second signal") { ($0.members["text"] as? String)?.contains("cancelling the checks") == true }
      #expect(agent.running.process.isRunning)
      agent.running.signal(SIGINT)
      let finished = try agent.running.wait(bound: 30)
      #expect(finished.status == 1)
      #expect(finished.out.contains("\"cancelled\":[\"rogue[r]\"]"), "\(finished.out.suffix(500))")
    }
  }
}
