// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Observability

struct ListenAddressTests {
  @Test(arguments: [
    ("127.0.0.1:9233", "127.0.0.1", 9233), ("[::1]:80", "::1", 80), (":9233", "", 9233), ("localhost:0", "localhost", 0),
    ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535),
  ])
  func addressesAreUnderstood(_ text: String, _ host: String, _ port: Int) throws {
    let address = try #require(ListenAddress(text))
    #expect(address.host == host)
    #expect(Int(address.port) == port)
  }

  @Test(arguments: [
    "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "::1:9233",
    "[::1]9233",
    "[::1:9233", "[]:9233", "[127.0.0.1]:9233", "a b:1", "http://127.0.0.1:9233", "127.0.0.1:9233/metrics", "\u{661}.0.0.1:1",
    "h:\u{661}",
    "h\0:1",
  ])
  func othersAreNot(_ text: String) {
    #expect(ListenAddress(text) == nil)
  }
}
