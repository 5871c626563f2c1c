// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Names of the plugins in this process, for who must say which it may have been. Plugins are never unloaded.
enum LoadedPlugins {
  private struct Loaded {
    var name: String
    var isBuiltIn: Bool
  }
  private static let all = Mutex<[Loaded]>([])

  static func add(_ name: String, isBuiltIn: Bool) {
    all.withLock { $0.append(Loaded(name: name, isBuiltIn: isBuiltIn)) }
  }

  static var names: [String] { all.withLock { $0.map(\.name) } }

  /// Those of other authors; when there are none, those that came with the program.
  static var suspects: [String] {
    all.withLock { all in
      let foreign = all.filter { !$0.isBuiltIn }
      return (foreign.isEmpty ? all : foreign).map(\.name)
    }
  }
}
