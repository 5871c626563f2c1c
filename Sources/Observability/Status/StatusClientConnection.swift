// SPDX-License-Identifier: Apache-2.0

import Engine
import Reactor

/// One client of the status socket, as the server sees it. What it is sent first is rendered piece by piece as it reads; what comes
/// later is kept meanwhile, up to a bound.
final class StatusClientConnection {
  let connection: Connection
  var asked: (StatusRequest) -> Void = { _ in }
  private(set) var isWatching = false
  private(set) var isJSON = false

  /// It has so long to ask, and to take what it is sent.
  static let stallMilliseconds: UInt64 = 5000
  static let maximumLaterBytes = 1 << 24
  private static let piece = 200

  private var request: [UInt8] = []
  private var isAsked = false
  private var snapshot: [ResourceStatus] = []
  private var next = 0
  private var agent: AgentStatus?
  private var later: [UInt8] = []

  init(_ connection: Connection) {
    self.connection = connection
    connection.received = { [unowned self] in receive($0) }
    connection.drained = { [unowned self] in goOn() }
  }

  /// Says why there is no answer.
  private func refuse(_ reason: String) {
    isAsked = true
    connection.send(Array("\(StatusRequest.errorWord)\(reason)\n".utf8))
    connection.finish()
  }

  private func receive(_ bytes: UnsafeRawBufferPointer) {
    // After its line a client has nothing to say.
    guard !isAsked else { return connection.close() }
    request.append(contentsOf: bytes)
    guard let end = request.firstIndex(of: 0x0a) else {
      if request.count > StatusRequest.maximumBytes { refuse("the request is too long") }
      return
    }
    isAsked = true
    guard end == request.count - 1, let parsed = StatusRequest(line: request[..<end]) else {
      return refuse("unknown request: status text, status json, watch text and watch json are known")
    }
    asked(parsed)
  }

  /// All resources, then the agent; a watcher stays.
  func begin(_ request: StatusRequest, _ all: [ResourceStatus], _ agent: AgentStatus) {
    connection.endWhenStalled(milliseconds: Self.stallMilliseconds)
    isJSON = request.isJSON
    isWatching = request.watches
    snapshot = all
    next = 0
    self.agent = agent
    goOn()
  }

  /// What changed since.
  func send(_ bytes: [UInt8]) {
    if agent == nil, connection.pendingBytes == 0 { return connection.send(bytes) }
    later += bytes
    if later.count > Self.maximumLaterBytes { connection.close() }
  }

  private func goOn() {
    guard let agent else {
      let bytes = later
      later = []
      return connection.send(bytes)
    }
    let renderer: any StatusRenderer = isJSON ? JSONStatus() : TextStatus()
    let clock = WallClock()
    let end = min(snapshot.count, next + Self.piece)
    var bytes: [UInt8] = []
    for status in snapshot[next..<end] { bytes += renderer.resource(status, clock) }
    next = end
    if next == snapshot.count {
      bytes += renderer.agent(agent, clock)
      self.agent = nil
      snapshot = []
    }
    connection.send(bytes)
    if self.agent == nil, !isWatching { connection.finish() }
  }
}
