// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc

/// A file in the search path, or a directory of it that cannot be used.
struct FoundPlugin: Sendable {
  var path: String
  /// nil: not trusted, so not looked into.
  var identity: FileIdentity?
  var outcome: ScanOutcome
  /// From the program's own directory.
  var isBuiltIn = false

  var descriptor: PluginDescriptor? {
    if case .described(let descriptor) = outcome { return descriptor }
    return nil
  }

  /// `pkg` of `/x/pkg.so`: what a file that cannot be asked would most likely offer.
  var stem: String {
    let name = path.split(separator: "/").last ?? ""
    return String(name.hasSuffix(".so") ? name.dropLast(3) : name)
  }

  var offersItsName: Bool { descriptor?.kinds.contains { $0.schema.name == stem } ?? false }
}

/// Looks through the search path: checks whom directories and files belong to, asks the cache, scans what it does not know. It
/// blocks while plugins are scanned, and touches nothing but its own values: it may run on any thread.
struct PluginDiscovery: Sendable {
  var searchPath: PluginSearchPath
  var scanner: PluginScanner
  var policy: TrustPolicy

  /// In the order of the search path, in a directory by name.
  func run(_ cache: inout PluginCache) -> [FoundPlugin] {
    var found: [FoundPlugin] = []
    var unknown: [(index: Int, file: PluginFile)] = []
    var seen: [FileIdentity] = []
    for place in searchPath.directories {
      do throws(MgmtError) {
        guard let directory = try PluginDirectory.open(place.path, policy: policy) else {
          if place.isExplicit { found.append(Self.missing(place.path)) }
          continue
        }
        guard !seen.contains(where: { $0.isSameInode(as: directory.identity) }) else { continue }
        seen.append(directory.identity)
        let (names, unusable) = try directory.pluginNames()
        let start = found.count
        for name in names { look(at: name, in: directory, &cache, &found, &unknown) }
        for name in unusable { found.append(Self.refused(directory.path(of: name), Self.badName(directory.path(of: name)))) }
        if place.isBuiltIn || isBuiltIn(directory) { for index in start..<found.count { found[index].isBuiltIn = true } }
      } catch {
        if let diagnostic = error.diagnostics.first { found.append(Self.refused(place.path, diagnostic)) }
      }
    }
    for ((index, file), outcome) in zip(unknown, scanner.scan(unknown.map(\.file))) {
      found[index].outcome = outcome
      cache.store(outcome, file.path, file.identity)
    }
    cache.save()
    return found
  }

  /// Also under another name.
  private func isBuiltIn(_ directory: PluginDirectory) -> Bool {
    searchPath.directories.contains { place in
      guard place.isBuiltIn else { return false }
      var status = stat()
      return stat(place.path, &status) == 0 && FileIdentity(status).isSameInode(as: directory.identity)
    }
  }

  private func look(
    at name: String, in directory: PluginDirectory, _ cache: inout PluginCache, _ found: inout [FoundPlugin],
    _ unknown: inout [(index: Int, file: PluginFile)]
  ) {
    do throws(MgmtError) {
      let file = try PluginFile.open(name, in: directory, policy: policy)
      let outcome = cache.outcome(file.path, file.identity)
      if outcome == nil { unknown.append((found.count, file)) }
      found.append(
        FoundPlugin(
          path: file.path, identity: file.identity,
          outcome: outcome ?? .refused(PluginDiagnostics.scanImpossible(file.path, "it was not scanned yet"))))
    } catch {
      if let diagnostic = error.diagnostics.first { found.append(Self.refused(directory.path(of: name), diagnostic)) }
    }
  }

  private static func refused(_ path: String, _ diagnostic: Diagnostic) -> FoundPlugin {
    FoundPlugin(path: path, identity: nil, outcome: .refused(diagnostic))
  }

  private static func missing(_ path: String) -> FoundPlugin {
    refused(path, Diagnostic("plugin.directory", "there is no directory \(path)", hint: "mkdir -p \(shellWord(path))"))
  }

  private static func badName(_ path: String) -> Diagnostic {
    PluginDiagnostics.unreadable(
      path, "its name cannot be used", hint: "rename it to letters, digits, \"-\" and \"_\", with .so at the end")
  }
}
