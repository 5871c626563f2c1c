// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One thing to measure. `run` returns its rows, or throws why it could not be measured; `Skipped`: not on this system.
protocol Benchmark: Sendable {
  var name: String { get }
  var summary: String { get }
  func run(_ bench: Bench) throws -> [Row]
}

/// In the order of the table.
let allBenchmarks: [any Benchmark] = [
  Version(), FirstCheck(), FilesInPlace(), FilesFresh(), IdleCPU(), Repair(), Interrupt(), LiveEdit(), Swap(), ParallelExec(),
  Growth(),
  Compile(), Group(), SvcRepair(), SvcIdle(), PkgInstall(), PkgCheck(), PuppetApply(), Graph8(),
]

/// What every benchmark works with.
struct Bench {
  let options: Options
  let scratch: Scratch
  let programs: Programs
  let agent: Agent

  init(options: Options, scratch: Scratch) throws {
    self.options = options
    self.scratch = scratch
    programs = try Programs(sources: options.repository + "/Benchmarks/c", into: scratch.folder("programs"))
    agent = try Agent(options: options, programs: programs, scratch: scratch)
  }

  /// Measures two things in turn (A B A B …), so that the machine's moods fall on both.
  func alternating<A, B>(times pairs: Int? = nil, _ first: () throws -> A, _ second: () throws -> B) throws -> ([A], [B]) {
    var results: ([A], [B]) = ([], [])
    for _ in 0..<(pairs ?? options.pairs) {
      results.0.append(try first())
      results.1.append(try second())
    }
    return results
  }
}
