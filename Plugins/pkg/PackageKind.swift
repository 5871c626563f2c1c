// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

/// `pkg`: packages, through PackageKit.
final class PackageKind: ResourceKind {
  static let description = KindDescription(
    name: "pkg",
    documentation: """
      Installs, updates and removes packages through PackageKit. The name is the package's. Those that ask for the same are \
      done in one transaction. The daemon `packagekitd` and the system bus are needed; systemd is not.

      ## Example

      The three missing packages are installed in one transaction.

      ```yaml
      graph: pkg
      resources:
        pkg:
        - name: powertop
        - name: sl
        - name: cowsay
          state: installed
        - name: telnet
          state: uninstalled
      ```

      ## Versions

      `newest` is installed and has no update on offer. With an exact version, as `1.2.3-4`, a newer one that is installed \
      is replaced only with `allowdowngrade`.

      ## Watching

      PackageKit tells what it does itself. What `apt-get`, `dpkg`, `rpm` and others do is noticed by the package database: \
      `/var/lib/dpkg/status`, `rpmdb.sqlite` or `Packages.db` in `/var/lib/rpm` and `/usr/lib/sysimage/rpm`, or \
      `/var/lib/pacman/local`. A package that somebody removes is installed again at once.

      ## Groups

      Packages that ask for the same, but for an exact version, are grouped: one question and one transaction for all. A \
      name that cannot be found stands alone and fails alone. If one of a group cannot be installed, the others are; the \
      group has failed, and what comes after any of them waits.

      ## Automatic edges

      A package bears its name (`pkg`) and its files (`pkgfile`). The file resources among its files and the units it \
      brings come after it, and so does an `exec` whose program it has. Beside resources of other kinds, the files of a \
      package that is not installed are read from its archive, which is fetched for that and removed afterwards.

      ## Failures

      There is no such package (with the nearest names), or no such version (with those on offer); it is offered, but not \
      free, supported or signed (with the parameter that allows it); PackageKit is not installed or not allowed; the \
      network is missing. While apt or dpkg work on packages, it is tried again as soon as they let go of `lock-frontend`; \
      while another package manager works, or lists are fetched, or when packagekitd or the bus is gone, after 1 s and then \
      twice as long each time, up to a minute.
      """,
    parameters: [
      Parameter(
        "state", "str", default: .string("installed"),
        "`installed`, `uninstalled` (what depends on it goes with it), `newest`, or an exact version."),
      Parameter("allowdowngrade", "bool", default: .bool(false), "Go back to an older version if `state` names one."),
      Parameter("allowuntrusted", "bool", default: .bool(false), "Install packages whose signature cannot be checked."),
      Parameter("allownonfree", "bool", default: .bool(false), "Install packages that are not free software."),
      Parameter(
        "allowunsupported", "bool", default: .bool(false),
        "Install packages that the distribution does not support, such as those of other vendors."),
    ],
    flags: [.nonblocking], traits: [.identities, .automaticEdges, .grouping, .preparation])

  let host: Host
  let client: PackageKitClient
  let catalog: PackageCatalog
  let files: FileLists
  let paths: PathWatcher
  /// Until when the lists of packages are not fetched again.
  private var refreshPause = 0
  private var lastRefreshFailure: Failure?
  /// Those that wait for lists that are fetched now; nil: none are.
  private var refreshWaiters: [() -> Void]?
  /// Those that are watched.
  private var watchers: [ObjectIdentifier: PackageResource] = [:]

  init(host: Host) throws(Failure) {
    self.host = host
    client = PackageKitClient(host: host)
    catalog = PackageCatalog(client: client)
    files = FileLists(host: host, client: client, catalog: catalog)
    paths = PathWatcher(host: host)
    client.onChanged = { [unowned self] in changed() }
    // Also of our own transactions, which were looked at already.
    client.onUpdates = { [unowned self] in
      if !catalog.isCurrent { changed() }
    }
    client.onLost = { [unowned self] in changed() }
  }

  static func validate(name: String, parameters: Parameters) throws(Failure) {
    try PackageSpec(name: name, parameters: parameters).validate()
  }

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    PackageResource(handle, kind: self, spec: PackageSpec(name: name, parameters: parameters))
  }

  func prepare(_ call: Call, _ flags: PrepareFlags) throws(Failure) -> CheckResult {
    files.prepare(withFiles: flags.contains(.edges)) { call.complete($0.map { .ok }) }
    return .pending
  }

  func close() {
    files.close()
    client.close()
    paths.close()
  }

  /// Fetched lists are announced as a change; that is no reason to fetch them again.
  var hasRefreshedLately: Bool { monotonicSeconds() < refreshPause }
  /// Why they could not be fetched lately.
  var refreshFailure: Failure? { hasRefreshedLately ? lastRefreshFailure : nil }

  /// true: the caller has to fetch the lists now, and to call `refreshEnded` when that has ended. false: another does, and `ended` is
  /// called when it has.
  func startRefresh(_ ended: @escaping () -> Void) -> Bool {
    guard refreshWaiters != nil else {
      refreshWaiters = []
      return true
    }
    refreshWaiters?.append(ended)
    return false
  }

  func refreshEnded() {
    let waiters = refreshWaiters ?? []
    refreshWaiters = nil
    for waiter in waiters { waiter() }
  }

  /// The lists were fetched, or could not be: nobody tries it again at once.
  func refreshed(_ failure: Failure?) {
    refreshPause = monotonicSeconds() + (failure == nil ? 600 : 60)
    lastRefreshFailure = failure
    catalog.invalidate()
    refreshEnded()
  }

  func watch(_ resource: PackageResource) { watchers[ObjectIdentifier(resource)] = resource }
  func unwatch(_ resource: PackageResource) { watchers[ObjectIdentifier(resource)] = nil }

  /// Counts what PackageKit said that may make another attempt worth it.
  private(set) var news = 0
  /// The database as a failed transaction of ours left it.
  private(set) var stampOfFailure: DatabaseStamp?

  func transactionsEnded(failed: Bool) {
    if failed { stampOfFailure = .now() }
  }

  private func changed() {
    news += 1
    catalog.invalidate()
    for resource in watchers.values { resource.handle.event() }
  }
}

let plugin = Plugin(
  name: "pkg", version: "1.0.0", documentation: "Installs, updates and removes packages.", kinds: [PackageKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
