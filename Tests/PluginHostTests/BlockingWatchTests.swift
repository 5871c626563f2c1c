// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PluginHost

extension Abi {
  @Suite struct BlockingWatch {
    let bridge: Bridge
    var script: PluginScript { bridge.script }

    init() throws { bridge = try Bridge(isBlocking: true) }

    @Test("a watch with a thread is ready, sees events, and ends when it is cancelled; then its resource is destroyed")
    func lifeCycle() throws {
      let instance = try bridge.make()
      try instance.watch()
      #expect(try bridge.turn { bridge.owner.readyCount == 1 && bridge.owner.eventCount == 1 })
      instance.unwatch()
      instance.destroy()
      #expect(!script.calls.withLock { $0 }.contains("destroy"))
      #expect(try bridge.turn { script.calls.withLock { $0 }.contains("destroy") })
      #expect(script.calls.withLock { $0 } == ["cancelled", "destroy"])
      #expect(bridge.owner.watchFailures.isEmpty)
    }

    @Test("it is watched again when the thread of the watch before has ended")
    func again() throws {
      let instance = try bridge.make()
      try instance.watch()
      #expect(try bridge.turn { bridge.owner.readyCount == 1 })
      instance.unwatch()
      try instance.watch()
      #expect(try bridge.turn { bridge.owner.readyCount == 2 })
      instance.unwatch()
      instance.destroy()
      #expect(try bridge.turn { script.calls.withLock { $0 }.contains("destroy") })
    }

    @Test("a thread that ends by itself is a broken watch")
    func breaks() throws {
      script.watchBreaks.withLock { $0 = true }
      let instance = try bridge.make()
      try instance.watch()
      #expect(try bridge.turn { bridge.owner.watchFailures.count == 1 })
      instance.unwatch()
      instance.destroy()
      #expect(script.calls.withLock { $0 } == ["destroy"])
    }
  }
}
