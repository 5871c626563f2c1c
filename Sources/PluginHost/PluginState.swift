// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Glibc
import PluginABI

/// What plugins keep for themselves: `<root>/plugins/plugin-<name in base64url>/`.
extension StateDirectory {
  private static let plugins = "plugins"

  /// Whether plugins may keep anything, and put away what was left behind.
  var isForPlugins: Bool { use == .plugins }

  func make(plugin: String) -> Result<String, Failure> {
    make([Self.plugins, Self.component(kind: "plugin", name: plugin)])
  }

  func hasState(plugin: String) -> Bool {
    let path = "\(root)/\(Self.plugins)/\(Self.component(kind: "plugin", name: plugin))"
    guard isForPlugins, let directory = opendir(path) else { return false }
    defer { closedir(directory) }
    var count = 0
    while count <= 2, readdir(directory) != nil { count += 1 }
    return count > 2
  }
}

extension PluginRuntime {
  /// Opens the kinds of plugins that keep something from a run before: what an agent that was killed left behind is put away even
  /// when no resource needs them any more. What went wrong.
  public func openThoseWithState() -> [Diagnostic] {
    guard shared.stateDirectory.isForPlugins else { return [] }
    var problems: [Diagnostic] = []
    for entry in registry.entries {
      guard let name = entry.descriptor?.name, !entry.kinds.isEmpty, shared.stateDirectory.hasState(plugin: name) else {
        continue
      }
      for kind in entry.kinds {
        do throws(MgmtError) {
          _ = try open(kind)
        } catch {
          problems += error.diagnostics
        }
      }
    }
    return problems
  }
}

extension HostTable {
  static func addPluginDirectory(_ table: inout mgmt_host) {
    table.plugin_dir = { host, buffer, capacity, length in
      guard let context = PluginContext.from(host) else { return mgmt_status(MGMT_FAILED) }
      let directory = context.runtime.stateDirectory
      guard directory.isForPlugins else { return mgmt_status(MGMT_UNSUPPORTED) }
      switch directory.make(plugin: context.name) {
      case .failure(let error):
        context.runtime.tell(.log(nil, .warning, "plugin \"\(context.name)\": \(error.message)"))
        return mgmt_status(MGMT_FAILED)
      case .success(let path): return give(path, buffer, capacity, length)
      }
    }
  }
}

/// A path into a buffer of a plugin's.
func give(
  _ path: String, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int, _ length: UnsafeMutablePointer<Int>?
) -> mgmt_status {
  let bytes = Array(path.utf8)
  length?.pointee = bytes.count
  guard let buffer, bytes.count <= capacity else { return mgmt_status(MGMT_FAILED) }
  for (position, byte) in bytes.enumerated() { buffer[position] = CChar(bitPattern: byte) }
  return mgmt_status(MGMT_OK)
}
