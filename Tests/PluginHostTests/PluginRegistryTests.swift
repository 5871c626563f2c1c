// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Testing
import Values

@testable import PluginHost

/// Search paths of files whose descriptions are known already: nothing is scanned.
@Suite struct PluginRegistryTests {
  let folder: TestFolder
  let policy = TrustPolicy()

  init() throws { folder = try TestFolder() }

  private func descriptor(_ name: String, _ kinds: String...) -> PluginDescriptor {
    PluginDescriptor(
      name: name, version: "1",
      kinds: kinds.map { .init(schema: KindSchema(name: $0, documentation: "doc of \($0)", parameters: [])) })
  }

  private func registry(_ directories: [String], _ plugins: [String: PluginDescriptor]) throws -> PluginRegistry {
    var cache = PluginCache(directory: nil)
    for (name, descriptor) in plugins {
      let path = try folder.write(name)
      var status = stat()
      #expect(stat(path, &status) == 0)
      cache.store(.described(descriptor), path, FileIdentity(status))
    }
    let searchPath = PluginSearchPath(only: directories.map { "\(folder.path)/\($0)" })
    // A scan would fail.
    let scanner = PluginScanner(executable: "/nonexistent")
    let registry = PluginRegistry(PluginDiscovery(searchPath: searchPath, scanner: scanner, policy: policy), cache)
    registry.refresh()
    return registry
  }

  @Test func theFirstInTheSearchPathIsUsed() throws {
    let registry = try registry(
      ["one", "two"],
      ["one/b.so": descriptor("b", "x", "y"), "two/a.so": descriptor("a", "y"), "two/c.so": descriptor("c", "x", "z")])
    #expect(registry.kindNames == ["x", "y", "z"])
    #expect(registry.entries.map(\.state) == [.usable, .shadowed, .usable])
    #expect(registry.entries.map(\.kinds) == [["x", "y"], [], ["z"]])
    #expect(registry.entries[2].shadows == [.init(kind: "x", by: "\(folder.path)/one/b.so")])
    #expect(registry.schema(of: "y")?.documentation == "doc of y")
    #expect(registry.description(of: "y")?.entry.path == "\(folder.path)/one/b.so")
    #expect(registry.schema(of: "nothing") == nil)
  }

  @Test func aDirectoryCountsOnce() throws {
    _ = try folder.directory("one")
    symlink("one", folder.path + "/link")
    let registry = try registry(["one", "link", "one/../one"], ["one/a.so": descriptor("a", "x")])
    #expect(registry.entries.count == 1 && registry.entries[0].state == .usable)
  }

  @Test func whatCannotBeUsedIsListed() throws {
    try folder.write("one/text.so", "no plugin")
    let open = try folder.directory("open")
    chmod(open, 0o777)
    let registry = try registry(["one", "missing", "open"], [:])
    let codes = registry.entries.map { entry in
      if case .refused(let diagnostic) = entry.state { diagnostic.code } else { "usable" }
    }
    #expect(codes == ["plugin.format", "plugin.directory", "plugin.untrusted"])
    #expect(registry.kindNames.isEmpty)
  }

  @Test func changesAreSeenByRefresh() throws {
    let registry = try registry(["one"], ["one/a.so": descriptor("a", "x")])
    #expect(registry.kindNames == ["x"])
    unlink("\(folder.path)/one/a.so")
    registry.refresh()
    #expect(registry.entries.isEmpty && registry.kindNames.isEmpty)
  }

  @Test func aLoadedPluginStays() throws {
    let registry = try registry(["one"], ["one/a.so": descriptor("a", "x")])
    let path = "\(folder.path)/one/a.so"
    registry.loaded[path] = LoadedPlugin(
      path: path, descriptor: descriptor("a", "x"), table: UnsafePointer(ForeignPlugin().table),
      identity: try #require(registry.found.first?.identity), kinds: [])
    registry.refresh()
    #expect(registry.entries.first?.notice == nil)
    try folder.write("one/a.so", "another file")
    registry.refresh()
    #expect(registry.entries.map(\.state) == [.usable])
    #expect(registry.entries.first?.notice?.contains("restart mgmt") == true)
    unlink(path)
    registry.refresh()
    #expect(registry.kindNames == ["x"])
    #expect(registry.entries.first?.notice?.contains("its file is gone") == true)
  }

  @Test func unknownKindsComeWithAHint() throws {
    let registry = try registry(["one"], ["one/a.so": descriptor("a", "file")])
    #expect {
      try registry.load(kind: "fiel")
    } throws: { error in
      let diagnostic = (error as? MgmtError)?.diagnostics.first
      return diagnostic?.code == "kind.unknown" && diagnostic?.hint == "did you mean \"file\"?"
    }
  }

  @Test func searchPaths() {
    let path = PluginSearchPath(options: ["/a", "b"])
    #expect(path.directories.first == .init(path: "/a", isExplicit: true))
    #expect(path.directories[1].path.hasPrefix("/") && path.directories[1].path.hasSuffix("/b"))
    #expect(path.directories[2] == .init(path: "/usr/lib/mgmt/resources", isExplicit: false))
    #expect(PluginSearchPath.pluginDirectory(of: "/opt/x/bin/mgmt") == "/opt/x/lib/mgmt/resources")
    #expect(PluginSearchPath.pluginDirectory(of: "/usr/bin/mgmt") == "/usr/lib/mgmt/resources")
    #expect(PluginSearchPath.pluginDirectory(of: "/bin/mgmt") == "/lib/mgmt/resources")
    #expect(PluginSearchPath.pluginDirectory(of: "mgmt") == nil)
  }

  @Test func listings() throws {
    try folder.write("one/text.so", "no plugin")
    var rich = DescriptorEncodingTests.rich
    rich.kinds[0].schema.parameters[0].documentation = "Two\nlines."
    let registry = try registry(["one"], ["one/r.so": rich])
    let root = folder.path
    #expect(
      PluginListing.listText(registry) == """
        KIND       PLUGIN  VERSION   ABI  STATE    PATH
        a:b,empty  rich    2.0-beta  1.0  usable   \(root)/one/r.so
        -          -       -         -    refused  \(root)/one/text.so
            plugin.format: \(root)/one/text.so is not a plugin for this machine: it is not an ELF file
            hint: remove it, or copy it anew when the copy was cut short

        """)
    #expect(
      PluginListing.showText("a:b", registry)?.hasPrefix(
        """
        a:b
          doc

        Plugin: rich 2.0-beta (MIT), ABI 1.0, \(root)/one/r.so
        Can: check, apply, watch, reverse, refresh

        Parameters
          s  str  (secret; default: the resource's name; default: (hidden); one of "x", "")
              Two
              lines.
          r  []str  (required)
              required
          f  float  (default: -0.5)
        """) == true)
    #expect(PluginListing.showText("nothing", registry) == nil && PluginListing.showJSON("nothing", registry) == nil)
    #expect(PluginListing.listJSON(registry).contains("\"state\":\"refused\",\"reason\":{\"code\":\"plugin.format\""))
    #expect(PluginListing.showJSON("empty", registry)?.hasPrefix("{\"kind\":\"empty\"") == true)
  }
}
