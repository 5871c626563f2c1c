// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

/// `exec`: runs a command when its guards allow it.
final class ExecKind: ResourceKind {
  static let description = execDescription

  let host: Host
  /// Writes what commands printed to disk, off the reactor.
  let disk = BackgroundQueue()
  let paths: PathWatcher

  init(host: Host) throws(Failure) {
    self.host = host
    paths = PathWatcher(host: host)
  }

  static func validate(name: String, parameters: Parameters) throws(Failure) {
    try ExecSettings(name: name, parameters: parameters).validate()
  }

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    Exec(handle, kind: self, settings: ExecSettings(name: name, parameters: parameters))
  }

  func close() {
    paths.close()
    disk.finish()
  }
}

let plugin = Plugin(
  name: "exec", version: "1.0.0", documentation: "Runs commands, with guards that decide whether they have to run.",
  kinds: [ExecKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
