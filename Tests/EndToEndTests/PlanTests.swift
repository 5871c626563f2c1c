// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// `mgmt graph --plan` and `mgmt run --noop`: what would be changed, and nothing is.
  @Suite struct Plans {
    let folder: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      try folder.makeFolder("work")
      try folder.makeFolder("home")
    }

    private func plan(_ graph: String, _ options: String...) throws -> Finished {
      try folder.write("graph.yaml", graph)
      return try Mgmt.run(
        ["graph", "yaml", folder["graph.yaml"], "--plan", "--prefix", folder["state"]] + options,
        environment: ["HOME": folder["home"]])
    }

    private func noop(_ graph: String, _ options: [String] = []) throws -> Finished {
      try folder.write("graph.yaml", graph)
      return try Mgmt.run(
        ["run", "--noop", "--converged-timeout=0", "--prefix", folder["state"]] + options + ["yaml", folder["graph.yaml"]],
        environment: ["HOME": folder["home"]])
    }

    /// The plan as data, by resource.
    private func items(_ finished: Finished) throws -> (plan: [String: Any], items: [String: [String: Any]]) {
      let object = try #require(try JSONSerialization.jsonObject(with: Data(finished.out.utf8)) as? [String: Any])
      var items: [String: [String: Any]] = [:]
      for item in try #require(object["resources"] as? [[String: Any]]) {
        items[try #require(item["resource"] as? String)] = item
      }
      return (object, items)
    }

    /// Everything about everything below a folder that a write would change.
    private func listing(_ name: String) throws -> String {
      let finished = try Mgmt.command([
        "/bin/sh", "-c",
        """
        cd "$0" 2>/dev/null || exit 0
        find . -printf '%p %y %m %U %G %s %i %n %T@ %C@ %l\\n' | LC_ALL=C sort
        find . -type f -exec sha256sum {} + | LC_ALL=C sort
        """, folder[name],
      ])
      #expect(finished.status == 0, "\(finished.err)")
      return finished.out
    }

    // MARK: Exit status

    @Test("0: nothing to do; 2: changes; 1: something cannot be checked", arguments: ["plan", "noop"])
    func status(_ how: String) throws {
      try folder.write("work/f", "as asked\n")
      func run(_ graph: GraphText) throws -> Finished { try how == "plan" ? plan(graph.text) : noop(graph.text) }
      var graph = GraphText()
      graph.file(folder["work/f"], "as asked\n")
      graph.add("noop", "n", meta: "autogroup: false")
      #expect(try run(graph).status == 0)
      graph.file(folder["work/g"], "new\n")
      #expect(try run(graph).status == 2)
      graph.add("file", "bad", ["path": folder["work/missing"], "mode": "0600"])
      graph.add("noop", "after")
      graph.edge("file[bad]", "noop[after]")
      let failed = try run(graph)
      #expect(failed.status == 1)
      #expect(failed.err.contains("work/missing does not exist, so its mode cannot be set"), "\(failed.err)")
      let text = how == "plan" ? failed.out : failed.err
      #expect(text.contains("file[g]: would be changed"), "\(text)")
      if how == "plan" {
        #expect(text.contains("file[bad]: cannot be checked\n"), "\(text)")
        #expect(text.contains("noop[after]: not checked (after file[bad])\n"), "\(text)")
        #expect(text.hasSuffix("5 resources: 1 would be changed, 1 cannot be checked, 1 not checked\n"), "\(text)")
      }
      graph.add("fiel", "typo")
      #expect(try run(graph).status == 1)
    }

    @Test("what fails or waits after something that would be changed is open; what waits for an error too is not")
    func open() throws {
      var graph = GraphText()
      graph.file(folder["work/new"], "x\n")
      graph.add("noop", "near", meta: "autogroup: false")
      graph.add("file", "needs", ["path": folder["work/missing"], "mode": "0600"])
      graph.add("noop", "far", meta: "autogroup: false")
      graph.edge("file[new]", "noop[near]")
      graph.edge("noop[near]", "file[needs]")
      graph.edge("file[needs]", "noop[far]")
      let finished = try plan(graph.text)
      #expect(finished.status == 2 && finished.err.isEmpty, "\(finished.err)")
      for part in [
        "file[needs]: open until file[new] is changed (now: ", "noop[far]: open until file[new] is changed\n",
      ] { #expect(finished.out.contains(part), "\(finished.out)") }
      #expect(finished.out.hasSuffix("4 resources: 1 would be changed, 2 open\n"), "\(finished.out)")
      let data = try items(plan(graph.text, "--json"))
      #expect(data.items["file[needs]"]?["status"] as? String == "open" && data.plan["open"] as? Int == 2)
      #expect(data.items["noop[far]"]?["after"] as? [String] == ["file[new]"])
      #expect(data.plan["exit"] as? Int == 2 && data.plan["failed"] as? Int == 0)
      let run = try noop(graph.text)
      #expect(run.status == 2, "\(run.err)")
      #expect(run.err.contains("file[needs]: open until what comes before it is changed (now: "), "\(run.err)")
      #expect(run.err.contains("open until others are changed: file[needs], noop[far]\n"), "\(run.err)")
      #expect(run.err.contains("4 resources, 0 changed, 1 not as asked, 2 open, 0 failed\n"), "\(run.err)")

      graph.add("file", "bad", ["path": folder["work/lost"], "mode": "0600"])
      graph.edge("file[bad]", "noop[far]")
      let failed = try plan(graph.text)
      #expect(failed.status == 1 && failed.err.contains("work/lost"), "\(failed.err)")
      #expect(failed.out.hasSuffix(": 1 would be changed, 1 cannot be checked, 1 not checked, 1 open\n"), "\(failed.out)")
    }

    @Test("a plan of nothing, and of a graph that is not there")
    func edges() throws {
      let empty = try plan("graph: test\nresources: {}\n")
      #expect(empty.status == 0 && empty.out == "0 resources: 0 would be changed\n", "\(empty.out)")
      let missing = try Mgmt.run(["graph", "yaml", folder["missing.yaml"], "--plan"])
      #expect(missing.status == 1 && missing.out.isEmpty && missing.err.contains("missing.yaml"))
    }

    // MARK: What is shown

    @Test("each field is was -> will, texts are unified diffs", arguments: ["plan", "noop"])
    func fields(_ how: String) throws {
      try folder.write("work/f", (1...20).map { "line \($0)\n" }.joined())
      chmod(folder["work/f"], 0o644)
      try folder.write("work/gone", "x")
      symlink("there", folder["work/link"])
      var graph = GraphText()
      graph.add(
        "file", "f",
        [
          "path": folder["work/f"], "state": "exists", "mode": "0664",
          "content": (1...20).map { $0 == 10 ? "changed\n" : "line \($0)\n" }.joined(),
        ])
      graph.add("file", "gone", ["path": folder["work/gone"], "state": "absent"])
      graph.add("file", "link", ["path": folder["work/link"], "state": "exists", "symlink": true, "source": "here"])
      graph.add("file", "short", ["path": folder["work/short"], "content": "one line"])
      graph.add("exec", "e", ["cmd": "/bin/true"])
      graph.add("print", "p", ["msg": "hello"])
      let finished = how == "plan" ? try plan(graph.text) : try noop(graph.text)
      #expect(finished.status == 2)
      let text = how == "plan" ? finished.out : finished.err
      let expected = [
        """
        file[f]: would be changed
        --- content
        +++ content
        @@ -7,7 +7,7 @@
         line 7
         line 8
         line 9
        -line 10
        +changed
         line 11
         line 12
         line 13
          mode: "0644" -> "0664"

        """,
        "file[gone]: would be changed\n  state: \"exists\" -> \"absent\"\n",
        "file[link]: would be changed\n  source: \"there\" -> \"here\"\n",
        "file[short]: would be changed\n", "  content: \"one line\"\n",
        "exec[e]: would be changed\n", "print[p]: would be changed\n  msg: \"hello\"\n",
      ]
      for part in expected { #expect(text.contains(part), "\(part)\nis not in\n\(text)") }
      if how == "plan" {
        #expect(text.hasSuffix("6 resources: 6 would be changed\n") && finished.err.isEmpty, "\(finished.err)")
      }
    }

    @Test("--json is the same as data")
    func json() throws {
      try folder.write("work/f", "was\n")
      try folder.write("work/same", "same\n")
      var graph = GraphText()
      graph.file(folder["work/f"], "will\n", "f")
      graph.file(folder["work/new"], "new\n", "new")
      graph.file(folder["work/same"], "same\n", "same")
      graph.add("print", "a", ["msg": "a"])
      graph.add("print", "b", ["msg": "b"])
      graph.add("noop", "hidden", meta: "hidden: true")
      let finished = try plan(graph.text, "--json")
      #expect(finished.status == 2 && finished.err.isEmpty)
      let (object, items) = try items(finished)
      #expect(object["graph"] as? String == "test" && object["exit"] as? Int == 2)
      #expect(object["changes"] as? Int == 4 && object["failed"] as? Int == 0 && object["unchecked"] as? Int == 0)
      let change = try #require((items["file[f]"]?["changes"] as? [[String: Any]])?.first)
      #expect(change["path"] as? String == "content")
      #expect(change["was"] as? String == "was\n" && change["will"] as? String == "will\n")
      let new = try #require(items["file[new]"]?["changes"] as? [[String: Any]])
      #expect(new.contains { $0["path"] as? String == "content" && $0["was"] is NSNull && $0["will"] as? String == "new\n" })
      #expect(items["file[same]"]?["status"] as? String == "ok")
      #expect((items["file[same]"]?["changes"] as? [Any])?.isEmpty == true)
      #expect(items["noop[hidden]"]?["status"] as? String == "hidden")
      #expect(items.values.filter { $0["leader"] != nil }.count == 1)

      graph.add("file", "bad", ["path": folder["work/missing"], "mode": "0600"])
      let (failed, all) = try self.items(try plan(graph.text, "--json"))
      #expect(failed["exit"] as? Int == 1 && failed["failed"] as? Int == 1)
      let diagnostic = all["file[bad]"]?["diagnostic"] as? [String: Any]
      #expect((diagnostic?["title"] as? String)?.contains("does not exist") == true, "\(all["file[bad]"] ?? [:])")
    }

    @Test("what an earlier resource would make is taken into account: nested directories on an empty disk")
    func nested() throws {
      var graph = GraphText()
      graph.directory(folder["work/a"], "a")
      graph.directory(folder["work/a/b"], "b")
      graph.file(folder["work/a/b/leaf"], "leaf\n", "leaf")
      graph.add("exec", "e", ["cmd": folder["work/a/program"]])
      graph.add("file", "program", ["path": folder["work/a/program"], "mode": "0755", "content": "#!/bin/sh\n"])
      let finished = try plan(graph.text)
      #expect(finished.status == 2, "\(finished.out)\(finished.err)")
      #expect(finished.out.hasSuffix("5 resources: 5 would be changed\n"), "\(finished.out)")
      #expect(!folder.exists("work/a"))
    }

    @Test("a secret is masked wherever a change is shown", .enabled(if: CPlugin.hasCompiler, "there is no C compiler"))
    func secret() throws {
      let plugins = try PluginFolder(folder)
      try CPlugin.compile(CPlugin.vault, to: plugins.path + "/vault.so")
      try folder.write("work/vault", "hunter1")
      var graph = GraphText()
      graph.add("vault", "v", ["path": folder["work/vault"], "secret": "hunter2"])
      let options = ["--plugin-path", plugins.path]
      func expectMasked(_ finished: Finished, _ status: Int32, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(finished.status == status, "\(finished.err)", sourceLocation: sourceLocation)
        let all = finished.out + finished.err
        #expect(all.contains("(secret)") && !all.contains("hunter"), "\(all)", sourceLocation: sourceLocation)
      }
      let text = try plan(graph.text, options[0], options[1])
      expectMasked(text, 2)
      #expect(text.out.contains("  secret: (secret)\n") && text.out.contains("  fingerprint: (secret)\n"), "\(text.out)")
      expectMasked(try plan(graph.text, options[0], options[1], "--json"), 2)
      expectMasked(try noop(graph.text, options), 2)
      expectMasked(try noop(graph.text, options + ["--json"]), 2)
      #expect(folder.read("work/vault") == "hunter1")
      let agent = try AgentProcess(folder, graph: graph.text, options: options + ["--converged-exit"])
      expectMasked(try agent.running.wait(), 0)
      #expect(folder.read("work/vault") == "hunter2")
    }

    // MARK: Nothing is written

    private func everything() throws -> String {
      try folder.write("work/old", "old\n")
      try folder.write("work/gone", "gone\n")
      try folder.makeFolder("work/purged/below")
      try folder.write("work/purged/below/x", "x")
      try folder.makeFolder("source/below")
      try folder.write("source/below/x", "x")
      try folder.makeFolder("work/copy")
      symlink("there", folder["work/link"])
      var graph = GraphText()
      graph.add(
        "file", "old", ["path": folder["work/old"], "content": "new\n", "mode": "0600"], meta: "reverse: true, retry: 1")
      graph.file(folder["work/new"], "new\n", meta: "reverse: true")
      graph.add("file", "gone", ["path": folder["work/gone"], "state": "absent"], meta: "reverse: true")
      graph.directory(folder["work/made"], "made")
      graph.file(folder["work/made/leaf"], "leaf\n", "leaf")
      graph.add("file", "link", ["path": folder["work/link"], "state": "exists", "symlink": true, "source": "here"])
      graph.add("file", "purged", ["path": folder["work/purged"] + "/", "state": "exists", "recurse": true, "purge": true])
      graph.add(
        "file", "copy",
        ["path": folder["work/copy"] + "/", "state": "exists", "recurse": true, "source": folder["source"] + "/"])
      graph.add("file", "joined", ["path": folder["work/joined"], "fragments": [folder["work/old"]]])
      graph.shell("plain", "echo ran >\(folder["work/ran"])")
      graph.add(
        "exec", "guarded",
        ["cmd": "/bin/touch \(folder["work/ran2"])", "ifcmd": "/bin/true", "creates": folder["work/nothing"]])
      graph.add("exec", "timed", ["cmd": "/bin/touch \(folder["work/ran3"])", "mtimes": [folder["work/old"]]])
      graph.add("file", "received", ["path": folder["work/received"], "state": "exists"])
      graph.edge("exec[plain]", "file[received]", receive: ["content": "output"])
      graph.add("print", "p", ["msg": "hello"])
      graph.add("test", "t", ["int8": 5], meta: "reverse: true")
      graph.add("timer", "t", ["interval": 1])
      graph.add("noop", "n")
      graph.edge("file[new]", "timer[t]", notify: true)
      return graph.text
    }

    @Test("a plan of everything writes nothing, and makes no prefix", arguments: [false, true])
    func writesNothing(_ hasPrefix: Bool) throws {
      let graph = try everything()
      if hasPrefix {
        // What an agent leaves there: a cache, records of what exec ran, a reversal.
        var before = GraphText()
        before.file(folder["work/reversible"], "x", meta: "reverse: true")
        before.add("exec", "timed", ["cmd": "/bin/true", "mtimes": [folder["work/old"]]])
        let agent = try AgentProcess(folder, graph: before.text, options: ["--converged-exit"])
        #expect(try agent.running.wait().status == 0)
      }
      try folder.write("graph.yaml", graph)
      let before = try ["work", "state", "home", "source", "."].map(listing)
      #expect(hasPrefix != before[1].isEmpty)
      for options in [[], ["--json"]] {
        let finished = try Mgmt.run(
          ["graph", "yaml", folder["graph.yaml"], "--plan", "--prefix", folder["state"]] + options, in: folder,
          environment: ["HOME": folder["home"], "TMPDIR": folder["home"]])
        #expect(finished.status == 2, "\(finished.out)\(finished.err)")
      }
      let after = try ["work", "state", "home", "source", "."].map(listing)
      #expect(after == before)
      #expect(folder.exists("state") == hasPrefix)
    }

    @Test("the prefix of the environment is not made either, nor one in the home directory")
    func otherPrefixes() throws {
      try folder.write("graph.yaml", try everything())
      let before = try listing(".")
      for environment in [
        ["MGMT_PREFIX": folder["elsewhere"]], ["XDG_STATE_HOME": folder["home"], "XDG_CACHE_HOME": folder["home"]],
      ] {
        let finished = try Mgmt.run(
          ["graph", "yaml", folder["graph.yaml"], "--plan"], in: folder,
          environment: environment.merging(["HOME": folder["home"], "TMPDIR": folder["home"]]) { $1 })
        #expect(finished.status == 2, "\(finished.out)\(finished.err)")
      }
      #expect(try listing(".") == before)
    }

    @Test("--noop changes nothing of what is managed")
    func noopWritesNothing() throws {
      let graph = try everything()
      let before = try ["work", "home", "source"].map(listing)
      let finished = try noop(graph)
      #expect(finished.status == 2, "\(finished.err)")
      #expect(try ["work", "home", "source"].map(listing) == before)
    }

    @Test("a plan while an agent runs on the same prefix disturbs nothing")
    func besideAnAgent() throws {
      var graph = GraphText()
      graph.file(folder["work/f"], "x\n")
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expectConverged()
      let count = agent.events.filter { $0.name == "check-ended" }.count
      for _ in 0..<3 {
        let finished = try Mgmt.run(["graph", "yaml", folder["graph.yaml"], "--plan", "--prefix", folder["state"]])
        #expect(finished.status == 0 && finished.out == "1 resource: 0 would be changed\n", "\(finished.out)\(finished.err)")
      }
      #expect(try agent.stop().status == 0)
      #expect(agent.events.filter { $0.name == "check-ended" }.count == count)
    }
  }
}
