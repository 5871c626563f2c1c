// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

/// `svc`: units of systemd. One connection to each bus that is used.
final class SvcKind: ResourceKind {
  static let description = svcDescription

  let system: Manager
  let session: Manager
  let paths: PathWatcher

  init(host: Host) throws(Failure) {
    system = Manager(host: host, isSession: false)
    session = Manager(host: host, isSession: true)
    paths = PathWatcher(host: host)
  }

  static func validate(name: String, parameters: Parameters) throws(Failure) {
    _ = try SvcSettings(name: name, parameters: parameters)
  }

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    let settings = try SvcSettings(name: name, parameters: parameters)
    return Svc(handle, settings: settings, manager: settings.isSession ? session : system, paths: paths)
  }

  func close() {
    paths.close()
    system.close()
    session.close()
  }
}

let plugin = Plugin(name: "svc", version: "1.0.0", documentation: "Units of systemd, over D-Bus.", kinds: [SvcKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
