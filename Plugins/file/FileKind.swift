// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// `file`: what all its resources share.
final class FileKind: ResourceKind {
  let watcher: PathWatcher
  let managed = ManagedPaths()
  let accounts = Accounts()
  /// The process's, which stays as it is.
  let umask = currentUmask()
  let temporaries: Temporaries
  let unsettled = Unsettled()
  private let sweep: Sweep?

  /// How long the end of the agent waits for what killed ones left behind to be removed; the next run goes on.
  private static let sweepSeconds = 2

  init(host: Host) throws(Failure) {
    watcher = PathWatcher(host: host)
    temporaries = Temporaries(Journal(folder: host.stateDirectory()))
    sweep = Sweep(temporaries)
    sweep?.start()
  }

  static func validate(name: String, parameters: Parameters) throws(Failure) {
    _ = try FileSpec(name: name, parameters: parameters)
  }

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    let spec = try FileSpec(name: name, parameters: parameters)
    managed.add(spec)
    return FileResource(handle, spec, self)
  }

  func settle(_ call: Call) throws(Failure) { try unsettled.settle() }

  func close() {
    watcher.close()
    if sweep?.wait(seconds: Self.sweepSeconds) ?? true { temporaries.journal.end() }
  }
}
