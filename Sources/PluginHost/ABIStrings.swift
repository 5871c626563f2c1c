// SPDX-License-Identifier: Apache-2.0

import PluginABI

extension String {
  /// Copies at most `limit` bytes of foreign text; bytes that are not UTF-8 become U+FFFD.
  init(foreign text: mgmt_str, limit: Int = 1 << 20) {
    guard let start = text.ptr, text.len > 0 else {
      self = ""
      return
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: Swift.min(text.len, limit))
    self = String(decoding: bytes, as: UTF8.self)
  }

  func withABI<Result>(_ body: (mgmt_str) -> Result) -> Result {
    var copy = self
    return copy.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { body(mgmt_str(ptr: $0.baseAddress, len: $0.count)) }
    }
  }
}
