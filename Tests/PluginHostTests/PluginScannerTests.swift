// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Glibc
import PluginABI
import Reactor
import Testing

@testable import PluginHost

/// Plugins in C, compiled here, scanned by the built program.
@Suite(.enabled(if: ScanTools.program != nil, "the mgmt program is not built beside the tests"))
struct PluginScannerTests {
  let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func compile(_ name: String, _ source: String) throws { try ScanTools.compile(name, source, in: folder) }

  private func registry(timeout: UInt64 = 5000) throws -> PluginRegistry {
    let scanner = PluginScanner(executable: try #require(ScanTools.program), timeout: timeout)
    let registry = PluginRegistry(searchPath: PluginSearchPath(only: [folder.path]), scanner: scanner)
    // For ever: the loader knows libraries by the numbers of their directories' descriptors, which another registry would get again.
    _ = Unmanaged.passRetained(registry)
    registry.refresh()
    return registry
  }

  private func refusal(_ source: String, timeout: UInt64 = 5000) throws -> Diagnostic? {
    try compile("bad.so", source)
    let entry = try #require(try registry(timeout: timeout).entries.first)
    if case .refused(let diagnostic) = entry.state { return diagnostic }
    return nil
  }

  @Test func aGoodPluginIsScannedAndLoaded() throws {
    try compile("good.so", ScanTools.good)
    let registry = try registry()
    #expect(registry.kindNames == ["good"])
    let loaded = try registry.load(kind: "good")
    #expect(loaded.schema.documentation == "A kind." && loaded.plugin.descriptor.name == "good")
    #expect(loaded.kind.pointee.check_apply != nil && loaded.position == 0)
    #expect(try registry.load(kind: "good").plugin === loaded.plugin)
    // The old one stays in use.
    try compile("good.so", ScanTools.good + "int more;")
    registry.refresh()
    #expect(registry.entries.first?.notice?.contains("restart mgmt") == true)
    #expect(try registry.load(kind: "good").plugin === loaded.plugin)
  }

  @Test func aPluginReplacedAfterTheScanIsScannedAgain() throws {
    try compile("good.so", ScanTools.good)
    let registry = try registry()
    try compile("good.so", ScanTools.good.replacingOccurrences(of: "A kind.", with: "Another."))
    #expect(try registry.load(kind: "good").schema.documentation == "Another.")
  }

  @Test func librariesBesideThePluginAreFound() throws {
    try compile("libbeside.so.1", "int beside(void) { return 7; }")
    try ScanTools.compile(
      "good.so", ScanTools.good + "int beside(void); int use(void) { return beside(); }", in: folder,
      ["-Wl,-rpath,$ORIGIN", "\(folder.path)/libbeside.so.1"])
    let registry = try registry()
    #expect(registry.kindNames == ["good"], "\(PluginListing.listText(registry))")
    #expect(throws: Never.self) { try registry.load(kind: "good") }
  }

  @Test func crash() throws {
    let diagnostic = try refusal("const void *mgmt_plugin_v1(void) { *(volatile int *)0 = 1; return 0; }")
    #expect(diagnostic?.code == "plugin.crash")
    #expect(isSanitized || diagnostic?.title.contains("crashed (SIGSEGV)") == true)
  }

  @Test func hang() throws {
    let diagnostic = try refusal("#include <unistd.h>\nconst void *mgmt_plugin_v1(void) { for (;;) pause(); }", timeout: 200)
    #expect(diagnostic?.code == "plugin.hang" && diagnostic?.title.contains("within 200 ms") == true)
  }

  @Test func exit() throws {
    let diagnostic = try refusal(
      "#include <unistd.h>\n__attribute__((constructor)) static void c(void) { write(1, \"noise\", 5); _exit(3); }")
    #expect(diagnostic?.code == "plugin.crash")
    #expect(isSanitized || diagnostic?.title.contains("ended its process (exit status 3)") == true)
  }

  @Test func garbage() throws {
    let diagnostic = try refusal(
      """
      #include <unistd.h>
      __attribute__((constructor)) static void c(void) { for (int fd = 3; fd < 16; fd++) write(fd, "noise", 5); _exit(0); }
      """)
    #expect(diagnostic?.code == "plugin.crash" && diagnostic?.title.contains("wrote something else") == true)
  }

  @Test func noSymbolAndNull() throws {
    #expect(try refusal("int x;")?.code == "plugin.symbol")
    #expect(try refusal("const void *mgmt_plugin_v1(void) { return 0; }")?.title.contains("returned NULL") == true)
  }

  @Test func newerVersion() throws {
    let diagnostic = try refusal(ScanTools.good.replacingOccurrences(of: "MGMT_ABI_MINOR", with: "99"))
    #expect(diagnostic?.code == "plugin.abi")
    #expect(diagnostic?.title.hasSuffix("it asks for ABI 1.99, this mgmt offers \(PluginDescriptor.hostABI)") == true)
    #expect(diagnostic?.hint?.contains("upgrade mgmt") == true)
  }

  @Test func missingSymbol() throws {
    let diagnostic = try refusal("int nowhere(void); int f(void) { return nowhere(); }")
    #expect(diagnostic?.code == "plugin.load" && diagnostic?.title.contains("undefined symbol: nowhere") == true)
    #expect(diagnostic?.title.contains("/proc/") == false)
  }

  @Test func manyAtOnce() throws {
    try compile("p0.so", ScanTools.good)
    for number in 1...9 {
      try FileManager.default.copyItem(atPath: "\(folder.path)/p0.so", toPath: "\(folder.path)/p\(number).so")
    }
    let registry = try registry()
    #expect(registry.entries.first?.state == .usable && registry.entries.count == 10)
    // Each was looked into: they have the first one's kind.
    #expect(registry.entries.dropFirst().allSatisfy { $0.descriptor?.kinds.map(\.schema.name) == ["good"] && $0.kinds.isEmpty })
  }

  @Test func aDroppedPluginIsFoundWithoutARestart() throws {
    let reactor = try Reactor()
    let place = "\(folder.path)/later/plugins"
    let scanner = PluginScanner(executable: try #require(ScanTools.program))
    let registry = PluginRegistry(searchPath: PluginSearchPath(only: [place]), scanner: scanner)
    registry.refresh()
    let watcher = PluginDirectoryWatcher(registry: registry, reactor: reactor) {}
    var hasExpired = false
    reactor.addTimer(afterMilliseconds: 60_000) { hasExpired = true }
    func wait(until done: () -> Bool) throws {
      while !done(), !hasExpired { try reactor.runOnce() }
      #expect(done(), "the bound of a minute passed")
    }
    _ = try folder.directory("later/plugins")
    try wait { registry.entries.first?.path != place }
    #expect(registry.entries.isEmpty)
    try compile("later/plugins/good.so", ScanTools.good)
    try wait { !registry.kindNames.isEmpty }
    chmod("\(place)/good.so", 0o666)
    try wait { registry.kindNames.isEmpty }
    chmod("\(place)/good.so", 0o644)
    try wait { !registry.kindNames.isEmpty }
    unlink("\(place)/good.so")
    try wait { registry.kindNames.isEmpty }
    withExtendedLifetime(watcher) {}
  }

  @Test func theHiddenWordAloneDoesNothing() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(ScanTools.program))
    process.arguments = [PluginScanChild.argument, "x.so"]
    let errors = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 64 && text.contains("mgmt plugins list"))
  }
}

