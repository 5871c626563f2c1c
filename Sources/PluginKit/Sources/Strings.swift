// SPDX-License-Identifier: Apache-2.0

public import PluginABI

extension String {
  /// A borrowed view for the length of `body`.
  public func withABI<Result>(_ body: (mgmt_str) -> Result) -> Result {
    var copy = self
    return copy.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { body(mgmt_str(ptr: $0.baseAddress, len: $0.count)) }
    }
  }

  /// Text for static data: its bytes are never freed.
  func permanentABI() -> mgmt_str {
    let bytes = Array(utf8)
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, bytes.count))
    for (position, byte) in bytes.enumerated() { memory[position] = CChar(bitPattern: byte) }
    return mgmt_str(ptr: memory, len: bytes.count)
  }

  /// Copies; bytes that are not UTF-8 become U+FFFD.
  public init(_ text: mgmt_str) {
    guard let start = text.ptr, text.len > 0 else {
      self = ""
      return
    }
    self = start.withMemoryRebound(to: UInt8.self, capacity: text.len) {
      String(decoding: UnsafeBufferPointer(start: $0, count: text.len), as: UTF8.self)
    }
  }
}
