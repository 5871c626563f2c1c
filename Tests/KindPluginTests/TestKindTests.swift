// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Testing

@testable import PluginTesting
@testable import TestPlugin

private let everyValue: [String: TestValue] = [
  "bool": .bool(true), "str": .string("a\n\"b\""), "int": .int(-1), "int8": .int(-128), "int16": .int(32767),
  "int32": .int(-2_147_483_648), "int64": .int(.min), "uint": .int(.max), "uint8": .int(255), "uint16": .int(65535),
  "uint32": .int(4_294_967_295), "uint64": .int(.max), "byte": .int(1), "rune": .int(0x1f600), "float32": .float(-1.5),
  "float64": .float(1e300), "boolptr": .bool(false), "stringptr": .string(""), "int64ptr": .int(0), "int8ptr": .int(-1),
  "uint8ptr": .int(2), "int8ptrptrptr": .int(3), "slicestring": .strings(["x", "y"]),
  "mapintfloat": .map([.int(1), .float(2.5)]),
  "mixedstruct": .structure([.bool(true), .string("s"), .int(4), .float(0.5)]),
  "interface": .list([.structure([.int(1)]), .map([.string("k"), .bool(false)])]), "anotherstr": .string("other"),
  "comment": .string("c"),
]

extension KindTests {
  @Test func everyTypeIsTakenLoggedAndReversed() throws {
    #expect(test.validate("t", everyValue) == nil)
    let resource = try test.make("t", everyValue)
    #expect(try resource.check().status == MGMT_OK)
    let line = """
      bool: true, str: "a\\n\\"b\\"", int: -1, int8: -128, int16: 32767, int32: -2147483648, int64: -9223372036854775808, \
      uint: 9223372036854775807, uint8: 255, uint16: 65535, uint32: 4294967295, uint64: 9223372036854775807, byte: 1, \
      rune: 128512, float32: -1.5, float64: 1e+300, boolptr: false, stringptr: "", int64ptr: 0, int8ptr: -1, uint8ptr: 2, \
      int8ptrptrptr: 3, slicestring: ["x", "y"], mapintfloat: {1 => 2.5}, mixedstruct: struct{true, "s", 4, 0.5}, \
      interface: [struct{1}, {"k" => false}], anotherstr: "other", comment: "c"
      """
    #expect(resource.log() == [line])
    let reversal = try #require(try resource.reverse())
    var expected = everyValue
    expected["str"] = .string("other")
    expected["anotherstr"] = .string("a\n\"b\"")
    expected["comment"] = .string("reversal of t")
    expected["slicestring"] = .list([.string("x"), .string("y")])
    #expect(reversal == PutResource(kind: "test", name: "t", parameters: expected))
  }

  @Test func aReversalExpectsNothing() throws {
    let resource = try test.make("t", ["str": .string("a"), "expectrecv": .strings(["int"])])
    let parameters = try #require(try resource.reverse()).parameters
    #expect(parameters == ["anotherstr": .string("a"), "comment": .string("reversal of t")])
  }

  @Test(arguments: [
    ("int8", -129, "-128 and 127"), ("int8", 128, "-128 and 127"), ("int8ptr", 128, "-128 and 127"),
    ("int8ptrptrptr", -129, "-128 and 127"), ("int16", 32768, "-32768 and 32767"), ("int32", 2_147_483_648, "2147483647"),
    ("rune", -2_147_483_649, "-2147483648"), ("uint", -1, "0 and 9223372036854775807"), ("uint8", 256, "0 and 255"),
    ("uint8ptr", -1, "0 and 255"), ("byte", 256, "0 and 255"), ("uint16", 65536, "0 and 65535"),
    ("uint32", 4_294_967_296, "0 and 4294967295"), ("uint64", -1, "0 and"), ("waitforerror", -1, "0 and 86400000"),
  ])
  func numbersOutOfRangeAreRefused(_ name: String, _ number: Int64, _ range: String) throws {
    let failure = try #require(test.validate("t", [name: .int(number)]))
    #expect(failure.field == name)
    #expect(failure.text.contains("\(number) is not between"))
    #expect(failure.text.contains(range))
    #expect(!failure.hint.isEmpty)
  }

  @Test func floatsThatDoNotFitAreRefused() {
    #expect(test.validate("t", ["float32": .float(1e300)])?.field == "float32")
    #expect(test.validate("t", ["float32": .float(-3.4e38)]) == nil)
    #expect(test.validate("t", ["float32": .float(.infinity)]) == nil)
  }

  @Test func validationFailsWhenAsked() {
    #expect(test.validate("t", ["validatebool": .bool(true)])?.field == "validatebool")
    #expect(test.validate("t", ["validateerror": .string("oh no")])?.text == "oh no")
    #expect(test.validate("t", ["onlyshow": .strings(["nothing"])])?.field == "onlyshow")
    #expect(test.validate("t", ["expectrecv": .strings(["nothing"])])?.field == "expectrecv")
    #expect(test.validate("t", [:]) == nil)
  }

