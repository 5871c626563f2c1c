// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PkgPlugin

@Suite struct DecodingTests {
  @Test func packageIDs() {
    #expect(
      PackageID("demo;1:1.0-1;all;manual:debian-demo-main")
        == PackageID(name: "demo", version: "1:1.0-1", architecture: "all", data: "manual:debian-demo-main"))
    #expect(PackageID("demo;;;")?.text == "demo;;;")
    for text in ["", "demo", "demo;1;all", ";1;all;x", "demo;1;all;x;y", ";;;"] { #expect(PackageID(text) == nil, "\(text)") }
    #expect(PackageID("demo;1;amd64;")?.isCalled("demo") == true)
    #expect(PackageID("demo;1;amd64;")?.isCalled("demo:amd64") == true)
    #expect(PackageID("demo;1;amd64;")?.isCalled("demo:i386") == false)
  }

  @Test func packageSignals() {
    #expect(
      PackageKitSignal(signal("Package", [.u(1), .s("demo;1.0;all;x"), .s("words")]))
        == .packages([listed(1, "demo;1.0;all;x")]))
    let many: Argument = .array(
      "(uss)",
      [
        .structure([.u(1), .s("a;1;all;x"), .s("")]), .structure([.u(2), .s("not an id"), .s("")]),
        .structure([.u(327_685), .s("b;2;all;"), .s("")]),
      ])
    #expect(PackageKitSignal(signal("Packages", [many])) == .packages([listed(1, "a;1;all;x"), listed(5, "b;2;all;")]))
  }

  @Test func otherSignals() {
    let id = PackageID(name: "a", version: "1", architecture: "all", data: "x")
    #expect(
      PackageKitSignal(signal("Files", [.s("a;1;all;x"), .array("s", [.s("/a"), .s("/b")])])) == .files(id, ["/a", "/b"]))
    #expect(PackageKitSignal(signal("ErrorCode", [.u(26), .s("locked")])) == .errorCode(26, "locked"))
    #expect(PackageKitSignal(signal("Finished", [.u(1), .u(17)])) == .finished(exit: 1))
    #expect(PackageKitSignal(signal("Destroy", [])) == .destroy)
    #expect(PackageKitSignal(signal("ItemProgress", [.s("a;1;all;x"), .u(9), .u(40)])) == .itemProgress)
    #expect(PackageKitSignal(signal("SomethingNew", [.u(1)])) == .other)
  }

  @Test func percentages() {
    func properties(_ entries: [(String, String, Argument)]) -> PackageKitSignal {
      let entries = entries.map { Argument.entry([.s($0), .variant($1, $2)]) }
      return PackageKitSignal(
        signal("PropertiesChanged", [.s("x"), .array("{sv}", entries), .array("s", [])]))
    }
    #expect(properties([("Role", "u", .u(11)), ("Percentage", "u", .u(42))]) == .progress(42))
    #expect(properties([("Percentage", "u", .u(101))]) == .other)
    #expect(properties([("Percentage", "s", .s("42"))]) == .other)
    #expect(properties([]) == .other)
  }

  @Test func sizes() {
    func details(_ entries: [(String, String, Argument)]) -> PackageKitSignal {
      PackageKitSignal(signal("Details", [.array("{sv}", entries.map { .entry([.s($0), .variant($1, $2)]) })]))
    }
    let id = PackageID(name: "a", version: "1", architecture: "all", data: "x")
    #expect(details([("group", "u", .u(2)), ("size", "t", .t(7)), ("package-id", "s", .s("a;1;all;x"))]) == .size(id, 7))
    #expect(details([("size", "u", .u(7)), ("package-id", "s", .s("a;1;all;x"))]) == .other)
    #expect(details([("package-id", "s", .s("a;1;all;x"))]) == .other)
    #expect(details([("size", "t", .t(7))]) == .other)
    #expect(PackageKitSignal(signal("Details", [.u(1)])) == .other)
  }

  @Test(
    arguments: [
      signal("Package", []), signal("Package", [.s("demo;1;all;")]), signal("Package", [.u(1), .u(2), .u(3)]),
      signal("Package", [.u(1), .s("no id"), .s("")]), signal("Packages", [.u(7)]), signal("Finished", [.s("1")]),
      signal("Files", [.s("a;1;all;x")]), signal("Files", [.s("a;1;all;x"), .s("/etc")]), signal("Files", [.u(1)]),
      signal("ErrorCode", [.u(1)]), signal("ErrorCode", [.s("x"), .u(1)]), signal("ItemProgress", [.s("a;1;all;x"), .u(1)]),
      signal("ItemProgress", [.s("a;1;all;x"), .u(1), .u(4_000_000_000)]), signal("PropertiesChanged", [.u(1)]),
    ].map(SendableMessage.init))
  func whatPackageKitWouldNotSendIsNothing(_ message: SendableMessage) {
    #expect(PackageKitSignal(message.message) == .other)
  }

  @Test func hugeArraysAreCut() {
    let paths = (0..<(BusReader.limit + 10)).map { Argument.s("/\($0)") }
    guard case .files(_, let read) = PackageKitSignal(signal("Files", [.s("a;1;all;x"), .array("s", paths)])) else {
      Issue.record("not read")
      return
    }
    #expect(read.count == BusReader.limit)
  }

  @Test func textsThatDBusDoesNotAllowAreNotSent() {
    func call(_ value: BusValue) -> BusMessage? {
      BusMessage.call(destination: "a.b", path: "/", interface: "a.b", member: "C", [value])
    }
    #expect(call(.string("a\0b")) == nil)
    #expect(call(.strings(["fine", "a\0b"])) == nil)
    #expect(call(.strings(["fine", "ü"])) != nil)
  }
}

/// Read by one test at a time.
struct SendableMessage: @unchecked Sendable, CustomTestStringConvertible {
  let message: BusMessage
  var testDescription: String { message.member }
}
