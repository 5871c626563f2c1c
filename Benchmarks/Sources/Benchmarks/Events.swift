// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One line of `mgmt run --json`, as docs/events.md describes them.
struct Event {
  let name: String
  let resource: String?
  /// Seconds since the epoch.
  let time: Double?
  /// The other members that are numbers.
  let numbers: [String: Double]

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
      return Event(name: name, resource: object["resource"] as? String, time: numbers["time"], numbers: numbers)
    }
  }
}