  @Test func everyCheckSends() throws {
    let resource = try test.make("t", ["sendvalue": .string("hi")])
    for apply in [true, false, true] {
      let report = try resource.check(apply: apply)
      #expect(report.status == MGMT_OK)
      #expect(report.sent == [.structure([.string("hi"), .int(42)])])
    }
  }

  @Test func onlyWhatIsAskedForIsLogged() throws {
    let resource = try test.make("t", ["str": .string("a"), "bool": .bool(true), "onlyshow": .strings(["str", "int"])])
    try resource.check()
    #expect(resource.log() == ["str: \"a\", int: 0"])
    let plain = try test.make("u")
    try plain.check(refresh: true)
    #expect(plain.log() == ["received a notification", "nothing is set"])
  }

  @Test func aLeaderChecksLogsAndSendsForItsMembers() throws {
    let leader = try test.make(
      "a", ["alwaysgroup": .bool(true), "sendvalue": .string("A"), "onlyshow": .strings(["sendvalue"])])
    let member = try test.make("b", ["sendvalue": .string("B")])
    #expect(leader.mayGroup(member))
    #expect(!member.mayGroup(leader))
    #expect(leader.group(member) == MGMT_OK)
    let report = try leader.check()
    #expect(report.sent == [.structure([.string("A"), .int(42)])])
    #expect(member.record.sent == [.structure([.string("B"), .int(42)])])
    #expect(leader.log() == ["sendvalue: \"A\""])
    #expect(member.log() == ["sendvalue: \"B\""])
    leader.destroy()
  }

  @Test func expectedValuesHaveToArrive() throws {
    let parameters: [String: TestValue] = ["expectrecv": .strings(["str", "int"])]
    let leader = try test.make("a", ["alwaysgroup": .bool(true)])
    let member = try test.make("b", parameters)
    leader.group(member)
    #expect(failure { try leader.check() }?.text.contains("of test[b]") == true)
    let received = parameters.merging(["str": .string("x"), "int": .int(1)]) { $1 }
    #expect(try member.update(received, changed: ["str"]) == MGMT_OK)
    let missing = failure { try leader.check() }
    #expect(missing?.field == "expectrecv")
    #expect(missing?.text == "1 parameters received a value (str), 2 were expected (of test[b])")
    #expect(member.record.sent == [])
    #expect(try member.update(received, changed: ["int"]) == MGMT_OK)
    #expect(try leader.check().status == MGMT_OK)
    #expect(try member.update(received.merging(["bool": .bool(true)]) { $1 }, changed: ["bool"]) == MGMT_OK)
    #expect(failure { try leader.check() }?.text.contains("3 parameters") == true)
    leader.destroy()
    let none = try test.make("c", ["expectrecv": .strings([])])
    #expect(try none.check().status == MGMT_OK)
  }

  private func failure(_ body: () throws -> Void) -> TestFailure? {
    do {
      try body()
      return nil
    } catch {
      return error as? TestFailure
    }
  }

  @Test func aCheckThatWaitsFailsInTheEnd() throws {
    let resource = try test.make("t", ["waitforerror": .int(50), "sendvalue": .string("x")])
    let call = Record()
    #expect(resource.start(call) == MGMT_PENDING)
    #expect(test.host.timers.values.map(\.first) == [50])
    test.host.fireTimers()
    #expect(call.completed == [mgmt_status(MGMT_FAILED)])
    #expect(call.failure?.text == "it was asked to fail after 50 ms")
    #expect(call.sent == [])
    #expect(test.host.timers.isEmpty)
  }

  @Test func aCheckThatWaitsCanBeCancelled() throws {
    let leader = try test.make("a", ["alwaysgroup": .bool(true), "waitforerror": .int(5000)])
    let member = try test.make("b", ["waitforerror": .int(1000)])
    leader.group(member)
    let call = Record()
    #expect(leader.start(call) == MGMT_PENDING)
    #expect(test.host.timers.values.map(\.first) == [1000])
    leader.cancel(call)
    leader.cancel(call)
    #expect(call.completed == [mgmt_status(MGMT_CANCELLED)])
    #expect(test.host.timers.isEmpty)
    leader.destroy()
  }

  @Test func comparisonFailsWhenAsked() throws {
    let one = try test.make("t", everyValue)
    let other = try test.make("t", everyValue)
    #expect(one.compare(other) == 0)
    #expect(try one.compare(test.make("t", ["str": .string("x")])) != 0)
    let failing: [String: TestValue] = ["comparefail": .bool(true)]
    #expect(try test.make("t", failing).compare(test.make("t", failing)) != 0)
  }

  /// Long lists do not use up the stack.
  @Test func longListsAreReversed() throws {
    let items = (0..<50_000).map { "\($0)" }
    let resource = try test.make("t", ["slicestring": .strings(items)])
    #expect(try resource.reverse()?.parameters["slicestring"] == .list(items.map(TestValue.string)))
  }
}
