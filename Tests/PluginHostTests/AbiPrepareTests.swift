// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import PluginABI
import Synchronization
import Testing

@testable import PluginHost

extension Abi {
  /// Kinds that find things out before edges and groups.
  @Suite struct Preparations {
    let bridge: Bridge
    var script: PluginScript { bridge.script }

    init() throws {
      bridge = try Bridge()
      _ = try bridge.make()
    }

    /// What it warned of, once it has ended.
    private func prepare(forEdges: Bool) throws -> [Diagnostic] {
      var ends: [[Diagnostic]] = []
      bridge.runtime.prepare(["test"], forEdges: forEdges) { ends.append($0) }
      #expect(try bridge.turn { !ends.isEmpty })
      try bridge.reactor.runOnce(maximumWait: 0)
      #expect(ends.count == 1)
      return ends.first ?? []
    }

    @Test("it is told whether there will be edges", arguments: [true, false])
    func flags(_ forEdges: Bool) throws {
      #expect(try prepare(forEdges: forEdges).isEmpty)
      #expect(script.count("prepare for edges") == (forEdges ? 1 : 0) && script.count("prepare") == (forEdges ? 0 : 1))
    }

    @Test("it may answer from another thread")
    func pending() throws {
      script.check = { [script] call, _, _ in
        onThreads(1) { _ in script.table.complete(call.handle, mgmt_status(MGMT_OK)) }
        return MGMT_PENDING
      }
      #expect(try prepare(forEdges: true).isEmpty)
      #expect(bridge.owner.logs.isEmpty)
    }

    @Test("a failure is a warning where edges may be missing, and the check's affair elsewhere", arguments: [true, false])
    func failure(_ forEdges: Bool) throws {
      script.check = { _, _, _ in MGMT_FAILED }
      let warnings = try prepare(forEdges: forEdges)
      #expect(warnings.map(\.severity) == (forEdges ? [.warning] : []))
      #expect(warnings.flatMap(\.notes) == (forEdges ? ["Automatic edges of test may be missing."] : []))
    }
  }
}
