// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// A plugin of a third party: the template in C, as the guide says it is built and used.
  @Suite(.enabled(if: CPlugin.hasCompiler, "there is no C compiler")) struct Plugins {
    let folder: TemporaryFolder
    let plugins: PluginFolder

    init() throws {
      folder = try TemporaryFolder()
      plugins = try PluginFolder(folder)
      try folder.makeFolder("work")
    }

    private func note(_ name: String, _ fields: String = "") -> String {
      "  - name: \(name)\n    path: \(folder["work"])/\(name)\n\(fields)"
    }

    @Test("the header is C++17 too")
    func header() throws {
      let source = try folder.write(
        "h.cpp",
        "#include <mgmt/plugin.h>\nstatic const mgmt_str name = MGMT_STR(\"x\");\nint main() { return name.len == 1 ? 0 : 1; }\n"
      )
      let finished = try Mgmt.command(
        [
          "/usr/bin/c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", CPlugin.header, "-o", folder["h"],
          source,
        ])
      #expect(finished.status == 0, "\(finished.err)")
      #expect(try Mgmt.command([folder["h"]]).status == 0)
    }

    @Test("it is listed and shown, as text and as JSON")
    func listed() throws {
      try CPlugin.compile(CPlugin.note, to: plugins.path + "/note.so")
      let entry = try #require(try plugins.list()["note.so"])
      #expect(entry["state"] as? String == "usable")
      #expect(
        entry["plugin"] as? String == "note" && entry["version"] as? String == "1.0.0" && entry["abi"] as? String == "1.0")
      #expect(entry["kinds"] as? [String] == ["note"])
      let lines = try plugins.listText().split(separator: "\n")
      #expect(lines.first?.split(separator: " ") == ["KIND", "PLUGIN", "VERSION", "ABI", "STATE", "PATH"])
      #expect(
        lines.contains { $0.split(separator: " ") == ["note", "note", "1.0.0", "1.0", "usable", "\(plugins.path)/note.so"] })
      for kind in ["noop", "file", "exec"] { #expect(lines.contains { $0.hasPrefix(kind + " ") }) }

      let text = try Mgmt.run(["plugins", "show", "note", "--plugin-path", plugins.path], environment: plugins.environment)
      #expect(text.status == 0 && text.err.isEmpty)
      #expect(text.out.hasPrefix("note\n  A file with a few lines of text, written as a whole.\n"))
      #expect(text.out.contains("  mode  int  (default: 420)\n      Its permission bits as a number: 420 is octal 0644.\n"))
      #expect(text.out.contains("  state  str  (default: \"exists\"; one of \"exists\", \"absent\")\n"))
      let json = try Mgmt.run(
        ["plugins", "show", "--json", "--plugin-path", plugins.path, "note"], environment: plugins.environment)
      let object = try #require(try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any])
      let parameters = try #require(object["parameters"] as? [[String: Any]])
      #expect(parameters.map { $0["name"] as? String } == ["path", "text", "state", "mode", "newline", "header"])
      #expect(parameters.map { $0["type"] as? String } == ["str", "str", "str", "int", "bool", "[]str"])
      #expect(parameters[0]["takesName"] as? Bool == true && parameters[0]["default"] is NSNull)
      #expect(parameters[2]["choices"] as? [String] == ["exists", "absent"])
      #expect(parameters[3]["default"] as? Int == 420)
    }

    @Test("--noop says what would be done and does nothing")
    func noop() throws {
      try CPlugin.compile(CPlugin.note, to: plugins.path + "/note.so")
      try folder.write("work/b", "other\n")
      try folder.write(
        "g.yaml", "graph: g\nresources:\n  note:\n" + note("a", "    text: hello\n") + note("b", "    text: hello\n"))
      let finished = try Mgmt.run(
        [
          "run", "--prefix", folder["state"], "--plugin-path", plugins.path, "--noop", "--converged-timeout=0", "yaml",
          folder["g.yaml"],
        ])
      #expect(finished.err.contains("note[a]: would be changed"), "\(finished.err)")
      #expect(finished.err.contains("-other\n") && finished.err.contains("+hello\n"), "\(finished.err)")
      #expect(!folder.exists("work/a"))
      #expect(folder.read("work/b") == "other\n")
    }

    @Test("it is applied, watched and mended; a wrong parameter is refused with the plugin's words")
    func run() throws {
      try CPlugin.compile(CPlugin.note, to: plugins.path + "/note.so")
      try folder.write("work/gone", "x")
      let graph =
        "graph: g\nresources:\n  note:\n" + note("a", "    text: hello\n    header: [one, two]\n    mode: 384\n")
        + note("gone", "    state: absent\n")
      let agent = try AgentProcess(folder, graph: graph, options: ["--plugin-path", plugins.path])
      agent.expectConverged()
      #expect(folder.read("work/a") == "# one\n# two\nhello\n")
      #expect(!folder.exists("work/gone"))
      var status = stat()
      #expect(lstat(folder["work/a"], &status) == 0 && status.st_mode & 0o7777 == 0o600)

      unlink(folder["work/a"])
      #expect(poll { folder.read("work/a") == "# one\n# two\nhello\n" })
      try folder.write("work/a", "spoiled\n")
      #expect(poll { folder.read("work/a") == "# one\n# two\nhello\n" })
      try folder.write("work/gone", "again")
      #expect(poll { !folder.exists("work/gone") })
      agent.expect("corrective change") {
        $0.name == "check-ended" && $0.resource == "note[a]" && $0.status == "changed"
          && $0.members["reason"] as? String == "corrective"
      }

      try agent.replaceGraph("graph: g\nresources:\n  note:\n" + note("a", "    mode: 70000\n"))
      agent.expect("refusal") { event in
        guard event.name == "graph-rejected", let all = event.members["diagnostics"] as? [[String: Any]] else { return false }
        return all.contains { ($0["title"] as? String)?.contains("these are not permission bits") == true }
      }
      // The newest graph is not the one that ran.
      let finished = try agent.stop()
      #expect(finished.status == 1, "\(finished.err)")
      #expect(agent.misbehaviour("note").isEmpty)
    }

    @Test("a plugin that is dropped in works without a restart")
    func hotDrop() throws {
      let start = "graph: g\nresources:\n  noop:\n  - name: n\n"
      let agent = try AgentProcess(folder, graph: start, options: ["--plugin-path", plugins.path])
      agent.expectConverged()
      try CPlugin.compile(CPlugin.note, to: plugins.path + "/note.so")
      // Whatever comes first, the new graph or the knowledge of the new kind: both together have to work.
      try agent.replaceGraph(start + "  note:\n" + note("a", "    text: dropped\n"))
      #expect(poll { folder.read("work/a") == "dropped\n" }, "\(agent.running.out)")
      let finished = try agent.stop()
      #expect(finished.status == 0, "\(finished.err)")
      #expect(agent.events.filter { $0.name == "start" }.count == 1)
    }

    @Test("a directory for plugins that comes after the start is seen")
    func lateDirectory() throws {
      let late = folder["late/plugins"]
      let agent = try AgentProcess(
        folder, graph: "graph: g\nresources:\n  noop:\n  - name: n\n", options: ["--plugin-path", late])
      agent.expectConverged()
      try folder.makeFolder("late/plugins")
      try CPlugin.compile(CPlugin.note, to: late + "/note.so")
      try agent.replaceGraph("graph: g\nresources:\n  note:\n" + note("a", "    text: late\n"))
      #expect(poll { folder.read("work/a") == "late\n" }, "\(agent.running.out)")
      #expect(try agent.stop().status == 0)
    }

    @Test("a plugin that is replaced or removed while it is in use goes on, and new resources of it come to life")
    func replaced() throws {
      try CPlugin.compile(CPlugin.note, to: plugins.path + "/note.so")
      let graph = "graph: g\nresources:\n  note:\n" + note("a", "    text: a\n")
      let agent = try AgentProcess(folder, graph: graph, options: ["--plugin-path", plugins.path])
      agent.expectConverged()
      try plugins.rogue("note", "ROGUE_KIND=\"note\"")
      agent.expect("a note that a restart is needed") {
        $0.name == "log" && ($0.members["text"] as? String)?.contains("its file was replaced: restart mgmt") == true
      }
      try agent.replaceGraph(graph + note("b", "    text: b\n"))
      #expect(poll { folder.read("work/b") == "b\n" }, "\(agent.running.out)")
      unlink(plugins.path + "/note.so")
      agent.expect("a note that the file is gone") {
        $0.name == "log" && ($0.members["text"] as? String)?.contains("its file is gone") == true
      }
      unlink(folder["work/a"])
      #expect(poll { folder.read("work/a") == "a\n" })
      #expect(try agent.stop().status == 0)
    }
  }
}
