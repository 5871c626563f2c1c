// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A client, or a service manager, of the agent that a test plays.
final class ClientSocket {
  private let fd: Int32

  init(port: UInt16) throws {
    fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard result == 0 else { throw HarnessError("connect to port \(port): \(errno)") }
  }

  /// Of a Unix socket.
  init(path: String) throws {
    fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard Self.use(path, with: { connect(fd, $0, $1) }) == 0 else { throw HarnessError("connect to \(path): \(errno)") }
  }

  /// Hears what is told to a service manager.
  init(manager path: String) throws {
    fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    guard Self.use(path, with: { bind(fd, $0, $1) }) == 0 else { throw HarnessError("bind \(path): \(errno)") }
  }

  deinit { close(fd) }

  private static func use(_ path: String, with body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.send(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// Everything the other side says until it ends, at most 10 s for each part.
  func ask(_ text: String) throws -> String {
    send(text)
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      var place = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
      guard Glibc.poll(&place, 1, 10_000) > 0 else { throw HarnessError("no answer to \(text.prefix(40))") }
      let count = read(fd, &buffer, buffer.count)
      if count <= 0 { return String(decoding: answer, as: UTF8.self) }
      answer += buffer[..<count]
    }
  }

  /// The other side ends it within half a minute, without being read from meanwhile.
  func isEnded() -> Bool {
    var place = pollfd(fd: fd, events: 0, revents: 0)
    return Glibc.poll(&place, 1, 30_000) > 0 && place.revents & Int16(POLLHUP | POLLERR) != 0
  }

  /// Datagrams that came.
  func messages() -> [String] {
    var messages: [String] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
      messages.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
    return messages
  }
}
