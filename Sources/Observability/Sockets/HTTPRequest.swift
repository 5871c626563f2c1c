// SPDX-License-Identifier: Apache-2.0

/// Collects the head of an HTTP/1 request until it is whole, and judges it: RFC 9112, as far as a server that only answers GET and HEAD
/// needs it. Bodies are not read.
struct HTTPRequest {
  static let maximumBytes = 8192

  enum Outcome: Equatable {
    /// The head is not whole yet.
    case more
    case get(path: String)
    case head(path: String)
    /// The status to answer with.
    case refused(Int)
  }

  private var bytes: [UInt8] = []
  /// Who listens on the loopback address answers to its names only: a page in a browser on this machine may have a name of its own that leads
  /// here, and would be let read the answer.
  private let isLocal: Bool

  init(isLocal: Bool = false) { self.isLocal = isLocal }

  /// What is known after these bytes too. Nothing more is taken in once it is not `more`.
  mutating func receive(_ new: some Collection<UInt8>) -> Outcome {
    // Only where the end of the head can lie is looked at again.
    let from = max(0, bytes.count - 3)
    bytes.append(contentsOf: new.prefix(Self.maximumBytes + 1 - min(bytes.count, Self.maximumBytes)))
    guard let end = Self.endOfHead(bytes, from: from) else {
      return bytes.count > Self.maximumBytes ? .refused(431) : .more
    }
    guard end <= Self.maximumBytes else { return .refused(431) }
    return judge(bytes[..<end])
  }

  /// The position behind the empty line.
  private static func endOfHead(_ bytes: [UInt8], from start: Int) -> Int? {
    var position = start
    while position < bytes.count {
      if bytes[position] == 0x0a {
        if position + 1 < bytes.count, bytes[position + 1] == 0x0a { return position + 2 }
        if position + 2 < bytes.count, bytes[position + 1] == 0x0d, bytes[position + 2] == 0x0a { return position + 3 }
      }
      position += 1
    }
    return nil
  }

  private func judge(_ head: ArraySlice<UInt8>) -> Outcome {
    var lines = head.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
      line.last == 0x0d ? line.dropLast() : line
    }
    lines.removeLast(min(2, lines.count))
    guard let first = lines.first else { return .refused(400) }
    let words = first.split(separator: 0x20, omittingEmptySubsequences: false)
    guard words.count == 3, Self.isToken(words[0]), let (authority, path) = Self.parts(of: words[1]) else {
      return .refused(400)
    }
    let hosts = lines.dropFirst().filter(Self.isHost)
    guard hosts.count <= 1 else { return .refused(400) }
    switch String(decoding: words[2], as: UTF8.self) {
    case "HTTP/1.1":
      guard hosts.count == 1 else { return .refused(400) }
    case "HTTP/1.0": break
    case let other where other.hasPrefix("HTTP/"): return .refused(505)
    default: return .refused(400)
    }
    guard lines.dropFirst().allSatisfy(Self.isField) else { return .refused(400) }
    let names = [authority].compactMap { $0 } + hosts.map { String(decoding: $0.dropFirst(5), as: UTF8.self) }
    guard !isLocal || names.allSatisfy(LoopbackName.matches) else { return .refused(421) }
    switch String(decoding: words[0], as: UTF8.self) {
    case "GET": return .get(path: path)
    case "HEAD": return .head(path: path)
    default: return .refused(405)
    }
  }

  /// The path without the query; of `http://host/path` also the host.
  private static func parts(of target: ArraySlice<UInt8>) -> (authority: String?, path: String)? {
    guard !target.isEmpty, target.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    var text = String(decoding: target, as: UTF8.self)[...]
    var authority: String?
    if text.hasPrefix("http://") {
      text = text.dropFirst(7)
      authority = String(text.prefix { $0 != "/" && $0 != "?" && $0 != "#" })
      text = text.firstIndex(of: "/").map { text[$0...] } ?? "/"
    }
    guard text == "*" || text.hasPrefix("/") else { return nil }
    return (authority, String(text.prefix { $0 != "?" && $0 != "#" }))
  }

  private static func isHost(_ line: ArraySlice<UInt8>) -> Bool {
    line.prefix(5).map { $0 | 0x20 } == Array("host:".utf8)
  }

  /// `Name: value`. A line that begins with a space continues the one before, which is not allowed any more.
  private static func isField(_ line: ArraySlice<UInt8>) -> Bool {
    guard let colon = line.firstIndex(of: 0x3a), isToken(line[..<colon]) else { return false }
    return line[colon...].allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }
  }

  private static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
    !bytes.isEmpty
      && bytes.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }
}

/// An answer after which the connection ends.
enum HTTPResponse {
  static func bytes(_ status: Int, _ body: [UInt8], type: String = "text/plain; charset=utf-8", withoutBody: Bool = false)
    -> [UInt8]
  {
    let allow = status == 405 ? "Allow: GET, HEAD\r\n" : ""
    let head =
      "HTTP/1.1 \(status) \(reason(status))\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\(allow)"
      + "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    return Array(head.utf8) + (withoutBody ? [] : body)
  }

  static func error(_ status: Int) -> [UInt8] { bytes(status, Array("\(status) \(reason(status))\n".utf8)) }

  private static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 400: "Bad Request"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 421: "Misdirected Request"
    case 431: "Request Header Fields Too Large"
    case 505: "HTTP Version Not Supported"
    default: "Error"
    }
  }
}
