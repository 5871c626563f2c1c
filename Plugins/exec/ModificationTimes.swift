// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// When files were modified, by path: what `mtimes` compares between runs.
struct ModificationTimes: Equatable, Sendable {
  struct Time: Equatable, Comparable, Sendable {
    var seconds: Int64
    var nanoseconds: Int64

    static func < (a: Time, b: Time) -> Bool { (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds) }
  }

  private(set) var times: [String: Time] = [:]

  init(_ times: [String: Time] = [:]) {
    self.times = times
  }

  /// Looks at the files. [worker]
  init(of paths: [String]) throws(Failure) {
    for path in paths {
      var info = stat()
      guard stat(path, &info) == 0 else {
        throw Failure(
          "\"\(path)\" cannot be looked at", errno: errno, field: "mtimes", hint: "every file of mtimes has to exist")
      }
      times[path] = Time(seconds: Int64(info.st_mtim.tv_sec), nanoseconds: Int64(info.st_mtim.tv_nsec))
    }
  }

  /// Whether a file is newer than in `record`, or not in it.
  func isNewer(than record: ModificationTimes) -> Bool {
    times.contains { path, time in record.times[path].map { time > $0 } ?? true }
  }

  /// "seconds nanoseconds path" and a NUL for each file: paths may hold anything else.
  var record: [UInt8] {
    times.sorted { $0.key < $1.key }.flatMap { path, time in
      Array("\(time.seconds) \(time.nanoseconds) \(path)".utf8) + [0]
    }
  }

  /// Reads a record; entries that make no sense are left out, which makes the command run again.
  init(record: [UInt8]) {
    for entry in record.split(separator: 0) {
      let fields = entry.split(separator: UInt8(ascii: " "), maxSplits: 2).map { String(decoding: $0, as: UTF8.self) }
      guard fields.count == 3, let seconds = Int64(fields[0]), let nanoseconds = Int64(fields[1]) else { continue }
      times[fields[2]] = Time(seconds: seconds, nanoseconds: nanoseconds)
    }
  }
}
