// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import PkgPlugin

/// Archives that are fetched to know what is in them.
@Suite struct ArchiveTests {
  private func id(_ name: String) -> PackageID { PackageID(name: name, version: "1", architecture: "all") }

  @Test func theSmallestAreFetchedFirst() {
    let ids = ["huge", "big", "small", "unknown", "fits"].map(id)
    let half = ArchivePeek.budget / 2
    let sizes: [PackageID: UInt64] = [id("huge"): .max, id("big"): half + 1, id("small"): 1, id("fits"): half]
    let (affordable, costly) = ArchivePeek.choose(ids, sizes)
    #expect(affordable.map(\.name) == ["small", "fits"])
    #expect(costly.map(\.name) == ["big", "huge", "unknown"])
    #expect(ArchivePeek.choose([], [:]).affordable.isEmpty)
  }

  @Test func onlyNewFilesInCachesAreOurs() throws {
    for path in [
      "", "/", "/etc/passwd", "/var/cache/", "/var/cache/..", "/var/cache/../lib/dpkg/status", "/var/cache/no/such/file.deb",
      "/tmp/file.deb", "var/cache/file.deb",
    ] {
      #expect(FetchedArchive(path, since: 0) == nil, "\(path)")
    }
  }

  @Test func whatWasFetchedIsRemoved() throws {
    var template = Array("/tmp/mgmt-test-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { rmdir(folder) }
    let path = folder + "/new.deb"
    let start = FetchedArchive.now()
    let fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600)
    try #require(fd >= 0)
    close(fd)
    #expect(FetchedArchive(path, since: start + 3600, caches: folder + "/") == nil)
    let archive = try #require(FetchedArchive(path, since: start, caches: folder + "/"))
    archive.remove()
    #expect(access(path, F_OK) != 0)
    archive.remove()
    #expect(FetchedArchive(path, since: start) == nil)
  }
}
