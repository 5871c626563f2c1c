// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Testing

@testable import PluginHost

@Suite struct PluginTrustTests {
  let folder: TestFolder
  let policy = TrustPolicy()

  init() throws { folder = try TestFolder() }

  private func open(_ name: String) throws -> PluginFile {
    let directory = try #require(try PluginDirectory.open(folder.path, policy: policy))
    return try PluginFile.open(name, in: directory, policy: policy)
  }

  private func refusal(_ body: () throws -> Void) -> Diagnostic? {
    do {
      try body()
      return nil
    } catch let error as MgmtError {
      return error.diagnostics.first
    } catch {
      return nil
    }
  }

  @Test func aFileOfTheOwnerIsTaken() throws {
    let path = try folder.write("a.so", mode: 0o600)
    let file = try open("a.so")
    #expect(file.path == path && file.identity.size == 1 && file.isStillInPlace)
    try folder.write("a.so", "other")
    #expect(!file.isStillInPlace)
  }

  @Test(arguments: [(mode_t(0o646), "everybody"), (0o664, "its group"), (0o666, "everybody")])
  func writableByOthers(mode: mode_t, who: String) throws {
    let path = try folder.write("a.so", mode: mode)
    let diagnostic = try #require(refusal { _ = try open("a.so") })
    #expect(diagnostic.code == "plugin.untrusted" && diagnostic.title.contains("\(who) may write to it"))
    #expect(diagnostic.hint == "chmod go-w \(path)")
  }

  @Test func symbolicLinksPipesAndDirectories() throws {
    try folder.write("real.so")
    symlink("real.so", folder.path + "/link.so")
    mkfifo(folder.path + "/fifo.so", 0o600)
    _ = try folder.directory("dir.so")
    #expect(refusal { _ = try open("link.so") }?.title.contains("it is a symbolic link") == true)
    #expect(refusal { _ = try open("fifo.so") }?.title.contains("it is not a regular file") == true)
    #expect(refusal { _ = try open("dir.so") }?.title.contains("it is not a regular file") == true)
    #expect(refusal { _ = try open("missing.so") }?.code == "plugin.unreadable")
  }

  @Test func theDirectoryCounts() throws {
    chmod(folder.path, 0o777)
    let diagnostic = try #require(refusal { _ = try PluginDirectory.open(folder.path, policy: policy) })
    #expect(diagnostic.hint == "chmod go-w \(folder.path)")
    #expect(try PluginDirectory.open(folder.path + "/missing", policy: policy) == nil)
    try folder.write("file")
    #expect(
      refusal { _ = try PluginDirectory.open(folder.path + "/file", policy: policy) }?.title.contains("not a directory") == true
    )
  }

  @Test func aLinkToTheDirectoryIsResolvedOnce() throws {
    let target = try folder.directory("target")
    symlink("target", folder.path + "/link")
    #expect(try PluginDirectory.open(folder.path + "/link", policy: policy)?.path == target)
  }

  @Test func ownersAreRootAndTheAgent() {
    var status = stat()
    status.st_mode = S_IFREG | 0o644
    status.st_uid = 1000
    #expect(TrustPolicy(user: 1000).refusal(status, path: "/p") == nil)
    #expect(TrustPolicy(user: 0).refusal(status, path: "/p")?.hint == "chown root /p")
    #expect(TrustPolicy(user: 7).refusal(status, path: "/a b")?.hint == "chown 7 '/a b'")
    status.st_uid = 0
    #expect(TrustPolicy(user: 7).refusal(status, path: "/p") == nil)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func aForeignOwnersFile() throws {
    let path = try folder.write("a.so")
    chown(path, 1, 1)
    let diagnostic = try #require(refusal { _ = try open("a.so") })
    #expect(diagnostic.title.contains("belongs to user 1, not to root") && diagnostic.hint == "chown root \(path)")
  }

  @Test func namesThatCount() throws {
    for name in ["b.so", "a.so", ".hidden.so", "c.so.dpkg-new", ".so", "$LIB.so", "readme"] { try folder.write(name) }
    let directory = try #require(try PluginDirectory.open(folder.path, policy: policy))
    let (names, unusable) = try directory.pluginNames()
    #expect(names == ["a.so", "b.so"] && unusable == ["$LIB.so"])
  }

  @Test func wordsOfTheShell() {
    #expect(shellWord("/usr/lib/a-b_c.so") == "/usr/lib/a-b_c.so")
    #expect(shellWord("it's; rm") == "'it'\\''s; rm'")
    #expect(shellWord("") == "''")
    #expect(cleanLine(" a\n\tb\u{1b}[1m ") == "a b [1m")
  }
}
