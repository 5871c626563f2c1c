// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Options of `mgmt run` as old versions had them: their command lines go on to work. They are not in the help; docs/differences.md
/// lists them.
struct OldRunOptions: ParsableArguments {
  @Option(name: [.customLong("file"), .customShort("f"), .customLong("yaml")], completion: .file(extensions: ["yaml", "yml"]))
  var file: String?

  @Option(name: .customLong("converged-status-file"), completion: .file()) var statusFile: String?
  @Option(name: .customLong("exittime")) var maxRuntime: UInt?
  @Flag(name: .customLong("converged-timeout-no-exit")) var goesOn = false
  @Flag(name: .customLong("no-stream-watch")) var noStreamWatch = false
  @Flag(name: .customLong("no-config-watch")) var noConfigWatch = false

  // What these leave out is not there: keys, the cluster's server, its network and its deploys.
  @Flag(name: .customLong("no-pgp")) var noPGP = false
  @Flag(name: .customLong("no-server")) var noServer = false
  @Flag(name: .customLong("no-network")) var noNetwork = false
  @Flag(name: .customLong("no-magic")) var noMagic = false
  @Flag(name: .customLong("no-deploy-watch")) var noDeployWatch = false
  /// The limits of inotify are left alone.
  @Flag(name: .customLong("no-raise-limits")) var noRaiseLimits = false
}
