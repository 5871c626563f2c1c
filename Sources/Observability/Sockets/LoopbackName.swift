// SPDX-License-Identifier: Apache-2.0

/// The names of the loopback address, as a client writes them: `localhost`, `127.0.0.1`, `[::1]`, each with a port or without.
enum LoopbackName {
  /// Whether the value of a `Host` field is one of them.
  static func matches(_ field: String) -> Bool {
    guard let host = withoutPort(field.filter { $0 != " " && $0 != "\t" }.lowercased()) else { return false }
    return host == "localhost" || host == "localhost." || host == "[::1]" || isIPv4(host)
  }

  /// Of an address with its port, as a socket is bound to it.
  static func isBound(to address: String) -> Bool {
    guard let host = withoutPort(address) else { return false }
    return host == "[::1]" || host.hasPrefix("[::ffff:127.") || isIPv4(host)
  }

  /// nil: what follows is no port.
  private static func withoutPort(_ text: String) -> Substring? {
    let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":")
    guard let end, end < text.endIndex else { return text[...] }
    let port = text[end...]
    guard port.first == ":", port.utf8.dropFirst().allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return text[..<end]
  }

  /// 127.0.0.0/8, written with four numbers.
  private static func isIPv4(_ host: Substring) -> Bool {
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 4 && numbers[0] == "127"
      && numbers.allSatisfy {
        (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8($0) != nil
      }
  }
}
