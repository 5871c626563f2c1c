// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  @Suite(.enabled(if: CPlugin.hasCompiler, "there is no C compiler")) struct BusyEnd {
    private func start(_ options: [String] = []) throws -> AgentProcess {
      let folder = try TemporaryFolder()
      let plugins = try PluginFolder(folder)
      try CPlugin.compile(CPlugin.busy, to: plugins.path + "/busy.so")
      let graph = "graph: g\nresources:\n  busy:\n" + (0..<8).map { "  - name: b\($0)\n" }.joined()
      return try AgentProcess(folder, graph: graph, options: ["--plugin-path", plugins.path] + options)
    }

    @Test("the end of --max-runtime takes nothing away from checks that still run")
    func maximumRuntime() throws {
      let agent = try start(["--max-runtime", "1"])
      #expect(try agent.running.wait().status == 1)
    }

    @Test("nor does the third signal")
    func thirdSignal() throws {
      let agent = try start()
      agent.expect("a check runs") { $0.name == "check-started" }
      for words in ["interrupted by ^C", "cancelling the checks"] {
        agent.running.signal(SIGINT)
        agent.expect(words) { $0.name == "log" && ($0.members["text"] as? String)?.contains(words) == true }
      }
      agent.running.signal(SIGINT)
      #expect(try agent.running.wait().status == 1)
    }
  }
}
