// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Plugins that end the program, or print: no end looks like success, and the results are the program's own.
  @Suite(.enabled(if: CPlugin.hasCompiler, "there is no C compiler")) struct PluginExit {
    let folder: TemporaryFolder
    let plugins: PluginFolder

    init() throws {
      folder = try TemporaryFolder()
      plugins = try PluginFolder(folder)
      try plugins.rogue("rogue")
    }

    private func graph(_ how: String) throws -> String {
      try folder.write("g.yaml", "graph: g\nresources:\n  rogue:\n  - name: r\n    how: \(how)\n")
    }

    private func run(_ how: String, _ options: String...) throws -> Finished {
      try Mgmt.run(
        ["run", "--prefix", folder["state"], "--plugin-path", plugins.path, "--converged-timeout=0"] + options
          + ["yaml", graph(how)])
    }

    private func plan(_ how: String, _ options: String...) throws -> Finished {
      try Mgmt.run(
        ["graph", "yaml", graph(how), "--plan", "--prefix", folder["state"], "--plugin-path", plugins.path] + options)
    }

    private func objects(_ out: String) -> [[String: Any]?] {
      out.split(separator: "\n").map { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    }

    // MARK: Ends

    @Test(
      "exit in a plugin is a failure of its own, and says who, where and with what",
      arguments: [
        ("exit", "plugin \"rogue\" called exit(0) in check_apply of rogue[r]"),
        ("quick-exit", "plugin \"rogue\" called quick_exit in check_apply of rogue[r]"),
        ("exit-timer", "plugin \"rogue\" called exit(0) in a timer callback"),
        ("exit-thread", "a thread of a plugin called exit(0)"),
      ])
    func exits(_ how: String, _ words: String) throws {
      let finished = try run(how, "--json")
      #expect(finished.status == 70, "\(finished.err)")
      #expect(finished.err.contains("error: \(words)\n"), "\(finished.err)")
      #expect(finished.err.contains("rogue"))
      let last = objects(finished.out).last
      let diagnostic = last??["diagnostic"] as? [String: Any]
      #expect(diagnostic?["code"] as? String == "plugin.exit" && diagnostic?["title"] as? String == words, "\(finished.out)")
      #expect(!objects(finished.out).contains { $0 == nil })
    }

    @Test("exit in a plan is a failure, too, and there is no plan")
    func exitInPlan() throws {
      let finished = try plan("exit")
      #expect(finished.status == 70, "\(finished.err)")
      #expect(finished.err.contains("plugin \"rogue\" called exit(0) in check_apply of rogue[r]"), "\(finished.err)")
      #expect(finished.out.isEmpty)
    }

    @Test("what a plugin registers for the end does not change how the program ends")
    func exitAtExit() throws {
      let finished = try run("exit-at-exit")
      #expect(finished.status == 1, "\(finished.err)")
      #expect(finished.err.contains("goodbye!"))
    }

    @Test("a process a plugin forks may end")
    func forked() throws {
      let finished = try run("exit-forked")
      #expect(finished.status == 0, "\(finished.err)")
      #expect(!finished.err.contains("called exit"), "\(finished.err)")
    }

    @Test("what was printed before is the last that is heard of it")
    func lastWords() throws {
      let finished = try run("print-exit", "--json")
      #expect(finished.status == 70)
      #expect(finished.err.contains("plugin \"rogue\" printed: last words\n"), "\(finished.err)")
    }

    // MARK: Prints

    @Test("what plugins print is in the log by their name, not among the events")
    func printsInRun() throws {
      let finished = try run("print", "--json")
      #expect(finished.status == 0, "\(finished.err)")
      let events = objects(finished.out)
      #expect(!events.contains { $0 == nil }, "\(finished.out)")
      #expect(events.count { $0?["event"] as? String == "end" } == 1)
      let texts = events.compactMap { $0?["event"] as? String == "log" ? $0?["text"] as? String : nil }
      #expect(texts.contains("plugin \"rogue\" printed: {\"event\":\"end\",\"exit\":0}"), "\(finished.out)")
      #expect(texts.contains("plugin \"rogue\" printed: \u{1b}[31mred"), "\(finished.out)")
      let shown = try run("print")
      #expect(shown.out.isEmpty)
      #expect(shown.err.contains("plugin \"rogue\" printed: ␛[31mred\n"), "\(shown.err)")
    }

    @Test("a plan is one object, whatever is printed meanwhile", arguments: ["print", "print-raw", "print-part"])
    func printsInPlan(_ how: String) throws {
      let finished = try plan(how, "--json")
      #expect(finished.status == 0, "\(finished.err)")
      #expect(objects(finished.out).count == 1 && objects(finished.out).first??["exit"] as? Int == 0, "\(finished.out)")
      #expect(finished.err.contains("note: plugin \"rogue\" printed: "), "\(finished.err)")
    }

    @Test("who prints without end is not waited for, and what is left out is counted")
    func printsMany() throws {
      let finished = try run("print-many", "--json")
      #expect(finished.status == 0, "\(finished.err)")
      var shown = 0
      var lost = 0
      for event in objects(finished.out) {
        guard event?["event"] as? String == "log", let text = event?["text"] as? String else { continue }
        if text.contains(" printed: line ") { shown += 1 }
        guard let words = text.split(separator: " printed ").last, words.hasSuffix(" more lines, which are left out") else {
          continue
        }
        lost += words.split(separator: " ").first.flatMap { Int($0) } ?? 0
      }
      #expect(lost > 0 && shown + lost == 100_000, "\(shown) shown, \(lost) lost")
    }

    // MARK: Strange values

    @Test(
      "a value that is none is said to be one",
      arguments: [
        ("strange-type", "a value of the unknown type 99"), ("strange-depth", "a value nested deeper than 32 levels"),
        ("strange-text", "a text of 3 bytes at no address"), ("strange-list", "a value with 3 parts at no address"),
      ])
    func strange(_ how: String, _ words: String) throws {
      let finished = try run(how, "--json")
      #expect(finished.status == 0, "\(finished.err)")
      let rule = "plugin \"rogue\" broke a rule of the ABI (rogue[r]): it reported \(words) as a change"
      #expect(
        objects(finished.out).contains { $0?["text"] as? String == rule && $0?["level"] as? String == "warning" },
        "\(finished.out)")
      let ended = objects(finished.out).first { $0?["event"] as? String == "check-ended" }
      let changes = ended??["changes"] as? [[String: Any]]
      #expect(changes?.first?["was"] as? String == "(strange value)" && changes?.first?["will"] as? String == "(strange value)")
    }
  }
}
