// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One line of `mgmt run --json`, as docs/events.md describes them.
struct Event {
  let name: String
  let resource: String?
  /// Seconds since the epoch.
  let time: Double?
  /// The other members that are numbers, and those that are texts.
  let numbers: [String: Double]
  let texts: [String: String]

  /// The complete lines of a file from the byte `offset` on.
  static func read(_ path: String, from offset: Int = 0) throws -> [Event] {
    guard let data = FileManager.default.contents(atPath: path), data.count >= offset else {
      throw Failure("\(path): events cannot be read")
    }
    return try data.dropFirst(offset).split(separator: UInt8(ascii: "\n")).map { line in
      guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
        let name = object["event"] as? String
      else { throw Failure("not an event: \(String(decoding: line.prefix(200), as: UTF8.self))") }
      let numbers = object.compactMapValues { ($0 as? NSNumber)?.doubleValue }
      let texts = object.compactMapValues { $0 as? String }
      return Event(name: name, resource: texts["resource"], time: numbers["time"], numbers: numbers, texts: texts)
    }
  }

  /// Waits until no more events come: until `path` has not grown for half a second. They are written after the fact.
  /// - Returns: the size of the file: where the events to come begin.
  @discardableResult static func settle(_ path: String) throws -> Int {
    var size = -1
    var quiet = 0
    try Deadline(seconds: 30).until("the events have stopped", every: 0.05) {
      let now = try Proc.size(path)
      quiet = now == size ? quiet + 1 : 0
      size = now
      return quiet >= 10
    }
    return size
  }
}
