// SPDX-License-Identifier: Apache-2.0

import Testing
import Values

@Suite("JSONWriter")
struct JSONWriterTests {
  private func text(_ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    body(&json)
    return json.text
  }

  @Test("nests objects and arrays, with commas between and nowhere else")
  func nesting() {
    let result = text { json in
      json.object { json in
        json.member("a", 1)
        json.array("b") { json in
          json.value("x")
          json.object { _ in }
          json.array { _ in }
          json.null()
          json.value(true)
        }
        json.object("c") { $0.member("d", false) }
        json.member("e", 1.5)
      }
    }
    #expect(result == #"{"a":1,"b":["x",{},[],null,true],"c":{"d":false},"e":1.5}"#)
  }

  @Test(
    "escapes strings",
    arguments: [
      ("plain", #""plain""#), ("", #""""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t", #""\n\r\t""#),
      ("\u{0}\u{1b}", #""\u0000\u001b""#),
      ("\u{7f}\u{80}\u{9f}\u{a0}", "\"\\u007f\\u0080\\u009f\u{a0}\""), ("é漢😀", "\"é漢😀\""),
      ("a\u{202e}b\u{2028}\u{200b}\u{feff}", #""a\u202eb\u2028\u200b\ufeff""#), ("\u{e0041}", #""\udb40\udc41""#),
    ])
  func strings(_ value: String, _ expected: String) {
    #expect(text { $0.value(value) } == expected)
  }

  @Test("writes numbers JSON has, and null for those it has not")
  func numbers() {
    let result = text { json in
      json.array { json in
        json.value(Int64.min)
        json.value(UInt64.max)
        json.value(1e300)
        json.value(Double.infinity)
        json.value(Double.nan)
      }
    }
    #expect(result == "[-9223372036854775808,18446744073709551615,1e+300,null,null]")
  }

  @Test("writes values: unset is null, maps and structs are objects")
  func values() {
    let value = Value.list([
      .unset, .bool(true), .int(-3), .float(0.5), .string("s"),
      .map([.init(key: .string("k"), value: .int(1)), .init(key: .int(2), value: .unset)]),
      .structure([.init(name: "f", value: .list([]))]),
    ])
    #expect(text { $0.value(value) } == #"[null,true,-3,0.5,"s",{"k":1,"2":null},{"f":[]}]"#)
  }

  @Test("begins anew after a line's end and after removal")
  func lines() {
    var json = JSONWriter()
    json.object { $0.member("a", 1) }
    json.newline()
    json.object { $0.member("b", 2) }
    json.newline()
    #expect(json.text == "{\"a\":1}\n{\"b\":2}\n")
    json.removeAll()
    json.value(1)
    #expect(json.text == "1")
  }
}
