// SPDX-License-Identifier: Apache-2.0

import Engine
import Glibc
import Graph
import ObservabilityShims
import Reactor
import Testing

@testable import Observability

/// A client in the reactor's own thread: it lets the reactor run while it waits.
private final class Client {
  let fd: Int32
  let reactor: Reactor
  private(set) var heard = ""

  init(unix path: String, _ reactor: Reactor) throws {
    fd = shim_unix_socket(Int32(SHIM_STREAM))
    self.reactor = reactor
    try #require(shim_unix_connect(fd, path) == 0)
  }

  init(port: UInt16, _ reactor: Reactor) throws {
    fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.reactor = reactor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    try #require(result == 0)
  }

  deinit { close(fd) }

  func say(_ text: String) { _ = Array(text.utf8).withUnsafeBytes { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } }

  /// Reads until something is so, or the other side has ended it.
  func hear(until isDone: (String) -> Bool = { _ in false }) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    for _ in 0..<10_000 {
      let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count > 0 { heard += String(decoding: buffer[..<count], as: UTF8.self) }
      if count == 0 || (count < 0 && errno != EAGAIN) || isDone(heard) { return }
      try reactor.runOnce(maximumWait: 1)
    }
    Issue.record("it did not end: \(heard.suffix(500))")
  }

  var isEnded: Bool {
    var place = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    var byte: UInt8 = 0
    return poll(&place, 1, 0) > 0 && recv(fd, &byte, 1, Int32(MSG_DONTWAIT)) <= 0
  }
}

private final class Subject: StatusSubject {
  var all: [ResourceStatus] = (0..<1000).map { .make("file[\($0)]") }
  var isConverged = true

  func visitStatus(_ body: (ResourceStatus) -> Void) { for status in all { body(status) } }
  var agentStatus: AgentStatus {
    AgentStatus(pid: 1, hostname: "h", version: "1", graph: "g", isConverged: isConverged, isPaused: false)
  }
}

@Suite struct SocketTests {
  private let directory = TestDirectory()
  private let reactor: Reactor
  private let subject = Subject()
  private var path: String { directory.path + "/engine/status.sock" }

  init() throws { reactor = try Reactor() }

  private func server() throws -> StatusServer {
    try StatusServer(try EngineDirectory.make(prefix: directory.path), reactor: reactor, subject: subject)
  }

  @Test(arguments: ["status text", "status json"])
  func aStatusIsWholeAndEnds(_ request: String) throws {
    let server = try server()
    let client = try Client(unix: path, reactor)
    client.say(request + "\n")
    try client.hear()
    let lines = client.heard.split(separator: "\n")
    #expect(lines.count == 1001)
    #expect(lines.last.map { $0.hasPrefix("agent ") || $0.hasPrefix(JSONStatus.agentPrefix + "true") } ?? false)
    server.close()
    #expect(access(path, F_OK) != 0)
  }

  @Test func watchersHearWhatChanges() throws {
    let server = try server()
    let text = try Client(unix: path, reactor)
    let json = try Client(unix: path, reactor)
    text.say("watch text\n")
    json.say("watch json\n")
    try text.hear { $0.hasSuffix("all as asked\n") }
    try json.hear { $0.contains(JSONStatus.agentPrefix) }
    let (textLength, jsonLength) = (text.heard.count, json.heard.count)
    subject.all[7].phase = .failed
    subject.isConverged = false
    server.changed()
    server.changed()
    try text.hear { $0.hasSuffix("1 not as asked\n") }
    try json.hear { $0.contains(JSONStatus.agentPrefix + "false") }
    let news = text.heard.dropFirst(textLength).split(separator: "\n")
    #expect(news.count == 2 && news.first?.hasPrefix("failed    file[7]") ?? false, "\(news)")
    #expect(json.heard.dropFirst(jsonLength).split(separator: "\n").count == 2)
    server.close()
    try text.hear()
    #expect(text.isEnded && json.isEnded)
  }

  @Test(arguments: ["", "nonsense", "status text\nstatus text", String(repeating: "x", count: 100)])
  func whatIsNoRequestIsRefused(_ request: String) throws {
    let server = try server()
    let client = try Client(unix: path, reactor)
    client.say(request + "\n")
    try client.hear()
    #expect(client.heard.hasPrefix("error ") && client.heard.split(separator: "\n").count == 1, "\(client.heard)")
    server.close()
  }

  @Test func tooManyClientsAreRefused() throws {
    let server = try server()
    var watchers: [Client] = []
    for _ in 0..<StatusServer.maximumClients {
      let client = try Client(unix: path, reactor)
      client.say("watch text\n")
      try client.hear { $0.hasSuffix("all as asked\n") }
      watchers.append(client)
    }
    let last = try Client(unix: path, reactor)
    try last.hear()
    #expect(last.heard == "error too many clients of the status socket\n")
    watchers.removeFirst()
    for _ in 0..<10 { try reactor.runOnce(maximumWait: 1) }
    let next = try Client(unix: path, reactor)
    next.say("status text\n")
    try next.hear()
    #expect(next.heard.hasSuffix("all as asked\n"))
    server.close()
  }

  @Test func aSocketThatWasLeftIsReplaced() throws {
    _ = try EngineDirectory.make(prefix: directory.path)
    let left = shim_unix_socket(Int32(SHIM_STREAM))
    try #require(shim_unix_bind(left, path) == 0)
    close(left)
    let server = try server()
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    server.close()
  }

  @Test func metricsAreServedWhileOthersStall() throws {
    let address = try #require(ListenAddress("127.0.0.1:0"))
    var renders = 0
    let server = try MetricsServer(address, reactor: reactor) {
      renders += 1
      return Array("x 1\n".utf8)
    }
    let port = try #require(UInt16(server.address.split(separator: ":").last ?? ""))
    var stalled: [Client] = []
    for _ in 0..<MetricsServer.maximumConnections + 8 {
      stalled.append(try Client(port: port, reactor))
      stalled.last?.say("GET /metrics HTTP/1.1\r\n")
      try reactor.runOnce(maximumWait: 1)
    }
    let client = try Client(port: port, reactor)
    client.say("GET /metrics HTTP/1.0\r\n\r\n")
    try client.hear()
    #expect(client.heard.hasPrefix("HTTP/1.1 200 OK\r\n") && client.heard.hasSuffix("\r\n\r\nx 1\n"))
    #expect(renders == 1)
    #expect(stalled.first?.isEnded ?? false, "the oldest made room")
    #expect(!(stalled.last?.isEnded ?? true))
    server.close()
    #expect(stalled.last?.isEnded ?? false)
  }
}
