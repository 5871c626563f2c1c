// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PkgPlugin

@Suite struct DecisionTests {
  private let installed = PackageID(name: "p", version: "1", architecture: "all", data: "auto:local")
  private let old = PackageID(name: "p", version: "0", architecture: "all")
  private let new = PackageID(name: "p", version: "2", architecture: "all", data: "repository")

  private func verdict(_ state: String, _ facts: PackageFacts) -> PackageVerdict {
    PackageVerdict(PackageSpec(name: "p", state: .init(state)), facts)
  }

  @Test func nothingIsKnown() {
    let facts = PackageFacts()
    #expect(verdict("installed", facts) == .unknown)
    #expect(verdict("newest", facts) == .unknown)
    #expect(verdict("1", facts) == .unknown)
    #expect(verdict("uninstalled", facts) == .asAsked)
  }

  @Test func available() {
    let facts = PackageFacts(available: [new, old])
    #expect(verdict("installed", facts) == .install(new))
    #expect(verdict("newest", facts) == .install(new))
    #expect(verdict("0", facts) == .install(old))
    #expect(verdict("7", facts) == .unknownVersion([new, old]))
    #expect(verdict("uninstalled", facts) == .asAsked)
  }

  @Test func installedWithoutUpdate() {
    let facts = PackageFacts(installed: [installed])
    #expect(verdict("installed", facts) == .asAsked)
    #expect(verdict("newest", facts) == .asAsked)
    #expect(verdict("1", facts) == .asAsked)
    #expect(verdict("2", facts) == .unknownVersion([]))
    #expect(verdict("uninstalled", facts) == .remove([installed]))
  }

  @Test func installedWithUpdate() {
    let facts = PackageFacts(installed: [installed], available: [new], update: new)
    #expect(verdict("installed", facts) == .asAsked)
    #expect(verdict("newest", facts) == .update(new))
    #expect(verdict("2", facts) == .install(new))
    #expect(verdict("uninstalled", facts) == .remove([installed]))
    // A newer version that is not offered as an update is held back.
    #expect(verdict("newest", PackageFacts(installed: [installed], available: [new])) == .asAsked)
  }

  @Test func installedIsTheNumberAndNoWord() {
    let table = PackageTable(
      resolved: [listed(1, "a;1;all;auto:debian"), listed(2, "b;1;all;installed"), listed(1, "a;1;all;auto:debian")],
      updates: [listed(5, "a;2;all;debian"), listed(5, "stranger;2;all;debian")])
    #expect(table["a"].installed.map(\.version) == ["1"])
    #expect(table["a"].update?.version == "2")
    #expect(table["b"].installed.isEmpty && table["b"].available.count == 1)
    #expect(!table["stranger"].isKnown && !table["c"].isKnown)
  }

  @Test func architectures() {
    let table = PackageTable(resolved: [listed(1, "a;1;i386;"), listed(2, "a;1;amd64;")])
    #expect(table["a"].installed.count == 1)
    #expect(!table["a:amd64"].installed.contains { $0.architecture == "i386" } && table["a:amd64"].available.count == 1)
    #expect(!table["a:arm64"].isKnown)
  }

  @Test func olderVersionsAreAskedForByTheirID() {
    let facts = PackageFacts(installed: [installed], available: [new])
    #expect(PackageSpec(name: "p", state: .version("0")).olderVersion(facts)?.text == "p;0;all;")
    #expect(PackageSpec(name: "p", state: .version("2")).olderVersion(facts) == nil)
    #expect(PackageSpec(name: "p", state: .version("1")).olderVersion(facts) == nil)
    #expect(PackageSpec(name: "p").olderVersion(facts) == nil)
    #expect(PackageSpec(name: "p", state: .version("0")).olderVersion(PackageFacts()) == nil)
  }

  @Test func groups() {
    let plain = PackageSpec(name: "a")
    #expect(plain.mayShareTransaction(with: plain))
    #expect(plain.mayShareTransaction(with: PackageSpec(name: "b")))
    #expect(!plain.mayShareTransaction(with: PackageSpec(name: "b", state: .newest)))
    var other = PackageSpec(name: "b")
    other.allowUntrusted = true
    #expect(!plain.mayShareTransaction(with: other))
    let version = PackageSpec(name: "a", state: .version("1"))
    #expect(!version.mayShareTransaction(with: version))
  }

  @Test func filtersAndFlags() {
    var spec = PackageSpec(name: "a")
    #expect(spec.installFilter.rawValue == 1 << 18 | 1 << 8 | 1 << 12)
    #expect(spec.flags.rawValue == 2)
    spec.allowNonfree = true
    #expect(spec.installFilter.rawValue == 1 << 18 | 1 << 12)
    spec.allowUnsupported = true
    spec.allowUntrusted = true
    spec.allowDowngrade = true
    #expect(spec.installFilter.rawValue == 1 << 18)
    #expect(spec.flags.rawValue == 64)
    #expect(PackageAction.update.request([new], spec.flags).arguments == [.uint64(0), .strings([new.text])])
    #expect(
      PackageAction.remove.request([installed], spec.flags).arguments
        == [.uint64(0), .strings([installed.text]), .bool(true), .bool(false)])
  }
}
