// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What the kernel tells about a process.
enum Proc {
  static func text(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure("\(path): cannot be read") }
    return String(decoding: data, as: UTF8.self)
  }

  /// The size of a file in bytes.
  static func size(_ path: String) throws -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else { throw Failure.system(path) }
    return Int(status.st_size)
  }

  /// The number of threads, or nil once it has ended.
  static func threads(_ pid: pid_t) -> Int? { number("Threads", pid) }

  /// The resident set in bytes.
  static func residentBytes(_ pid: pid_t) throws -> Int {
    guard let kibibytes = number("VmRSS", pid) else { throw Failure("process \(pid): its resident set cannot be read") }
    return kibibytes * 1024
  }

  /// A number of `/proc/PID/status`, or nil once the process has ended.
  private static func number(_ name: String, _ pid: pid_t) -> Int? {
    (try? text("/proc/\(pid)/status"))?.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) }
  }

  /// Its id in the innermost namespace it is in, or nil once it has ended.
  static func innermostID(_ pid: pid_t) -> pid_t? {
    (try? text("/proc/\(pid)/status"))?.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
      .flatMap { $0.split(whereSeparator: \.isWhitespace).last }.flatMap { pid_t($0) }
  }

  /// The children of its main thread.
  static func children(_ pid: pid_t) -> [pid_t] {
    ((try? text("/proc/\(pid)/task/\(pid)/children")) ?? "").split(separator: " ").compactMap { pid_t($0) }
  }

  /// Whether a file is on the file system of the root.
  static func isOnRoot(_ path: String) throws -> Bool {
    var (one, root) = (stat(), stat())
    guard stat(path, &one) == 0, stat("/", &root) == 0 else { throw Failure.system(path) }
    return one.st_dev == root.st_dev
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

  static func descriptors(_ pid: pid_t) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
  }

  /// How many open descriptors are inotify instances.
  static func inotifyDescriptors(_ pid: pid_t) throws -> Int {
    let folder = "/proc/\(pid)/fd"
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
      .filter { $0.contains("inotify") }.count
  }
}
