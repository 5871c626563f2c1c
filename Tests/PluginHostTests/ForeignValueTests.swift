// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Testing
import Values

@testable import PluginHost

/// Values of plugins: whole, or named as what is wrong with them.
@Suite struct ForeignValueTests {
  private func value(_ bytes: [UInt8], _ use: ForeignValueUse) -> Result<Value, StrangeValue> {
    bytes.withUnsafeBytes { bytes in
      let text = mgmt_str(ptr: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), len: bytes.count)
      do throws(StrangeValue) {
        return .success(try Value(foreign: mgmt_value(type: UInt32(MGMT_STRING), flags: 0, u: .init(s: text)), for: use))
      } catch {
        return .failure(error)
      }
    }
  }

  @Test("a text others use is not cut; one that is shown is")
  func longTexts() {
    let text = [UInt8](repeating: UInt8(ascii: "x"), count: (1 << 20) + 7)
    #expect(value(text, .sent) == .success(.string(String(repeating: "x", count: text.count))))
    #expect(value(text, .kept) == .success(.string(String(repeating: "x", count: text.count))))
    #expect(value(text, .shown(masksSecrets: true)) == .success(.string(String(repeating: "x", count: 1 << 20))))
    let huge = [UInt8](repeating: UInt8(ascii: "x"), count: (64 << 20) + 1)
    #expect(value(huge, .sent) == .failure(StrangeValue(words: "a text of more than 64 MiB")))
  }

  @Test("what puts things back is used as it is or not at all")
  func bytes() {
    #expect(value([0xff], .shown(masksSecrets: true)) == .success(.string("\u{fffd}")))
    #expect(value([0xff], .sent) == .success(.string("\u{fffd}")))
    #expect(value([0xff], .kept) == .failure(StrangeValue(words: "a text that is not UTF-8")))
  }

  @Test("the thread's record says what of a plugin it runs, and calls nest")
  func calls() {
    #expect(ForeignCall.current == nil)
    "outer".withCString { plugin in
      ForeignCall.run(plugin, "check_apply", kind: "file", name: "/etc/motd") {
        #expect(ForeignCall.current?.resource == "file[/etc/motd]")
        ForeignCall.run(plugin, "open", kind: "file") {
          #expect(ForeignCall.current?.method == "open" && ForeignCall.current?.resource == "file")
          #expect(
            ExitGuard.diagnostic(3).title == "plugin \"outer\" called exit(3) in open of file")
        }
        #expect(ForeignCall.current?.plugin == "outer" && ForeignCall.current?.method == "check_apply")
      }
    }
    #expect(ForeignCall.current == nil)
  }
}
