// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Testing

@testable import PluginTesting
@testable import TimerPlugin

extension KindTests {
  @Test(arguments: [0, -5, 1_000_000_001, Int64.max, Int64.min])
  func intervalsThatAreNoneAreRefused(_ interval: Int64) {
    let failure = timer.validate("t", ["interval": .int(interval)])
    #expect(failure?.field == "interval")
    #expect(failure?.hint.isEmpty == false)
  }

  @Test func aTimerNeedsAnInterval() {
    #expect(timer.validate("t", [:])?.hint == "set interval to 1 or more")
    #expect(timer.validate("t", ["interval": .int(1)]) == nil)
    #expect(timer.validate("t", ["interval": .int(1_000_000_000)]) == nil)
    #expect(throws: TestFailure.self) { try timer.make("t") }
  }

  @Test func eachTickIsAnEvent() throws {
    let resource = try timer.make("t", ["interval": .int(3)])
    try resource.watch()
    #expect(resource.record.ready == 1)
    let source = try #require(timer.host.timers.values.first)
    #expect((source.first, source.every) == (3000, 3000))
    timer.host.fireTimers()
    timer.host.fireTimers()
    #expect(resource.record.events == 2)
    #expect(try resource.check().status == MGMT_OK)
    #expect(try resource.check(apply: false).status == MGMT_OK)
    resource.unwatch()
    #expect(timer.host.timers.isEmpty)
  }

  @Test func aNotificationStartsTheIntervalAnew() throws {
    let resource = try timer.make("t", ["interval": .int(3)])
    try resource.watch()
    let before = Set(timer.host.timers.keys)
    #expect(try resource.check(apply: false, refresh: true).status == MGMT_DIFFERS)
    #expect(Set(timer.host.timers.keys) == before)
    #expect(try resource.check(refresh: true).status == MGMT_CHANGED)
    #expect(timer.host.timers.count == 1)
    #expect(Set(timer.host.timers.keys).isDisjoint(with: before))
    resource.unwatch()
    #expect(try resource.check(refresh: true).status == MGMT_CHANGED)
    #expect(timer.host.timers.isEmpty)
  }
}
