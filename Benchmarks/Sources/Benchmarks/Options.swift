// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What the command line asks for.
struct Options {
  enum Request {
    case help, list
    case run(Options)
  }

  var verbose = false
  var only: Set<String> = []
  /// The agent to measure; its plugins are those of its installed tree.
  var mgmt = ".build/stage/bin/mgmt"
  var pluginPaths: [String] = []
  /// The top of the repository: where `Benchmarks/c` and `examples` are.
  var repository = "."
  var scratch = "/var/tmp"
  var pairs = 5
  var idleSeconds = 60

  static let help = """
    Usage: Benchmarks [options]

      --only NAME          run this benchmark only (repeatable)
      --list               list the benchmarks
      --verbose            also print the least and the greatest value of each measurement, and notes
      --mgmt PATH          the agent to measure (default .build/stage/bin/mgmt)
      --plugin-path DIR    passed on to the agent (repeatable)
      --repository DIR     the top of the repository (default: the current folder)
      --scratch DIR        where the scratch folder is made; use a real disk (default /var/tmp)
      --pairs N            how often each pair (agent, baseline) is measured (default 5)
      --idle-seconds N     how long the idle agent is observed (default 60)
      --help
    """

  static func parse(_ arguments: [String]) throws -> Request {
    var options = Options()
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let flag = parts.first ?? argument
      func value() throws -> String {
        if parts.count == 2 { return parts[1] }
        guard let next = rest.popFirst() else { throw Failure(usage: "\(flag) needs a value") }
        return next
      }
      func count() throws -> Int {
        let text = try value()
        guard let number = Int(text), (1...10_000).contains(number) else {
          throw Failure(usage: "\(flag): '\(text)' is not a number from 1 to 10000")
        }
        return number
      }
      switch flag {
      case "--help", "-h": return .help
      case "--list": return .list
      case "--verbose", "-v": options.verbose = true
      case "--only": options.only.insert(try value())
      case "--mgmt": options.mgmt = try value()
      case "--plugin-path": options.pluginPaths.append(try value())
      case "--repository": options.repository = try value()
      case "--scratch": options.scratch = try value()
      case "--pairs": options.pairs = try count()
      case "--idle-seconds": options.idleSeconds = try count()
      default: throw Failure(usage: "unknown option '\(flag)'; --help lists the options")
      }
    }
    if let unknown = options.only.subtracting(allBenchmarks.map(\.name)).min() {
      throw Failure(usage: "no benchmark is called '\(unknown)'; --list lists them")
    }
    return .run(options)
  }
}
