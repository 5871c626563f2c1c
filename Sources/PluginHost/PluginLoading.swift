// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Glibc
public import PluginABI
public import Values

/// A plugin in this process. It is never unloaded.
public final class LoadedPlugin {
  public let path: String
  public let descriptor: PluginDescriptor
  /// Fields the plugin was built without are zero.
  public let table: UnsafePointer<mgmt_plugin>
  let identity: FileIdentity
  let kinds: [UnsafePointer<mgmt_kind>]

  init(
    path: String, descriptor: PluginDescriptor, table: UnsafePointer<mgmt_plugin>, identity: FileIdentity,
    kinds: [UnsafePointer<mgmt_kind>]
  ) {
    self.path = path
    self.descriptor = descriptor
    self.table = table
    self.identity = identity
    self.kinds = kinds
  }
}

/// A kind whose plugin is in this process.
public struct LoadedKind {
  public var plugin: LoadedPlugin
  /// Methods the plugin was built without are NULL.
  public var kind: UnsafePointer<mgmt_kind>
  public var schema: KindSchema
  /// In the plugin's `kinds`.
  public var position: Int
}

extension PluginRegistry {
  /// Loads the plugin that is used for a kind, unless it is loaded already. What is loaded is what was scanned: the same file,
  /// unchanged, still trusted, and it describes itself as it did.
  public func load(kind: String) throws(MgmtError) -> LoadedKind {
    var offer = try offer(of: kind)
    if loaded[offer.plugin.path] == nil {
      var file = try open(offer.plugin)
      if file.identity != offer.plugin.identity {
        refresh()
        offer = try self.offer(of: kind)
        file = try open(offer.plugin)
        guard file.identity == offer.plugin.identity else { throw MgmtError(PluginDiagnostics.changed(file.path)) }
      }
      if loaded[file.path] == nil, let descriptor = offer.plugin.descriptor {
        loaded[file.path] = try load(file, descriptor, isBuiltIn: offer.plugin.isBuiltIn)
      }
    }
    guard let plugin = loaded[offer.plugin.path], plugin.kinds.indices.contains(offer.position),
      plugin.descriptor.kinds.indices.contains(offer.position)
    else { throw MgmtError(PluginDiagnostics.changed(offer.plugin.path)) }
    return LoadedKind(
      plugin: plugin, kind: plugin.kinds[offer.position], schema: plugin.descriptor.kinds[offer.position].schema,
      position: offer.position)
  }

  private func open(_ plugin: FoundPlugin) throws(MgmtError) -> PluginFile {
    let parts = plugin.path.split(separator: "/", omittingEmptySubsequences: true)
    let folder = "/" + parts.dropLast().joined(separator: "/")
    guard let name = parts.last, let directory = try PluginDirectory.open(folder, policy: discovery.policy) else {
      throw MgmtError(PluginDiagnostics.unreadable(plugin.path, "its directory is gone"))
    }
    let known = directories.first { $0.identity.isSameInode(as: directory.identity) && $0.path == directory.path }
    return try PluginFile.open(String(name), in: known ?? directory, policy: discovery.policy)
  }

  /// The file was checked by its descriptor; the loader opens it by its name, so the name is checked again afterwards.
  private func load(_ file: PluginFile, _ descriptor: PluginDescriptor, isBuiltIn: Bool) throws(MgmtError) -> LoadedPlugin {
    // Under a name it knows the loader returns the library it has, whatever the file is now.
    guard !spoiled.contains(file.path) else { throw MgmtError(PluginDiagnostics.needsRestart(file.path)) }
    if !directories.contains(where: { $0 === file.directory }) { directories.append(file.directory) }
    let prefix = "/proc/self/fd/\(file.directory.fd)/"
    // The constructors of libraries are their code, too.
    let library = file.path.withCString { path in
      ForeignCall.run(path, "a constructor") { PluginLoader.open(prefix, file.name) }
    }
    guard let library else {
      throw MgmtError(PluginDiagnostics.notLoadable(file.path, PluginLoader.lastMessage(without: prefix)))
    }
    spoiled.insert(file.path)
    guard file.isStillInPlace else { throw MgmtError(PluginDiagnostics.needsRestart(file.path)) }
    guard let symbol = dlsym(library, PluginLoader.symbol) else { throw MgmtError(PluginDiagnostics.noSymbol(file.path)) }
    let described = file.path.withCString { path in
      ForeignCall.run(path, "mgmt_plugin_v1") { PluginLoader.call(symbol) }
    }
    guard let plugin = described else {
      throw MgmtError(PluginDiagnostics.problem(file.path, DescriptorProblem("mgmt_plugin_v1 returned NULL")))
    }
    do throws(DescriptorProblem) {
      guard try PluginDescriptor(reading: plugin) == descriptor else {
        throw DescriptorProblem("it says something else than it said when it was scanned")
      }
    } catch {
      throw MgmtError(PluginDiagnostics.problem(file.path, error))
    }
    spoiled.remove(file.path)
    LoadedPlugins.add(descriptor.name, isBuiltIn: isBuiltIn)
    let table = PluginTables.complete(plugin)
    return LoadedPlugin(
      path: file.path, descriptor: descriptor, table: table, identity: file.identity, kinds: PluginTables.kinds(of: table))
  }
}

/// Tables that can be read to their end: the plugin's own, or a copy where it was built against an older, shorter one.
private enum PluginTables {
  static func complete(_ plugin: UnsafePointer<mgmt_plugin>) -> UnsafePointer<mgmt_plugin> {
    let copy = mgmt_plugin(bounded: UnsafeRawPointer(plugin))
    guard Int(copy.size) < MemoryLayout<mgmt_plugin>.size else { return plugin }
    return permanent(copy)
  }

  static func kinds(of table: UnsafePointer<mgmt_plugin>) -> [UnsafePointer<mgmt_kind>] {
    UnsafeBufferPointer(start: table.pointee.kinds, count: table.pointee.kind_count).compactMap { kind in
      guard let kind else { return nil }
      let copy = mgmt_kind(bounded: UnsafeRawPointer(kind))
      return Int(copy.size) < MemoryLayout<mgmt_kind>.size ? permanent(copy) : kind
    }
  }

  private static func permanent<T>(_ table: T) -> UnsafePointer<T> {
    let memory = UnsafeMutablePointer<T>.allocate(capacity: 1)
    memory.initialize(to: table)
    return UnsafePointer(memory)
  }
}
