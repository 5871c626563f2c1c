// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Glibc
public import Reactor

/// Serves `/metrics` over HTTP on the reactor.
public final class MetricsServer {
  /// `host:port` as it is bound.
  public let address: String
  private let reactor: Reactor
  private let render: () -> [UInt8]
  private var listener: Listener?
  /// In the order they came.
  private var connections: [Connection] = []
  private var rendered: [UInt8] = []
  private var renderedUntil: UInt64 = 0

  static let maximumConnections = 32
  private static let connectionMilliseconds: UInt64 = 10_000
  /// A text is given out again for so many times as long as it took to make: asking often does not slow the agent down.
  private static let reuse: UInt64 = 10

  public init(_ address: ListenAddress, reactor: Reactor, render: @escaping () -> [UInt8]) throws(MgmtError) {
    self.reactor = reactor
    self.render = render
    let socket = try address.listen(backlog: Int32(Self.maximumConnections))
    self.address = socket.address
    do throws(ReactorError) {
      listener = try Listener(fd: socket.fd, reactor: reactor) { [unowned self] in accept($0) }
    } catch {
      Glibc.close(socket.fd)
      throw ListenAddress.error("cannot listen on \(socket.address)", [error.message])
    }
  }

  public func close() {
    listener?.close()
    for connection in connections { connection.close() }
  }

  private func accept(_ fd: Int32) {
    // One that does not get on makes room for one that may.
    if connections.count >= Self.maximumConnections { connections.first?.close() }
    guard let connection = try? Connection(fd: fd, reactor: reactor) else { return }
    connections.append(connection)
    connection.end(afterMilliseconds: Self.connectionMilliseconds)
    connection.ended = { [unowned self, unowned connection] in connections.removeAll { $0 === connection } }
    var request = HTTPRequest(isLocal: LoopbackName.isBound(to: address))
    connection.received = { [unowned self, unowned connection] bytes in
      guard let answer = answer(request.receive(bytes)) else { return }
      connection.send(answer)
      connection.finish()
    }
  }

  private func answer(_ outcome: HTTPRequest.Outcome) -> [UInt8]? {
    switch outcome {
    case .more: return nil
    case .refused(let status): return HTTPResponse.error(status)
    case .get(let path): return answer(path, withoutBody: false)
    case .head(let path): return answer(path, withoutBody: true)
    }
  }

  private func answer(_ path: String, withoutBody: Bool) -> [UInt8] {
    switch path {
    case "/metrics": HTTPResponse.bytes(200, metrics(), type: Exposition.contentType, withoutBody: withoutBody)
    case "/": HTTPResponse.bytes(200, Array("mgmt: the metrics are at /metrics\n".utf8), withoutBody: withoutBody)
    default: HTTPResponse.bytes(404, Array("404 Not Found: there is /metrics\n".utf8), withoutBody: withoutBody)
    }
  }

  private func metrics() -> [UInt8] {
    let begin = monotonicNow()
    if begin < renderedUntil { return rendered }
    rendered = render()
    let end = monotonicNow()
    renderedUntil = end + (end - begin) * Self.reuse
    return rendered
  }
}
