// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Testing

@testable import ExecPlugin
@testable import NoopPlugin
@testable import PluginTesting
@testable import PrintPlugin
@testable import TestPlugin
@testable import TimerPlugin

/// Everything drives one fake host, so one test at a time.
@Suite(.serialized) struct KindTests {
  let noop = KindUnderTest(NoopPlugin.plugin.descriptor, "noop")
  let print = KindUnderTest(PrintPlugin.plugin.descriptor, "print")
  let timer = KindUnderTest(TimerPlugin.plugin.descriptor, "timer")
  let test = KindUnderTest(TestPlugin.plugin.descriptor, "test")
  let exec = KindUnderTest(ExecPlugin.plugin.descriptor, "exec")

  /// The host passes over what is NULL: a kind is asked only what it can answer.
  @Test func kindsOfferWhatTheyDeclare() throws {
    func offers(_ kind: KindUnderTest) throws -> String {
      let table = try #require(kind.table).pointee
      let entries: [(String, Bool)] = [
        ("uids", table.uids != nil), ("auto_edges", table.auto_edges != nil), ("cmp", table.cmp != nil),
        ("group_cmp", table.group_cmp != nil), ("group", table.group != nil), ("update", table.update != nil),
        ("reverse", table.reverse != nil),
      ]
      return entries.filter(\.1).map(\.0).joined(separator: " ")
    }
    #expect(try offers(noop) == "group_cmp group")
    #expect(try offers(print) == "group_cmp group update")
    #expect(try offers(timer) == "")
    #expect(try offers(test) == "cmp group_cmp group update reverse")
    #expect(try offers(exec) == "auto_edges")
  }

  @Test func traitsAreNoFlagsOfTheABI() throws {
    #expect(try #require(noop.table).pointee.flags == UInt32(MGMT_KIND_NONBLOCKING | MGMT_KIND_REFRESH))
    #expect(try #require(test.table).pointee.flags == UInt32(MGMT_KIND_NONBLOCKING | MGMT_KIND_REFRESH))
    #expect(try #require(exec.table).pointee.flags == UInt32(MGMT_KIND_REFRESH))
  }

  @Test func noopsNotifyEveryMemberOnce() throws {
    let leader = try noop.make("a")
    let member = try noop.make("b")
    #expect(leader.mayGroup(member))
    #expect(leader.group(member) == MGMT_OK)
    #expect(try leader.check().status == MGMT_OK)
    #expect(leader.log() + member.log() == [])
    #expect(try leader.check(refresh: true).status == MGMT_OK)
    #expect(leader.log() == ["received a notification"])
    #expect(member.log() == ["received a notification"])
    leader.destroy()
  }

  /// Whatever a check finds, what `exec` sends is sent.
  @Test func execSendsWithEveryCheckThatSucceeds() throws {
    let sent: TestValue = .structure([.unset, .string("text"), .unset])
    let blocked = try exec.make("false", ["creates": .string("/"), "send_stdout": .string("text")])
    for apply in [true, false] {
      let report = try blocked.check(apply: apply)
      #expect(report.status == MGMT_OK)
      #expect(report.sent == [sent])
    }
    let due = try exec.make("false", ["send_stdout": .string("text")])
    let report = try due.check(apply: false)
    #expect(report.status == MGMT_DIFFERS)
    #expect(report.sent == [sent])
  }
}
