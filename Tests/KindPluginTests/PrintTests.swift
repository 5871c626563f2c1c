// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Testing

@testable import PluginTesting
@testable import PrintPlugin

extension KindTests {
  @Test func aMessageIsPrintedOnce() throws {
    let resource = try print.make("p", ["msg": .string("hello")])
    let first = try resource.check()
    #expect(first.status == MGMT_CHANGED)
    #expect(first.changes == [Change(path: "msg", was: nil, will: "hello")])
    #expect(resource.log() == ["Msg: hello"])
    #expect(try resource.check().status == MGMT_OK)
    #expect(resource.log() == [])
    #expect(resource.record.events == 0)
  }

  @Test func aMessagePrintedByTheOneBeforeCounts() throws {
    try print.make("p", ["msg": .string("hello")]).check()
    #expect(try print.make("p", ["msg": .string("hello")]).check().status == MGMT_OK)
    #expect(try print.make("q", ["msg": .string("hello")]).check().status == MGMT_CHANGED)
    let other = try print.make("p", ["msg": .string("bye")])
    #expect(try other.check().changes == [Change(path: "msg", was: "hello", will: "bye")])
  }

  @Test func withoutApplyNothingIsPrinted() throws {
    let resource = try print.make("p", ["msg": .string("hello")])
    for _ in 0..<2 { #expect(try resource.check(apply: false).status == MGMT_DIFFERS) }
    #expect(resource.log() == [])
    #expect(try resource.check().status == MGMT_CHANGED)
    #expect(try resource.check(apply: false, refresh: true).status == MGMT_DIFFERS)
  }

  @Test func aNotificationPrintsAgain() throws {
    let resource = try print.make("p", ["msg": .string("one\ntwo")])
    try resource.check()
    #expect(try resource.check(refresh: true).status == MGMT_CHANGED)
    #expect(resource.log() == ["Msg: one", "two", "Msg: one", "two"])
  }

  @Test func refreshOnlyPrintsWhenNotified() throws {
    let resource = try print.make("p", ["msg": .string("hello"), "refresh_only": .bool(true)])
    #expect(try resource.check().status == MGMT_OK)
    #expect(resource.log() == [])
    #expect(try resource.check(refresh: true).status == MGMT_CHANGED)
    #expect(resource.log() == ["Msg: hello"])
  }

  @Test func printsAreGroupedUnlessOneIsRefreshOnly() throws {
    let plain = try print.make("a")
    let other = try print.make("b")
    let refreshOnly = try print.make("c", ["refresh_only": .bool(true)])
    #expect(plain.mayGroup(other))
    #expect(!plain.mayGroup(refreshOnly))
    #expect(!refreshOnly.mayGroup(plain))
  }

  @Test func aLeaderPrintsForItsMembersInTheirNames() throws {
    let leader = try print.make("a", ["msg": .string("one")])
    let member = try print.make("b", ["msg": .string("two")])
    leader.group(member)
    let report = try leader.check()
    #expect(report.status == MGMT_CHANGED)
    #expect(report.changes.map(\.path) == ["msg", "print[b]#msg"])
    #expect(leader.log() == ["Msg: one"])
    #expect(member.log() == ["Msg: two"])
    #expect(try member.update(["msg": .string("three")], changed: ["msg"]) == MGMT_OK)
    #expect(try leader.check().changes == [Change(path: "print[b]#msg", was: "two", will: "three")])
    #expect(leader.log() == [])
    #expect(member.log() == ["Msg: three"])
    leader.destroy()
  }

  @Test func whatWasPrintedIsForgottenWhenManyNamesHaveGone() {
    let printed = PrintedMessages()
    func pass(_ name: String) {
      printed.appeared(name)
      printed.record("m", for: name)
      printed.disappeared(name)
    }
    printed.appeared("stays")
    printed.record("m", for: "stays")
    pass("first")
    for number in 0..<2 * PrintedMessages.remembered {
      pass("n\(number)")
      if number == PrintedMessages.remembered + 10 { pass("again") }
    }
    #expect(printed.last("first") == nil)
    #expect(printed.last("again") == "m")
    #expect(printed.last("stays") == "m")
    printed.appeared("silent")
    printed.disappeared("silent")
    printed.disappeared("never")
    #expect(printed.last("silent") == nil)
  }
}
