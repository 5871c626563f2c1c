// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import ReactorShims

/// The other side of `PluginScanner`: what a scanning process does. It is this very program, started anew with a hidden word:
///
///     mgmt __scan-plugin NAME     standard input: the directory · standard output: a pipe for the answer
///
/// The entry point of the program has to look for the word before it does anything else.
public enum PluginScanChild {
  public static let argument = "__scan-plugin"

  /// Loads the plugin, writes what it says about itself, and ends the process. Returns an exit status when it was not started by
  /// `PluginScanner`. `arguments`: with the program's name.
  public static func main(arguments: [String]) -> Int32 {
    guard arguments.count == 3, let name = arguments.last, let (directory, answers) = takeDescriptors() else {
      let text = "mgmt: \(argument) is for mgmt itself: to see plugins, use mgmt plugins list\n"
      _ = text.withCString { write(2, $0, strlen($0)) }
      return 64
    }
    shim_confine_process(UInt32(clamping: PluginScanner.defaultTimeout / 1000))
    let answer = scan("/proc/self/fd/\(directory)/", name)
    send(answer.encoded, to: answers)
    // No destructor of foreign code runs.
    _exit(0)
  }

  /// Moves the two descriptors out of the way of code that reads its standard input or prints.
  private static func takeDescriptors() -> (directory: Int32, answers: Int32)? {
    var status = stat()
    guard fstat(0, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, fstat(1, &status) == 0, status.st_mode & S_IFMT == S_IFIFO
    else { return nil }
    let directory = fcntl(0, F_DUPFD_CLOEXEC, 3)
    let answers = fcntl(1, F_DUPFD_CLOEXEC, 3)
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard directory >= 0, answers >= 0, null >= 0 else { return nil }
    for stream in 0...2 as ClosedRange<Int32> { dup2(null, stream) }
    return (directory, answers)
  }

  private static func scan(_ directory: String, _ name: String) -> ScanAnswer {
    guard let library = PluginLoader.open(directory, name) else {
      return .notLoadable(PluginLoader.lastMessage(without: directory))
    }
    guard let symbol = dlsym(library, PluginLoader.symbol) else { return .noSymbol }
    guard let plugin = PluginLoader.call(symbol) else { return .problem(DescriptorProblem("mgmt_plugin_v1 returned NULL")) }
    do throws(DescriptorProblem) {
      return .descriptor(try PluginDescriptor(reading: plugin))
    } catch {
      return .problem(error)
    }
  }

  private static func send(_ bytes: [UInt8], to fd: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(fd, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
