// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The agent's process, with the names all Prometheus clients use.
enum ProcessMetrics {
  static func write(to out: inout Exposition) {
    if let stat = ProcessStat(readAll("/proc/self/stat")) {
      let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
      out.family("process_cpu_seconds_total", .counter, "Processor time used, of user and system, in seconds.")
      out.sample(Double(stat.userTicks + stat.systemTicks) / ticks)
      out.family("process_virtual_memory_bytes", .gauge, "Virtual memory in bytes.")
      out.sample(stat.virtualBytes)
      out.family("process_resident_memory_bytes", .gauge, "Resident memory in bytes.")
      out.sample(stat.residentPages * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE)))))
      out.family("process_start_time_seconds", .gauge, "When the process began, in seconds since 1970.")
      out.sample(startTime)
    }
    if let count = openDescriptors() {
      out.family("process_open_fds", .gauge, "Open file descriptors.")
      out.sample(UInt64(count))
    }
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      out.family("process_max_fds", .gauge, "Open file descriptors allowed.")
      out.sample(limit.rlim_cur == UInt.max ? Double.infinity : Double(limit.rlim_cur))
    }
  }

  /// Taken once, so that it does not waver with the clock.
  private static let startTime: Double = {
    var boot = timespec()
    clock_gettime(CLOCK_BOOTTIME, &boot)
    let now = WallClock.now
    guard let stat = ProcessStat(readAll("/proc/self/stat")) else { return now }
    let sinceBoot = Double(boot.tv_sec) + Double(boot.tv_nsec) / 1e9
    let age = sinceBoot - Double(stat.startTicks) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    return ((now - age) * 100).rounded() / 100
  }()

  /// Linux 6.2 says it as the directory's size; before, they are counted.
  private static func openDescriptors() -> Int? {
    var status = stat()
    guard stat("/proc/self/fd", &status) == 0 else { return nil }
    if status.st_size > 0 { return Int(status.st_size) }
    guard let directory = opendir("/proc/self/fd") else { return nil }
    defer { closedir(directory) }
    var count = -3  // ".", ".." and the descriptor that reads
    while readdir(directory) != nil { count += 1 }
    return max(0, count)
  }

  private static func readAll(_ path: String) -> [UInt8] {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return [] }
    defer { close(fd) }
    return [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in count = max(0, read(fd, buffer.baseAddress, 4096)) }
  }
}

/// What `/proc/<pid>/stat` says, as far as it is of use: proc_pid_stat(5).
struct ProcessStat: Equatable {
  var userTicks: UInt64
  var systemTicks: UInt64
  /// After boot.
  var startTicks: UInt64
  var virtualBytes: UInt64
  var residentPages: UInt64

  /// nil: not what the kernel writes. The name in parentheses may itself contain parentheses and spaces.
  init?(_ bytes: [UInt8]) {
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    // The first is field 3, the state.
    let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(whereSeparator: \.isWhitespace)
    func field(_ number: Int) -> UInt64? { fields.indices.contains(number - 3) ? UInt64(fields[number - 3]) : nil }
    guard let user = field(14), let system = field(15), let start = field(22), let virtual = field(23), let resident = field(24)
    else { return nil }
    (userTicks, systemTicks, startTicks, virtualBytes, residentPages) = (user, system, start, virtual, resident)
  }
}
