// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What goes wrong with packages: said clearly, kept to whom it concerns, and mended as soon as it can be.
  @Suite(
    .enabled(if: PackageMachine.isAvailable, "no PackageKit can be run here: `scripts/harness/packagekit true` says why"))
  struct PackageFaults {
    @Test("a name that is not known fails alone, with what comes after it and with names that are near")
    func unknown() throws {
      let after = """
          noop:
          - name: after-powertop
            meta: {autogroup: false}
          - name: after-cowsya
            meta: {autogroup: false}
        edges:
        - {from: {kind: pkg, name: powertop}, to: {kind: noop, name: after-powertop}}
        - {from: {kind: pkg, name: cowsya}, to: {kind: noop, name: after-cowsya}}

        """
      let machine = try PackageMachine(graph: packages(["cowsya", "powertop"], more: after))
      machine.expectEnd(of: "pkg[cowsya]", "failed")
      machine.expectFailure(of: "pkg[cowsya]", "can't find package named 'cowsya'", "did you mean cowsay?")
      machine.expectEnd(of: "noop[after-powertop]", "ok")
      #expect(machine.ends(of: "noop[after-cowsya]", "ok") == 0)
      #expect(try machine.version("powertop") != nil)

      let version = try PackageMachine(graph: packages(["demo"], ["state: '7'"]))
      version.expectEnd(of: "pkg[demo]", "failed")
      version.expectFailure(of: "pkg[demo]", "can't find version 7 of package 'demo'", "offered is 1.0")
    }

    @Test("a package that is not free needs permission")
    func notFree() throws {
      let refused = try PackageMachine(graph: packages(["demo-contrib"]))
      refused.expectEnd(of: "pkg[demo-contrib]", "failed")
      refused.expectFailure(of: "pkg[demo-contrib]", "not as free and supported", "allownonfree: true")
      let allowed = try PackageMachine(graph: packages(["demo-contrib"], ["allownonfree: true", "allowunsupported: true"]))
      allowed.expectEnd(of: "pkg[demo-contrib]", "changed")
    }

    @Test("an unsigned package needs permission")
    func unsigned() throws {
      let refused = try PackageMachine(
        graph: packages(["cowsay"], ["allowunsupported: true"]), setup: "harness-repository distrust")
      refused.expectEnd(of: "pkg[cowsay]", "failed")
      refused.expectFailure(
        of: "pkg[cowsay]", "cannot be authenticated", "cannot-install-repo-unsigned", "allowuntrusted: true")
      #expect(try refused.version("cowsay") == nil)
      let allowed = try PackageMachine(
        graph: packages(["cowsay"], ["allowunsupported: true", "allowuntrusted: true"]), setup: "harness-repository distrust")
      allowed.expectEnd(of: "pkg[cowsay]", "changed")
    }

    @Test("a package that cannot be configured fails, and the others of its group are installed")
    func broken() throws {
      let machine = try PackageMachine(graph: packages(["cowsay", "demo-broken", "sl"]))
      machine.expectEnd(of: "pkg[cowsay]", "failed")
      // PackageKit's own words depend on which of dpkg's it has read by then.
      machine.expectFailure(of: "pkg[cowsay]", "cannot install demo-broken", "/var/log/apt/term.log")
      #expect(try machine.version("cowsay") != nil)
      #expect(try machine.version("sl") != nil)
      #expect(try machine.version("demo-broken") == nil)
    }

    @Test("while another package manager works it is said so, and done as soon as that ends")
    func lock() throws {
      let machine = try PackageMachine(graph: packages(["cowsay"]), setup: PackageMachine.holdLock)
      machine.expectEnd(of: "pkg[cowsay]", "failed")
      machine.expectFailure(of: "pkg[cowsay]", "lock-frontend", "cannot-get-lock", "tried again as soon as")
      try machine.folder.write("release", "")
      machine.expectEnd(of: "pkg[cowsay]", "changed")
      #expect(try machine.version("cowsay") != nil)
    }

    @Test("packagekitd is killed in the middle of a transaction")
    func killed() throws {
      let machine = try PackageMachine(graph: packages(["demo-slow"]))
      #expect(poll(bound: 30) { (try? machine.run("pgrep -f [d]emo-slow.postinst").status) == 0 })
      try machine.run("pkill -KILL -x packagekitd; sleep 0.2; pkill -f [d]emo-slow.postinst; pkill -x dpkg; true")
      machine.expectEnd(of: "pkg[demo-slow]", "failed")
      machine.expectFailure(of: "pkg[demo-slow]", "packagekitd ended in the middle of it")
      machine.expectEnd(of: "pkg[demo-slow]", "changed", bound: 120)
      #expect(try machine.version("demo-slow") == "1.0")
    }

    @Test("a list of packages that is damaged does not keep away what is known, and is named where it matters")
    func brokenRepository() throws {
      let machine = try PackageMachine(
        graph: packages(["cowsay", "nothing-like-it"]), setup: "harness-repository break")
      machine.expectEnd(of: "pkg[cowsay]", "changed")
      machine.expectEnd(of: "pkg[nothing-like-it]", "failed")
      machine.expectFailure(
        of: "pkg[nothing-like-it]", "can't find package named 'nothing-like-it'", "cannot refresh the lists of packages")
      #expect(try machine.version("cowsay") != nil)
    }

    @Test("without PackageKit, or without a bus, it is said what is missing")
    func missing() throws {
      let absent = try PackageMachine(
        graph: packages(["cowsay"]),
        setup: "rm /usr/share/dbus-1/system-services/org.freedesktop.PackageKit.service; busctl call org.freedesktop.DBus "
          + "/org/freedesktop/DBus org.freedesktop.DBus ReloadConfig")
      absent.expectEnd(of: "pkg[cowsay]", "failed")
      absent.expectFailure(of: "pkg[cowsay]", "PackageKit is not there", "apt-get install packagekit")

      let alone = try PackageMachine(
        graph: packages(["cowsay"]), setup: "systemctl stop dbus.socket dbus.service; rm -f /run/dbus/system_bus_socket")
      alone.expectEnd(of: "pkg[cowsay]", "failed")
      alone.expectFailure(of: "pkg[cowsay]", "cannot reach the system bus", "install and start the package `dbus`")
      try alone.run("systemctl start dbus.socket dbus.service")
      alone.expectEnd(of: "pkg[cowsay]", "changed")
    }
  }
}
