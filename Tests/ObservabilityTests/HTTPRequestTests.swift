// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Observability

struct HTTPRequestTests {
  private func outcome(_ text: String) -> HTTPRequest.Outcome {
    var request = HTTPRequest()
    return request.receive(Array(text.utf8))
  }

  @Test(arguments: [
    ("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n", HTTPRequest.Outcome.get(path: "/metrics")),
    ("GET /metrics?x=1 HTTP/1.0\r\n\r\n", .get(path: "/metrics")), ("GET / HTTP/1.0\n\n", .get(path: "/")),
    ("HEAD /metrics HTTP/1.1\r\nhOsT:\r\nAccept: text/plain;q=0.5\r\n\r\n", .head(path: "/metrics")),
    ("GET http://h:1/metrics HTTP/1.1\r\nHost: h\r\n\r\n", .get(path: "/metrics")),
    ("GET http://h HTTP/1.1\r\nHost: h\r\n\r\nbody", .get(path: "/")),
    ("POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", .refused(405)),
    ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", .refused(405)), ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", .refused(505)),
  ])
  func requests(_ text: String, _ expected: HTTPRequest.Outcome) {
    #expect(outcome(text) == expected)
    // The same byte by byte.
    var request = HTTPRequest()
    var last = HTTPRequest.Outcome.more
    for byte in text.utf8 where last == .more { last = request.receive([byte]) }
    #expect(last == expected)
  }

  @Test(arguments: [
    "\r\n\r\n", "\n\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0 \r\n\r\n",
    "GET metrics HTTP/1.0\r\n\r\n", "GET /\u{e4} HTTP/1.0\r\n\r\n", "GET /\u{7f} HTTP/1.0\r\n\r\n", "G(T / HTTP/1.0\r\n\r\n",
    "GET / FTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nno colon\r\n\r\n", "GET / HTTP/1.0\r\nA : b\r\n\r\n",
    "GET / HTTP/1.0\r\nA: b\r\n c\r\n\r\n",
    "GET / HTTP/1.0\r\n: b\r\n\r\n", "GET / HTTP/1.0\r\nA: \0\r\n\r\n", "GET / HTTP/1.0\rX: y\r\n\r\n", "\u{16}\u{3}\u{1}\n\n",
    "GET / http/1.0\n\n",
  ])
  func malformedOnesAreRefused(_ text: String) {
    #expect(outcome(text) == .refused(400))
  }

  @Test(arguments: ["HTTP/1.0", "HTTP/1.1"])
  func twoHostsAreRefused(_ version: String) {
    #expect(outcome("GET / \(version)\r\nHost: h\r\nHost: h\r\n\r\n") == .refused(400))
    #expect(outcome("GET / \(version)\r\nHost: h\r\nA: b\r\nhost: i\r\n\r\n") == .refused(400))
  }

  @Test func onTheLoopbackAddressOnlyItsNamesAreAnswered() {
    func local(_ target: String, _ host: String, version: String = "1.1") -> HTTPRequest.Outcome {
      var request = HTTPRequest(isLocal: true)
      return request.receive(Array("GET \(target) HTTP/\(version)\r\n\(host)\r\n".utf8))
    }
    for host in [
      "localhost", "LocalHost:9233", "localhost.", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:9233",
      " 127.0.0.1 ", "127.0.0.1:",
    ] {
      #expect(local("/", "Host: \(host)\r\n") == .get(path: "/"), "\(host)")
    }
    for host in [
      "", "evil.example", "evil.example:9233", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil",
      "128.0.0.1",
      "127.0.0.256", "127.0.0", "127.0.0.1:80:80", "127.0.0.1:x", "[::1]x", "[::2]", "[::1", "::1", "0.0.0.0",
    ] {
      #expect(local("/", "Host: \(host)\r\n") == .refused(421), "\(host)")
    }
    // No browser sends none.
    #expect(local("/", "", version: "1.0") == .get(path: "/"))
    #expect(local("http://evil.example/", "Host: localhost\r\n") == .refused(421))
    #expect(local("http://localhost/x", "Host: localhost\r\n") == .get(path: "/x"))
    #expect(text(HTTPResponse.error(421)).hasPrefix("HTTP/1.1 421 Misdirected Request\r\n"))
  }

  @Test(arguments: [
    ("127.0.0.1:9233", true), ("[::1]:1", true), ("[::ffff:127.0.0.1]:1", true), ("0.0.0.0:1", false), ("[::]:1", false),
    ("10.0.0.1:1", false),
  ])
  func whatIsLocal(_ address: String, _ isLocal: Bool) {
    #expect(LoopbackName.isBound(to: address) == isLocal)
  }

  @Test(arguments: ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: h\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r"])
  func partsAreNotAnswered(_ text: String) {
    #expect(outcome(text) == .more)
  }

  @Test func longOnesAreRefusedAndNotKept() {
    var request = HTTPRequest()
    let line = Array("A: \(String(repeating: "x", count: 4000))\r\n".utf8)
    #expect(request.receive(Array("GET / HTTP/1.0\r\n".utf8)) == .more)
    #expect(request.receive(line) == .more)
    #expect(request.receive(line) == .more)
    #expect(request.receive(line) == .refused(431))
    #expect(outcome(String(repeating: "x", count: 1 << 20)) == .refused(431))
    let rest = HTTPRequest.maximumBytes - "GET / HTTP/1.0\r\nA: \r\n\r\n".utf8.count
    #expect(outcome("GET / HTTP/1.0\r\nA: \(String(repeating: "x", count: rest))\r\n\r\n") == .get(path: "/"))
    #expect(outcome("GET / HTTP/1.0\r\nA: \(String(repeating: "x", count: rest + 1))\r\n\r\n") == .refused(431))
  }

  @Test func answersEndTheConnection() {
    let answer = text(HTTPResponse.bytes(200, Array("abc".utf8), withoutBody: true))
    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("Connection: close\r\n\r\n"))
    #expect(answer.contains("\r\nContent-Length: 3\r\n"))
    #expect(text(HTTPResponse.error(405)).contains("\r\nAllow: GET, HEAD\r\n"))
    #expect(text(HTTPResponse.error(431)).hasSuffix("\r\n\r\n431 Request Header Fields Too Large\n"))
  }
}
