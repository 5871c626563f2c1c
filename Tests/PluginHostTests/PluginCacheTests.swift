// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Glibc
import Testing

@testable import PluginHost

@Suite struct PluginCacheTests {
  let folder: TestFolder
  let identity = FileIdentity(device: 1, inode: 2, size: 3, modified: 4, changed: 5)
  let described = ScanOutcome.described(DescriptorEncodingTests.rich)
  let crashed = ScanOutcome.refused(PluginDiagnostics.scanEnded("/p/b.so", "crashed (SIGSEGV)"))

  init() throws { folder = try TestFolder() }

  private var file: String { "\(folder.path)/\(PluginCache.fileName)" }

  private func write() {
    var cache = PluginCache(directory: folder.path)
    cache.store(described, "/p/a.so", identity)
    cache.store(crashed, "/p/b.so", identity)
    cache.save()
  }

  private func hit() -> ScanOutcome? {
    var cache = PluginCache(directory: folder.path)
    return cache.outcome("/p/a.so", identity)
  }

  @Test func keepsDescriptionsAndLastingRefusals() throws {
    write()
    #expect(hit() == described)
    var cache = PluginCache(directory: folder.path)
    #expect(cache.outcome("/p/b.so", identity) == crashed)
    var status = stat()
    #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [PluginCache.fileName])
  }

  @Test func anyChangeOfTheFileIsAMiss() {
    write()
    var cache = PluginCache(directory: folder.path)
    for change in [\FileIdentity.device, \.inode, \.size, \.modified, \.changed] as [WritableKeyPath<FileIdentity, UInt64>] {
      var other = identity
      other[keyPath: change] += 1
      #expect(cache.outcome("/p/a.so", other) == nil)
    }
    #expect(cache.outcome("/p/c.so", identity) == nil)
  }

  @Test func anotherProgramsCacheDoesNotCount() {
    write()
    var cache = PluginCache(directory: folder.path, host: identity)
    #expect(cache.outcome("/p/a.so", identity) == nil)
  }

  @Test func aMissingLibraryMayComeBack() {
    var cache = PluginCache(directory: nil)
    cache.store(
      .refused(PluginDiagnostics.notLoadable("/p/a.so", "libx.so: cannot open shared object file")), "/p/a.so", identity)
    #expect(cache.outcome("/p/a.so", identity) == nil)
  }

  @Test func damageIsAsIfItWereNotThere() throws {
    write()
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    for position in stride(from: 0, to: whole.count, by: 7) {
      var damaged = whole
      damaged[position] ^= 0x40
      try damaged.write(to: URL(fileURLWithPath: file))
      #expect(hit() == nil)
    }
    for count in [0, 1, 20, whole.count - 1] {
      try whole.prefix(count).write(to: URL(fileURLWithPath: file))
      #expect(hit() == nil)
    }
    write()
    #expect(hit() == described)
  }

  @Test func onlyTheOwnersFileCounts() throws {
    write()
    chmod(file, 0o660)
    #expect(hit() == nil)
    chmod(file, 0o600)
    #expect(hit() == described)
    rename(file, file + ".real")
    symlink(file + ".real", file)
    #expect(hit() == nil)
    // It is replaced, not written through.
    write()
    var status = stat()
    #expect(lstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
    if geteuid() == 0 {
      chown(file, 1, 1)
      #expect(hit() == nil)
    }
  }

  @Test func aDirectoryThatIsNotThereCostsNothing() {
    var cache = PluginCache(directory: folder.path + "/missing")
    cache.store(described, "/p/a.so", identity)
    cache.save()
    #expect(cache.outcome("/p/a.so", identity) == described)
  }
}