enum ScanTools {
  /// The built program beside the tests.
  static let program: String? = {
    guard let tests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return nil }
    let path = ((tests as NSString).deletingLastPathComponent as NSString).appendingPathComponent("mgmt")
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()

  /// The directory of `mgmt/plugin.h`.
  static let headers: String = {
    let tests = (#filePath as NSString).deletingLastPathComponent as NSString
    return tests.appendingPathComponent("../../Sources/PluginABI/include")
  }()

  static func compile(_ name: String, _ source: String, in folder: TestFolder, _ more: [String] = []) throws {
    let text = try folder.write("source.c", source)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // A file that is mapped must not be written to: made aside, then moved.
    let made = "\(folder.path)/made"
    process.arguments = ["cc", "-std=gnu11", "-w", "-shared", "-fPIC", "-I", headers, "-o", made, text] + more
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0, rename(made, "\(folder.path)/\(name)") == 0 else { throw POSIXError(.EINVAL) }
    unlink(text)
  }

  static let good = """
    #include <mgmt/plugin.h>
    static mgmt_status create(void *k, mgmt_res *r, mgmt_str n, const mgmt_value *p, void **s, mgmt_error *e) { return MGMT_OK; }
    static void destroy(void *s) {}
    static mgmt_status check(void *s, mgmt_call *c, uint32_t f, mgmt_error *e) { return MGMT_OK; }
    static const mgmt_kind kind = {.size = sizeof(mgmt_kind), .name = MGMT_STR("good"), .doc = MGMT_STR("A kind."),
                                   .create = create, .destroy = destroy, .check_apply = check};
    static const mgmt_kind *const kinds[] = {&kind};
    static const mgmt_plugin plugin = {.abi_major = 1, .abi_minor = MGMT_ABI_MINOR, .size = sizeof(mgmt_plugin),
                                       .name = MGMT_STR("good"), .version = MGMT_STR("1.0"), .kinds = kinds, .kind_count = 1};
    const mgmt_plugin *mgmt_plugin_v1(void) { return &plugin; }

    """
}
