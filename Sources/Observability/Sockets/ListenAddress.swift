// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Reactor

/// Where to listen: `host:port`, `[v6]:port` or `:port`, which is every address.
public struct ListenAddress: Sendable, Equatable {
  /// "": every address.
  public var host: String
  /// 0: any that is free.
  public var port: UInt16

  /// nil: it is none of these.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), !text.utf8.contains(0) else { return nil }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("[") {
      guard host.hasSuffix("]"), host.count > 2 else { return nil }
      host = host.dropFirst().dropLast()
      guard host.contains(":"), !host.contains("["), !host.contains("]") else { return nil }
    } else {
      // More than one colon is an IPv6 address that lacks its brackets.
      guard !host.contains(":"), !host.contains("["), !host.contains("]") else { return nil }
    }
    guard host.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 0x20 && $0 != "/" && $0.value != 0x7f }) else { return nil }
    self.host = String(host)
    self.port = port
  }

  /// A listening socket, non-blocking and close-on-exec, and the address it has got as it is written in a URL.
  func listen(backlog: Int32) throws(MgmtError) -> (fd: Int32, address: String) {
    var failure = Failure(number: EADDRNOTAVAIL)
    attempts: for candidate in try candidates() {
      switch candidate.listen(backlog: backlog) {
      case .success(let fd): return (fd, Self.boundAddress(fd) ?? text)
      case .failure(let error):
        failure = error
        // Without IPv6 the next may do; an address in use is not to be passed over silently.
        if error.number != EAFNOSUPPORT, error.number != EADDRNOTAVAIL { break attempts }
      }
    }
    throw Self.error("cannot listen on \(text)", [systemMessage(failure.number)])
  }

  private var text: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

  static func error(_ title: String, _ notes: [String]) -> MgmtError {
    MgmtError(
      Diagnostic(
        "metrics.listen", title, notes: notes,
        hint: "give another with --prometheus-listen: 127.0.0.1:9233, [::1]:9233, or :9233 for every address"))
  }

  // MARK: Sockets

  private struct Failure: Error {
    var number: Int32
  }

  private struct Candidate {
    var family: Int32
    var address: [UInt8]

    func listen(backlog: Int32) -> Result<Int32, Failure> {
      let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
      let fd = socket(family, kind, 0)
      guard fd >= 0 else { return .failure(Failure(number: errno)) }
      var on: Int32 = 1
      var off: Int32 = 0
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
      if family == AF_INET6 {
        setsockopt(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, socklen_t(MemoryLayout<Int32>.size))
      }
      let bound = address.withUnsafeBytes { bytes in
        bytes.baseAddress.map { bind(fd, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) } ?? -1
      }
      guard bound == 0, Glibc.listen(fd, backlog) == 0 else {
        let number = errno
        close(fd)
        return .failure(Failure(number: number))
      }
      return .success(fd)
    }
  }

  /// In the order to try: for every address IPv6 first, whose sockets take IPv4 too.
  private func candidates() throws(MgmtError) -> [Candidate] {
    var wish = addrinfo()
    wish.ai_socktype = Int32(SOCK_STREAM.rawValue)
    wish.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host.isEmpty ? nil : host, String(port), &wish, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard code == 0 else {
      throw Self.error("there is no address \"\(host)\"", [gai_strerror(code).map { String(cString: $0) } ?? "error \(code)"])
    }
    var found: [Candidate] = []
    var next = list
    while let entry = next?.pointee {
      if let address = entry.ai_addr {
        let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
        found.append(Candidate(family: entry.ai_family, address: Array(bytes)))
      }
      next = entry.ai_next
    }
    guard host.isEmpty else { return found }
    return found.filter { $0.family == AF_INET6 } + found.filter { $0.family != AF_INET6 }
  }

  private static func boundAddress(_ fd: Int32) -> String? {
    withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { place in
      guard let start = place.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return nil }
      var size = socklen_t(place.count)
      guard getsockname(fd, start, &size) == 0 else { return nil }
      var host = [CChar](repeating: 0, count: 256)
      var service = [CChar](repeating: 0, count: 32)
      guard getnameinfo(start, size, &host, 256, &service, 32, NI_NUMERICHOST | NI_NUMERICSERV) == 0 else { return nil }
      func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      }
      let name = text(host)
      return (name.contains(":") ? "[\(name)]" : name) + ":" + text(service)
    }
  }
}
