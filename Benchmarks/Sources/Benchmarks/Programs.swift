// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The bare C programs in `Benchmarks/c`, compiled with `cc -O2` for this run.
struct Programs {
  static let environment = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
  ]

  /// What `measure` reports of one run.
  struct Usage {
    let code: Int32
    let wall: Double
    let cpu: Double
    let peakBytes: Double
  }

  let folder: String

  init(sources: String, into folder: String) throws {
    self.folder = folder
    let found = (try? FileManager.default.contentsOfDirectory(atPath: sources))?.filter { $0.hasSuffix(".c") } ?? []
    guard !found.isEmpty else {
      throw Failure("\(sources): no C programs there; run from the top of the repository or give --repository")
    }
    for source in found {
      let name = String(source.dropLast(2))
      let program = folder + "/" + name
      let compile = ["/usr/bin/env", "cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", program, sources + "/" + source]
      let command = compile + (try Self.libraries[name].map { try Self.flags($0, log: program + ".flags") } ?? ["-l:libyaml.a"])
      let compiler = try Child(command, environment: Self.environment, output: program + ".log")
      guard try compiler.wait(limit: 120) == 0 else { throw Failure("cannot compile \(source)\(compiler.tail)") }
    }
  }

  /// The libraries of programs that talk on a bus.
  private static let libraries = ["svc_loop": "libsystemd", "svc_probe": "libsystemd", "resolve": "dbus-1"]

  private static func flags(_ library: String, log: String) throws -> [String] {
    let command = ["/usr/bin/env", "pkg-config", "--cflags", "--libs", library]
    let query = try Child(command, environment: environment, output: log)
    guard try query.wait(limit: 10) == 0 else { throw Failure("pkg-config does not know \(library)\(query.tail)") }
    return try Proc.text(log).split(whereSeparator: \.isWhitespace).map(String.init)
  }

  func path(_ name: String) -> String { folder + "/" + name }

  /// Starts a command that runs until stopped.
  func start(_ command: [String], log: String) throws -> Child {
    try Child([path("launch")] + command, environment: Self.environment, output: folder + "/" + log)
  }

  /// Runs one of the programs to its end and returns the numbers it printed, one a line.
  /// - Parameter through: a command that runs the one after it, elsewhere.
  func numbers(_ name: String, _ arguments: [String], through: [String] = [], limit: Double = 120) throws -> [Double] {
    let child = try start(through + [path(name)] + arguments, log: name + ".out")
    guard try child.wait(limit: limit) == 0 else { throw Failure("\(name) failed\(child.tail)") }
    return try Proc.text(child.output).split(separator: "\n").compactMap { Double($0) }
  }

  /// Like `numbers`, for a program that prints one.
  func number(_ name: String, _ arguments: [String], limit: Double = 120) throws -> Double {
    guard let first = try numbers(name, arguments, limit: limit).first else { throw Failure("\(name) printed no number") }
    return first
  }

  /// Runs a command to its end and tells what it used. Its output stays in `log`.
  /// - Parameter through: a command that runs the one after it, elsewhere; it is not measured.
  func measure(_ command: [String], through: [String] = [], limit: Double = 120, log: String = "measured.out") throws -> Usage {
    let result = folder + "/measure.result"
    let child = try start(through + [path("measure"), result, String(Int(limit))] + command, log: log)
    guard try child.wait(limit: limit + 5) == 0 else {
      throw Failure("\(command.first ?? "") could not be measured\(child.tail)")
    }
    let fields = try Proc.text(result).split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    guard fields.count == 4 else { throw Failure("\(result): not four numbers") }
    let usage = Usage(code: Int32(fields[0]), wall: fields[1] / 1e9, cpu: fields[2] / 1e9, peakBytes: fields[3] * 1024)
    guard usage.code == 0 else {
      throw Failure("'\(command.joined(separator: " "))' ended with status \(usage.code)\(child.tail)")
    }
    return usage
  }
}
