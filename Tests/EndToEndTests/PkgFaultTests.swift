// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What goes wrong with packages: said clearly, kept to whom it concerns, and mended as soon as it can be.
  @Suite(.enabled(if: PackageMachine.missing == nil, noPackageMachine)) struct PackageFaults {
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
      // What its own transactions write is no reason to try again: three in one, then each half, then one by one.
      #expect(poll(bound: 60) { machine.agent.events.contains { $0.name == "stalled" } })
      #expect(try machine.calls("InstallPackages") == 5)
      #expect(
        machine.agent.events.contains {
          ($0.members["text"] as? String)?.hasSuffix("others of the group failed: cowsay, sl") == true
        })
    }

    @Test("while another package manager works it is said so, and done as soon as that ends")
    func lock() throws {
      let machine = try PackageMachine(graph: packages(["cowsay"]), setup: PackageMachine.holdLock)
      machine.expectEnd(of: "pkg[cowsay]", "failed")
      machine.expectFailure(of: "pkg[cowsay]", "lock-frontend", "cannot-get-lock", "tried again when")
      try machine.folder.write("release", "")
      machine.expectEnd(of: "pkg[cowsay]", "changed")
      #expect(try machine.version("cowsay") != nil)
    }

    @Test("what is not known, and in no list while another program fetches these, is found when that is done")
    func listsLock() throws {
      let machine = try PackageMachine(
        graph: packages(["demo"], ["state: '1.1'"]),
        setup: "\(PackageMachine.hold("/var/lib/apt/lists/lock"))")
      machine.expectEnd(of: "pkg[demo]", "failed")
      machine.expectFailure(of: "pkg[demo]", "can't find version 1.1", "cannot refresh the lists of packages")
      try machine.run("touch release; harness-repository publish 1.1")
      machine.expectEnd(of: "pkg[demo]", "changed")
      #expect(try machine.version("demo") == "1.1")
    }

    @Test("several names that are not known are one search")
    func unknownNames() throws {
      let names = ["cowsya", "powertpo", "lsl"]
      let machine = try PackageMachine(graph: packages(names))
      for name in names { machine.expectEnd(of: "pkg[\(name)]", "failed") }
      machine.expectFailure(of: "pkg[cowsya]", "did you mean cowsay?")
      machine.expectFailure(of: "pkg[powertpo]", "did you mean powertop?")
      #expect(try machine.calls("SearchNames") == 1)
      #expect(try machine.calls("RefreshCache") == 1)
    }

    @Test("packagekitd is killed in the middle of a transaction")
    func killed() throws {
      let machine = try PackageMachine(graph: packages(["demo-slow"]))
      #expect(poll(bound: 30) { (try? machine.run("pgrep -f [d]emo-slow.postinst").status) == 0 })
      try machine.run(
        // The bus may start another at once.
        "pid=$(pgrep -o -x packagekitd); kill -KILL $pid; while kill -0 $pid; do sleep 0.02; done; "
          + "pkill -f [d]emo-slow.postinst; pkill -x dpkg; true")
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
