// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Names, contents and output that want to steer a terminal or look like lines of the agent.
  @Suite struct ShownText {
    /// As YAML writes it: a new line that looks like one of the log, clearing the screen, C1's CSI, the turn of text, U+2028, nothing seen.
    private static let evil = #"x\n00:00:00 file[/etc/shadow]: changed\e[2J\r\x9b31m\u202e\u2028\u200b\xad"#

    private static func graph(_ folder: TemporaryFolder) -> String {
      """
      graph: "g\(evil)"
      resources:
        noop:
        - {name: "\(evil)"}
        print:
        - {name: p, msg: "\(evil)"}
        exec:
        - {name: e, cmd: "printf 'x\\\\n\\\\033[2J\\\\302\\\\233\\\\342\\\\200\\\\256\\\\r00:00:00 forged'; exit 3", shell: /bin/sh}
        file:
        - {name: f, path: "\(folder["f"])", content: "one\\n\\e[2J\\rtwo\\u202e\\n"}
      """
    }

    /// Nothing in it that a terminal obeys; `allowed`: colours and the like are of the agent itself.
    private func expectHarmless(_ text: String, _ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
      let bad = text.unicodeScalars.filter {
        ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || (0x7f..<0xa0).contains($0.value)
          || [0xad, 0x200b, 0x2028, 0x202e].contains($0.value)
      }
      #expect(bad.isEmpty, "\(what): \(text.debugDescription)", sourceLocation: sourceLocation)
      let forged = text.split(separator: "\n").filter { $0.hasPrefix("00:00:00") }
      #expect(forged.isEmpty, "\(what): \(forged)", sourceLocation: sourceLocation)
    }

    @Test("no view hands them to the terminal", arguments: [[], ["--noop"], ["--json"]])
    func run(_ options: [String]) throws {
      let folder = try TemporaryFolder()
      let file = try folder.write("g.yaml", Self.graph(folder))
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["state"], "--converged-timeout=0", "--graphviz", folder["dot"]] + options + ["yaml", file],
        bound: 30)
      #expect(finished.err.contains("exec[e]") || finished.out.contains("exec[e]"), "\(finished.err)")
      expectHarmless(finished.out, "standard output")
      expectHarmless(finished.err, "standard error")
      expectHarmless(folder.read("dot") ?? "", "the file for Graphviz")
    }

    @Test(
      "nor do the commands that print graphs",
      arguments: [[], ["--compiled"], ["--json"], ["--format=dot"], ["--plan"], ["--plan", "--json"]])
    func graph(_ options: [String]) throws {
      let folder = try TemporaryFolder()
      let file = try folder.write("g.yaml", Self.graph(folder))
      let finished = try Mgmt.run(["graph", "yaml", file, "--prefix", folder["state"]] + options)
      #expect(finished.out.contains("00:00:00"), "\(finished.out) \(finished.err)")
      expectHarmless(finished.out, "standard output")
      expectHarmless(finished.err, "standard error")
    }

    @Test("nor does the status, as text and as JSON")
    func status() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: Self.graph(folder))
      agent.expect("stalled") { $0.name == "stalled" }
      for options in [[], ["--json"]] {
        var shown = Finished(status: -1, out: "", err: "")
        // The socket comes a moment after the first graph.
        poll {
          shown = (try? Mgmt.run(["status", "--prefix", folder["state"]] + options)) ?? shown
          return shown.status != 1
        }
        #expect(shown.out.contains("00:00:00"), "\(shown)")
        expectHarmless(shown.out, "mgmt status")
      }
      _ = try agent.stop()
    }

    @Test("nor do errors about the command line")
    func usage() throws {
      let finished = try Mgmt.run(["run", "--\u{1b}[2J\u{202e}", "empty"])
      #expect(finished.status == 1)
      expectHarmless(finished.err, "standard error")
    }
  }
}
