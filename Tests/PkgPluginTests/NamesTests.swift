// SPDX-License-Identifier: Apache-2.0

import PluginKit
import Testing

@testable import PkgPlugin

@Suite struct NamesTests {
  private func refusal(_ name: String, _ state: String, downgrade: Bool = false) -> Failure? {
    var spec = PackageSpec(name: name, state: .init(state))
    spec.allowDowngrade = downgrade
    do throws(Failure) {
      try spec.validate()
      return nil
    } catch {
      return error
    }
  }

  @Test func parameters() {
    for state in ["installed", "uninstalled", "newest", "1:2.3~rc1-4+b1"] { #expect(refusal("libstdc++6", state) == nil) }
    #expect(refusal("a", "latest")?.hint == "use newest")
    #expect(refusal("a", "absent")?.hint == "use uninstalled" && refusal("a", "present")?.hint == "use installed")
    for state in ["", "1 2", "1;2", "1\n2", String(repeating: "1", count: 256)] {
      #expect(refusal("a", state)?.field == "state", "\(state)")
    }
    for name in ["", "a b", "a;b", "a\nb", "\u{7f}", String(repeating: "a", count: 256)] {
      #expect(refusal(name, "installed") != nil, "\(name)")
    }
    #expect(refusal("a", "installed", downgrade: true)?.field == "allowdowngrade")
    #expect(refusal("a", "1.0", downgrade: true) == nil)
  }

  @Test func partsOfNames() {
    #expect(NearNames.parts(of: "cowsya") == ["cow", "sya"])
    #expect(NearNames.parts(of: "sl") == ["s", "l"])
    #expect(NearNames.parts(of: "a") == ["a", "a"])
  }

  @Test func units() {
    #expect(
      PackageIdentities.units([
        "/lib/systemd/system/demo.service", "/usr/lib/systemd/system/demo.service", "/usr/lib/systemd/system/a@.socket",
        "/lib/systemd/system/demo.service.d/x.conf", "/lib/systemd/system/.service", "/etc/systemd/system/b.service",
        "/lib/systemd/system/readme", "/lib/systemd/user/c.service",
      ]) == ["demo.service", "a@.socket"])
  }

  @Test func paths() {
    let paths = PackageIdentities.paths(["/.", "/etc", "/etc/demo.conf", "/etc/demo.d", "/etc/x", "/etc/x/y", "/bin/z"])
    #expect(
      Set(paths) == [
        "/etc/demo.conf", "/etc/demo.conf/", "/etc/demo.d", "/etc/demo.d/", "/etc/x/", "/etc/x/y", "/etc/x/y/", "/bin/z",
        "/bin/z/", "/usr/bin/z", "/usr/bin/z/",
      ])
    #expect(PackageIdentities.paths(["", "relative", "/", "/."]).isEmpty)
  }
}
