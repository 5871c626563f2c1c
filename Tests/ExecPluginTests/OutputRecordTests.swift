// SPDX-License-Identifier: Apache-2.0

import PluginKit
import Testing

@testable import ExecPlugin

@Suite struct OutputRecordTests {
  private func settings(_ change: (inout ExecSettings) -> Void = { _ in }) -> ExecSettings {
    var settings = ExecSettings()
    settings.cmd = CommandSpec(field: "cmd", text: "a", arguments: ["b"])
    settings.environment = [("A", "1"), ("B", "2")]
    change(&settings)
    return settings
  }

  @Test func allThatDecidesTheOutputCounts() {
    let changes: [(inout ExecSettings) -> Void] = [
      { $0.cmd.text = "b" }, { $0.cmd.arguments = [] }, { $0.cmd.arguments = ["b", ""] }, { $0.cmd.shell = "/bin/sh" },
      { $0.cmd.directory = "/" }, { $0.user = "u" }, { $0.group = "u" }, { $0.environment[0].value = "2" },
      { $0.environment = [] }, { ($0.cmd.text, $0.cmd.arguments) = ("a\nb", []) },
    ]
    let prints = changes.map { settings($0).fingerprint } + [settings().fingerprint]
    #expect(Set(prints).count == prints.count)
  }

  @Test func theRestDoesNot() {
    let same = settings {
      $0.environment.reverse()
      $0.timeout = 7
      $0.creates = "/x"
      $0.isRefreshOnly = true
      $0.fallback.output = "x"
    }
    #expect(same.fingerprint == settings().fingerprint)
  }

  @Test(arguments: [
    CapturedText(), CapturedText(output: "a\n-\n3\nb", stdout: "", stderr: "é"), CapturedText(stderr: "x"),
  ])
  func aRecordIsReadAsWritten(text: CapturedText) {
    let record = OutputRecord(command: "c", text: text)
    #expect(OutputRecord(record.bytes, of: "c") == record)
    #expect(OutputRecord(record.bytes, of: "d") == nil)
  }

  @Test func whatIsNotWholeIsNoRecord() {
    let bytes = OutputRecord(command: "c", text: CapturedText(output: "abc", stdout: "abc")).bytes
    for count in 0..<bytes.count { #expect(OutputRecord(Array(bytes.prefix(count)), of: "c") == nil) }
    #expect(OutputRecord(bytes + [0], of: "c") == nil)
    for length in ["-1", "4000000000000000000000", "x", "", "+", "9223372036854775807"] {
      #expect(OutputRecord(RecordHeader.bytes(of: "c") + Array("\(length)\nabc\n-\n-\n".utf8), of: "c") == nil)
    }
  }

  @Test func digests() {
    #expect(SHA256.hex(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(SHA256.hex(of: Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      SHA256.hex(of: [UInt8](repeating: 97, count: 1000)) == "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3")
  }
}
