// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Testing

@testable import PluginHost

extension Abi {
  /// A plugin's own directory.
  @Suite struct PluginState {
    private static func ask(_ script: PluginScript, capacity: Int = 4096) -> (status: Int, path: String, length: Int) {
      var buffer = [CChar](repeating: 0, count: 4096)
      var length = 0
      let status = script.table.plugin_dir(script.hostPointer, &buffer, capacity, &length)
      return (Int(status), String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self), length)
    }

    @Test("it is made on demand, for the agent's user alone, and is the same next time")
    func made() throws {
      let bridge = try Bridge()
      _ = try bridge.make()
      let answer = Self.ask(bridge.script)
      #expect(answer.status == MGMT_OK)
      #expect(answer.path == "\(bridge.folder.path)/state/plugins/plugin-dGVzdA/" && answer.length == answer.path.utf8.count)
      var status = stat()
      #expect(stat(answer.path, &status) == 0 && status.st_mode & 0o7777 == 0o700)
      #expect(Self.ask(bridge.script).path == answer.path)
      let small = Self.ask(bridge.script, capacity: 10)
      #expect(small.status == MGMT_FAILED && small.path == "" && small.length == answer.length)
    }

    @Test("something else in its place is refused and named")
    func inTheWay() throws {
      let bridge = try Bridge()
      _ = try bridge.make()
      let path = Self.ask(bridge.script).path
      #expect(rmdir(path) == 0)
      #expect(symlink("/tmp", String(path.dropLast())) == 0)
      #expect(Self.ask(bridge.script).status == MGMT_FAILED)
      #expect(bridge.owner.logs.contains { $0.contains("plugin-dGVzdA") && $0.contains("remove it") }, "\(bridge.owner.logs)")
    }

    @Test("a plugin that keeps something is opened though nobody needs it; one that keeps nothing is not")
    func opened() throws {
      let bridge = try Bridge()
      #expect(bridge.runtime.openThoseWithState().isEmpty)
      #expect(bridge.script.hostPointer == nil)
      _ = try bridge.folder.write("state/plugins/plugin-dGVzdA/kept")
      #expect(bridge.runtime.openThoseWithState().isEmpty)
      #expect(bridge.script.hostPointer != nil)
    }

    @Test(
      "who only looks has no directory for plugins, and opens nothing", arguments: [StateDirectory.Use.looking, .resources])
    func looking(_ use: StateDirectory.Use) throws {
      let bridge = try Bridge(use: use)
      _ = try bridge.folder.write("state/plugins/plugin-dGVzdA/kept")
      #expect(bridge.runtime.openThoseWithState().isEmpty)
      #expect(bridge.script.hostPointer == nil)
      _ = try bridge.make()
      #expect(Self.ask(bridge.script).status == MGMT_UNSUPPORTED)
    }
  }
}
