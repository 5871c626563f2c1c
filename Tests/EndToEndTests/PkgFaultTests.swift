// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What goes wrong with packages: said clearly, kept to whom it concerns, and mended as soon as it can be.
  @Suite(
    .enabled(if: PackageMachine.isAvailable, "no PackageKit can be run here: `scripts/harness/packagekit true` says why"))
  struct PackageFaults {
    private func expectFailure(_ machine: PackageMachine, of resource: String, _ parts: String...) {
      let failures = machine.failures(of: resource)
      for part in parts { #expect(failures.contains { $0.contains(part) }, "\(part) in \(failures)") }
    }

    @Test("a name that is not known fails alone, with names that are near")
    func unknown() throws {
      let machine = try PackageMachine(graph: packages(["cowsya", "powertop"]))
      machine.expectEnd(of: "pkg[cowsya]", "failed")
      expectFailure(machine, of: "pkg[cowsya]", "can't find package named 'cowsya'", "did you mean cowsay?")
      #expect(try machine.version("powertop") != nil)

      let version = try PackageMachine(graph: packages(["demo"], ["state: '7'"]))
      version.expectEnd(of: "pkg[demo]", "failed")
      expectFailure(version, of: "pkg[demo]", "can't find version 7 of package 'demo'", "offered is 1.0")
    }

    @Test("a package that is not free needs permission")
    func notFree() throws {
      let refused = try PackageMachine(graph: packages(["demo-contrib"]))
      refused.expectEnd(of: "pkg[demo-contrib]", "failed")
      expectFailure(refused, of: "pkg[demo-contrib]", "not as free and supported", "allownonfree: true")
      let allowed = try PackageMachine(graph: packages(["demo-contrib"], ["allownonfree: true", "allowunsupported: true"]))
      allowed.expectEnd(of: "pkg[demo-contrib]", "changed")
    }

    @Test("an unsigned package needs permission")
    func unsigned() throws {
      let refused = try PackageMachine(
        graph: packages(["cowsay"], ["allowunsupported: true"]), setup: "harness-repository distrust")
      refused.expectEnd(of: "pkg[cowsay]", "failed")
      expectFailure(
        refused, of: "pkg[cowsay]", "cannot be authenticated", "cannot-install-repo-unsigned", "allowuntrusted: true")
      #expect(try refused.version("cowsay") == nil)
      let allowed = try PackageMachine(
        graph: packages(["cowsay"], ["allowunsupported: true", "allowuntrusted: true"]), setup: "harness-repository distrust")
      allowed.expectEnd(of: "pkg[cowsay]", "changed")
    }

    @Test("a package that cannot be configured fails, and the others of its group are installed")
    func broken() throws {
      let machine = try PackageMachine(graph: packages(["cowsay", "demo-broken", "sl"]))
      machine.expectEnd(of: "pkg[cowsay]", "failed")
      expectFailure(
        machine, of: "pkg[cowsay]", "cannot install demo-broken", "post-installation script", "package-failed-to-install")
      #expect(try machine.version("cowsay") != nil)
      #expect(try machine.version("sl") != nil)
      #expect(try machine.version("demo-broken") == nil)
    }

    @Test("while another package manager works it is said so, and done as soon as that ends")
    func lock() throws {
      // Ends with its standard input.
      let holder =
        "import fcntl,os,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,fcntl.LOCK_EX); "
        + "open('held','w').close()\nwhile not os.path.exists('release'): time.sleep(0.05)"
      let machine = try PackageMachine(
        graph: packages(["cowsay"]),
        setup: "cat >holder.py <<'END'\n\(holder)\nEND\npython3 holder.py 3>&- & until [ -e held ]; do sleep 0.02; done")
      machine.expectEnd(of: "pkg[cowsay]", "failed")
      expectFailure(machine, of: "pkg[cowsay]", "lock-frontend", "cannot-get-lock", "tried again as soon as")
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
      expectFailure(machine, of: "pkg[demo-slow]", "packagekitd ended in the middle of it")
      machine.expectEnd(of: "pkg[demo-slow]", "changed", bound: 120)
      #expect(try machine.version("demo-slow") == "1.0")
    }

    @Test("a list of packages that is damaged does not keep away what is known, and is named where it matters")
    func brokenRepository() throws {
      let machine = try PackageMachine(
        graph: packages(["cowsay", "nothing-like-it"]), setup: "harness-repository break")
      machine.expectEnd(of: "pkg[cowsay]", "failed")
      expectFailure(
        machine, of: "pkg[cowsay]", "can't find package named 'nothing-like-it'", "cannot refresh the lists of packages")
      #expect(try machine.version("cowsay") != nil)
    }

    @Test("without PackageKit, or without a bus, it is said what is missing")
    func missing() throws {
      let absent = try PackageMachine(
        graph: packages(["cowsay"]),
        setup: "rm /usr/share/dbus-1/system-services/org.freedesktop.PackageKit.service; busctl call org.freedesktop.DBus "
          + "/org/freedesktop/DBus org.freedesktop.DBus ReloadConfig")
      absent.expectEnd(of: "pkg[cowsay]", "failed")
      expectFailure(absent, of: "pkg[cowsay]", "PackageKit is not there", "apt-get install packagekit")

      let alone = try PackageMachine(
        graph: packages(["cowsay"]), setup: "systemctl stop dbus.socket dbus.service; rm -f /run/dbus/system_bus_socket")
      alone.expectEnd(of: "pkg[cowsay]", "failed")
      expectFailure(alone, of: "pkg[cowsay]", "cannot reach the system bus", "install and start the package `dbus`")
      try alone.run("systemctl start dbus.socket dbus.service")
      alone.expectEnd(of: "pkg[cowsay]", "changed")
    }
  }
}
