// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

/// `pkg`: packages, through PackageKit.
final class PackageKind: ResourceKind {
  static let description = KindDescription(
    name: "pkg",
    documentation: """
      Installs, updates and removes packages through PackageKit. The name is the package's. Those that ask for the same are done in one \
      transaction. Changes by others are noticed by PackageKit's signals and by the package database: /var/lib/dpkg/status, \
      rpmdb.sqlite or Packages.db in /var/lib/rpm and /usr/lib/sysimage/rpm, or /var/lib/pacman/local. The files and services of a package come \
      after it.
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
  private var lastRefresh: Int?
  /// Seconds from one fetch of the lists to the next.
  private static let refreshPause = 600
  /// Those that are watched.
  private var watchers: [ObjectIdentifier: PackageResource] = [:]

  init(host: Host) throws(Failure) {
    self.host = host
    client = PackageKitClient(host: host)
    catalog = PackageCatalog(client: client)
    files = FileLists(client: client, catalog: catalog)
    paths = PathWatcher(host: host)
    client.onChanged = { [unowned self] in changed() }
    client.onLost = { [unowned self] in changed() }
  }

  static func validate(name: String, parameters: Parameters) throws(Failure) {
    try PackageSpec(name: name, parameters: parameters).validate()
  }

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    PackageResource(handle, kind: self, spec: PackageSpec(name: name, parameters: parameters))
  }

  func prepare(_ call: Call) throws(Failure) -> CheckResult {
    files.prepare { result in
      call.complete(result.map { .ok }.mapError { $0.failure("find out the files of packages") })
    }
    return .pending
  }

  func close() {
    client.close()
    paths.close()
  }

  /// Fetched lists are announced as a change; that is no reason to fetch them again.
  var hasRefreshedLately: Bool { lastRefresh.map { monotonicSeconds() - $0 < Self.refreshPause } ?? false }
  func refreshed() { lastRefresh = monotonicSeconds() }

  func watch(_ resource: PackageResource) { watchers[ObjectIdentifier(resource)] = resource }
  func unwatch(_ resource: PackageResource) { watchers[ObjectIdentifier(resource)] = nil }

  private func changed() {
    catalog.invalidate()
    for resource in watchers.values { resource.handle.event() }
  }
}

let plugin = Plugin(
  name: "pkg", version: "1.0.0", documentation: "Installs, updates and removes packages.", kinds: [PackageKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
