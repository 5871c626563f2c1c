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

  private func registry(
    _ directories: [String], _ plugins: [String: PluginDescriptor], builtIn: [String] = [], allowsOverride: Bool = false
  ) throws -> PluginRegistry {
    var cache = PluginCache(directory: nil)
    for (name, descriptor) in plugins {
      let path = try folder.write(name)
      var status = stat()
      #expect(stat(path, &status) == 0)
      cache.store(.described(descriptor), path, FileIdentity(status))
    }
    let searchPath = PluginSearchPath(
      only: directories.map { "\(folder.path)/\($0)" }, builtIn: builtIn.map { "\(folder.path)/\($0)" })
    // A scan would fail.
    let scanner = PluginScanner(executable: "/nonexistent")
    let registry = PluginRegistry(
      PluginDiscovery(searchPath: searchPath, scanner: scanner, policy: policy), cache, allowsOverride: allowsOverride)
    registry.refresh()
    return registry
  }

  private func refusal(_ registry: PluginRegistry, _ path: String) -> String? {
    guard let entry = registry.entries.first(where: { $0.path == "\(folder.path)/\(path)" }),
      case .refused(let diagnostic) = entry.state
    else { return nil }
    #expect(diagnostic.code == "plugin.override" && entry.kinds.isEmpty && entry.descriptor != nil)
    return diagnostic.title.replacing("\(folder.path)/", with: "")
  }

  @Test func nothingReplacesWhatCameWithTheProgram() throws {
    let plugins = [
      "one/file.so": descriptor("evil", "file"), "one/mixed.so": descriptor("mixed", "new", "exec"),
      "one/good.so": descriptor("good", "good"), "own/a.so": descriptor("a", "file"),
      "own/file.so": descriptor("file", "file"), "own/exec.so": descriptor("exec", "exec"),
    ]
    let strict = try registry(["one", "own"], plugins, builtIn: ["own"])
    #expect(strict.kindNames == ["exec", "file", "good"])
    #expect(strict.description(of: "file")?.entry.path == "\(folder.path)/own/file.so")
    #expect(refusal(strict, "one/file.so") == "one/file.so is not used: its kind \"file\" is that of own/file.so")
    #expect(refusal(strict, "one/mixed.so") == "one/mixed.so is not used: its kind \"exec\" is that of own/exec.so")
    #expect(refusal(strict, "own/a.so") == "own/a.so is not used: its kind \"file\" is that of own/file.so")
    #expect(strict.absentKinds["new"]?.reason.contains("mixed.so, which would offer it, is refused") == true)
    #expect(strict.unknown("new").hint?.contains("--allow-override") == true)

    let free = try registry(["one", "own"], plugins, builtIn: ["own"], allowsOverride: true)
    #expect(free.description(of: "file")?.entry.path == "\(folder.path)/one/file.so")
    #expect(free.kindNames == ["exec", "file", "good", "new"])
  }

  @Test func aBuiltInPluginThatCannotBeUsedKeepsItsName() throws {
    try folder.write("own/pkg.so", "cut short")
    let registry = try registry(["one", "own"], ["one/other.so": descriptor("other", "pkg")], builtIn: ["own"])
    #expect(registry.kindNames.isEmpty)
    #expect(refusal(registry, "one/other.so") == "one/other.so is not used: its kind \"pkg\" is that of own/pkg.so")
  }

  @Test func theProgramsOwnDirectoryIsItAlsoUnderAnotherName() throws {
    _ = try folder.directory("own")
    symlink("own", folder.path + "/link")
    let registry = try registry(
      ["link", "one", "own"], ["own/file.so": descriptor("file", "file"), "one/x.so": descriptor("x", "file")], builtIn: ["own"]
    )
    #expect(registry.found.first?.isBuiltIn == true)
    #expect(refusal(registry, "one/x.so") != nil)
  }

  @Test func whatIsMissingIsNamed() {
    func hint(_ library: String) -> String? {
      PluginDiagnostics.notLoadable("/x/pkg.so", "\(library): cannot open shared object file: No such file or directory").hint
    }
    #expect(hint("libdbus-1.so.3") == "install libdbus-1.so.3: apt install libdbus-1-3, on Debian")
    #expect(hint("libsystemd.so.0")?.contains("apt install libsystemd0") == true)
    #expect(hint("libother.so.1")?.contains("apt-file search libother.so.1") == true)
    #expect(PluginDiagnostics.notLoadable("/x/pkg.so", "undefined symbol: x").hint == "rebuild the plugin for this system")
  }

  @Test func withLeaveTheFirstInTheSearchPathIsUsed() throws {
    let registry = try registry(
      ["one", "two"],
      ["one/b.so": descriptor("b", "x", "y"), "two/a.so": descriptor("a", "y"), "two/c.so": descriptor("c", "x", "z")],
      allowsOverride: true)
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
