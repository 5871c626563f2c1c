// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// `file`: what all its resources share.
final class FileKind: ResourceKind {
  let watcher: PathWatcher
  let managed = ManagedPaths()
  let accounts = Accounts()

  init(host: Host) throws(Failure) {
    watcher = PathWatcher(host: host)
  }

  static func validate(name: String, parameters: Parameters) throws(Failure) {
    _ = try FileSpec(name: name, parameters: parameters)
  }

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    let spec = try FileSpec(name: name, parameters: parameters)
    managed.add(spec)
    return FileResource(handle, spec, self)
  }

  func close() {
    watcher.close()
  }
}
