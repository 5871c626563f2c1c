// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What the kernel tells about a process.
enum Proc {
  static func text(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure("\(path): cannot be read") }
    return String(decoding: data, as: UTF8.self)
  }

  /// The number of threads, or nil once it has ended.
  static func threads(_ pid: pid_t) -> Int? {
    (try? text("/proc/\(pid)/status"))?.split(separator: "\n").first { $0.hasPrefix("Threads:") }
      .flatMap { Int($0.dropFirst(8).trimmingCharacters(in: .whitespaces)) }
  }

  /// CPU time used by all threads, living and ended, in nanoseconds as the scheduler counts them.
  static func cpuSeconds(_ pid: pid_t) throws -> Double {
    var clock: clockid_t = 0
    var time = timespec()
    guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
      throw Failure("process \(pid): its CPU time cannot be read")
    }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// How many open descriptors are inotify instances.
  static func inotifyDescriptors(_ pid: pid_t) throws -> Int {
    let folder = "/proc/\(pid)/fd"
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
      .filter { $0.contains("inotify") }.count
  }
}
