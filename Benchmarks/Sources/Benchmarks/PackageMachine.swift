// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A harness with PackageKit: what the benchmarks of packages do to it and ask of it.
struct PackageMachine {
  let harness: Harness

  init(_ bench: Bench) throws { harness = try Harness(.packagekit, bench) }

  /// Lets apt know `count` packages more, in an index without archives. Debian 12 has some 63,000: a question that takes PackageKit 20 ms
  /// with the few packages of the harness takes ten times as long on a real machine.
  func addIndex(of count: Int) throws {
    let program = """
      BEGIN { for (i = 1; i <= \(count); i++) printf "Package: indexed-%d\\nVersion: 1.%d-1\\nArchitecture: all\\n" \
        "Maintainer: Bench <bench@example.org>\\nInstalled-Size: 100\\nSection: misc\\nPriority: optional\\n" \
        "Depends: indexed-%d, indexed-%d (>= 1.0), indexed-%d | indexed-%d\\nFilename: ./indexed-%d.deb\\nSize: 1000\\n" \
        "SHA256: %064d\\nDescription: indexed-%d for benchmarks\\n\\n", i, i % 9, i * 7 % \(count) + 1, i * 13 % \(count) + 1,
        i * 17 % \(count) + 1, i * 19 % \(count) + 1, i, i, i }
      """
    try harness.run(
      """
      mkdir -p /var/lib/bench-index && awk '\(program)' >/var/lib/bench-index/Packages &&
        echo 'deb [trusted=yes] file:///var/lib/bench-index ./' >/etc/apt/sources.list.d/bench.list && apt-get update -qq >&2
      """)
  }

  /// Takes packages away that were installed, and leaves PackageKit time to notice.
  func remove(_ names: [String]) throws {
    try harness.run("dpkg --purge \(names.joined(separator: " ")) >&2 && sleep 0.5")
  }

  /// Throws if one of them is not installed.
  func verify(_ names: [String]) throws {
    let lines = try harness.run("dpkg-query -W -f '${db:Status-Status}\\n' \(names.joined(separator: " "))")
    let installed = lines.split(separator: "\n").filter { $0 == "installed" }.count
    guard installed == names.count else { throw Failure("\(installed) of \(names.count) packages are installed") }
  }

  /// The methods that transactions of PackageKit were asked for while `body` ran, by whomever, and how often.
  func calls(during body: () throws -> Void) throws -> [String: Int] {
    let match = "type='method_call',interface='org.freedesktop.PackageKit.Transaction'"
    let monitor = try harness.start(
      ["/usr/bin/busctl", "--system", "monitor", "--match", match], log: "calls.out", until: "Monitoring")
    try body()
    try Event.settle(monitor.child.output)
    try harness.stop(monitor)
    var calls: [String: Int] = [:]
    for line in try Proc.text(monitor.child.output).split(separator: "\n") {
      guard let member = line.firstRange(of: "Member=") else { continue }
      calls[String(line[member.upperBound...]), default: 0] += 1
    }
    return calls
  }

  static func text(_ calls: [String: Int]) -> String {
    "calls on the bus: " + calls.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
  }
}
