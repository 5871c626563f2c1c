// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI

/// The dynamic loader, as plugins are opened with it: in scanning processes and in the agent in the same way.
///
/// A library is opened by its name below the descriptor of its directory, /proc/self/fd/N/NAME. The directory was checked through
/// this very descriptor to be writable by nobody else, and `$ORIGIN` in the library's run path stays its directory; opened by a
/// descriptor of its own, `$ORIGIN` would be /proc/self/fd, and libraries beside the plugin would not be found. The loader knows a
/// library by the name it was opened with: the directory's descriptor must stay open as long as the library is used.
enum PluginLoader {
  static let symbol = "mgmt_plugin_v1"

  /// Swift plugins must share one kit: the host's, which its run path finds. Later libraries that need it by this name get the one that
  /// is there. Without it, plugins in other languages work.
  private static let hasKit: Bool = dlopen("libMgmtPluginKit.so", RTLD_NOW | RTLD_LOCAL) != nil

  /// `directory`: /proc/self/fd/N/. Libraries are never unloaded.
  static func open(_ directory: String, _ name: String) -> UnsafeMutableRawPointer? {
    _ = hasKit
    return dlopen(directory + name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)
  }

  static func call(_ symbol: UnsafeMutableRawPointer) -> UnsafePointer<mgmt_plugin>? {
    unsafeBitCast(symbol, to: (@convention(c) () -> UnsafePointer<mgmt_plugin>?).self)()
  }

  /// The loader's words for what went wrong last; paths through our descriptor become names in the directory.
  static func lastMessage(without prefix: String) -> String {
    guard let text = dlerror() else { return "the loader does not say why" }
    var words = String(cString: text)
    while let range = words.firstRange(of: prefix) { words.removeSubrange(range) }
    return cleanLine(words)
  }
}
