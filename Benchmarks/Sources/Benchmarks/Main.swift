// SPDX-License-Identifier: Apache-2.0
import Foundation

@main
enum Main {
  static func main() {
    do {
      switch try Options.parse(Array(CommandLine.arguments.dropFirst())) {
      case .help: print(Options.help)
      case .list:
        for benchmark in allBenchmarks { print("\(benchmark.name.padded(to: 14)) \(benchmark.summary)") }
      case .run(let options): exit(try run(options))
      }
    } catch let failure as Failure {
      Console.error("bench: \(failure)")
      exit(failure.isUsage ? 2 : 1)
    } catch {
      Console.error("bench: \(error)")
      exit(1)
    }
  }

  /// Runs the chosen benchmarks and prints the table. Returns 1 if one of them could not run; a missed bar is no failure.
  private static func run(_ options: Options) throws -> Int32 {
    let chosen = options.only.isEmpty ? allBenchmarks : allBenchmarks.filter { options.only.contains($0.name) }
    let scratch = try Scratch(under: options.scratch)
    let interruption = Interruption()
    defer {
      scratch.remove()
      withExtendedLifetime(interruption) {}
    }
    let bench = try Bench(options: options, scratch: scratch)
    print(Machine.description)

    var table = Table()
    var broken: [String] = []
    for (index, benchmark) in chosen.enumerated() {
      Console.progress("[\(index + 1)/\(chosen.count)] \(benchmark.name): \(benchmark.summary)")
      do {
        table.add(try benchmark.run(bench))
      } catch let skipped as Skipped {
        table.add([Row(notRun: benchmark.name, because: skipped.reason)])
      } catch {
        broken.append("\(benchmark.name) could not run: \(error)")
        if let signal = Interruption.signal { return 128 + signal }
      }
    }
    print(table.rendered(verbose: options.verbose))
    for line in broken { print(line) }
    return broken.isEmpty ? 0 : 1
  }
}
