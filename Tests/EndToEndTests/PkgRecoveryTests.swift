// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What comes between an agent and a transaction: it is said clearly, and things end as asked.
  @Suite(.enabled(if: PackageMachine.missing == nil, noPackageMachine)) struct PackageRecovery {
    /// The package whose configuration takes 5 s.
    private static let slow = packages(["demo-slow"])

    private func waitForSlow(_ machine: PackageMachine) {
      #expect(poll(bound: 60) { (try? machine.run("pgrep -f [d]emo-slow.postinst").status) == 0 })
    }

    @Test("the bus is restarted: what others remove is noticed afterwards, too")
    func busRestart() throws {
      let machine = try PackageMachine(graph: packages(["cowsay"]))
      machine.expectEnd(of: "pkg[cowsay]", "changed")
      try machine.run("systemctl restart dbus.service")
      try machine.run("dpkg -r cowsay")
      machine.expectEnd(of: "pkg[cowsay]", "changed", times: 2)
      #expect(try machine.version("cowsay") != nil)
    }

    @Test("the bus is restarted in the middle of a transaction")
    func busRestartInTransaction() throws {
      let machine = try PackageMachine(graph: Self.slow)
      waitForSlow(machine)
      try machine.run("systemctl restart dbus.service")
      machine.expectEnd(of: "pkg[demo-slow]", "failed")
      #expect(
        machine.failures(of: "pkg[demo-slow]").contains {
          $0.contains("the system bus went away in the middle of it") || $0.contains("packagekitd ended in the middle of it")
        }, "\(machine.failures(of: "pkg[demo-slow]"))")
      #expect(poll(bound: 120) { (try? machine.version("demo-slow")) == "1.0" })
      #expect(poll(bound: 60) { machine.ends(of: "pkg[demo-slow]", "ok") + machine.ends(of: "pkg[demo-slow]", "changed") > 0 })
    }

    @Test("without permission nothing is installed, and it is said who may")
    func permission() throws {
      let machine = try PackageMachine(
        graph: packages(["cowsay", "dash"]), setup: "mkdir state && chown nobody state",
        options: ["--no-autogroup"],
        wrapper: ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"])
      machine.expectEnd(of: "pkg[cowsay]", "failed")
      machine.expectFailure(of: "pkg[cowsay]", "cannot install cowsay", "run mgmt as root, or let polkit allow")
      machine.expectEnd(of: "pkg[dash]", "ok")
      #expect(try machine.version("cowsay") == nil)
    }

    @Test("a transaction that takes longer than its check may goes on, and nothing is done twice")
    func timeout() throws {
      let machine = try PackageMachine(graph: packages(["demo-slow"], ["meta: { timeout: 3000 }"]))
      machine.expectEnd(of: "pkg[demo-slow]", "failed")
      machine.expectFailure(of: "pkg[demo-slow]", "timeout after 3 seconds")
      #expect(machine.logged("PackageKit goes on installing demo-slow"))
      machine.expectEnd(of: "pkg[demo-slow]", "ok")
      #expect(try machine.version("demo-slow") == "1.0")
      #expect(try machine.calls("InstallPackages") == 1)
    }

    @Test("^C waits for what is being installed")
    func interrupt() throws {
      let machine = try PackageMachine(graph: Self.slow)
      waitForSlow(machine)
      try machine.run("pkill -INT -x mgmt")
      machine.expectEnd(of: "pkg[demo-slow]", "changed")
      #expect(try machine.agent.running.wait().status == 0)
    }

    @Test("a second ^C does not wait, and says that PackageKit goes on")
    func interruptTwice() throws {
      let after = "until dpkg -s demo-slow | grep -q 'ok installed'; do sleep 0.2; done; touch installed"
      let machine = try PackageMachine(
        graph: Self.slow, wrapper: ["bash", "-c", "\"$@\"; timeout 30 bash -c \"\(after)\"", "wrapper"])
      waitForSlow(machine)
      try machine.run("pkill -INT -x mgmt")
      #expect(poll(bound: 30) { machine.logged("interrupted by ^C") })
      try machine.run("pkill -INT -x mgmt")
      machine.agent.expect("end") { $0.name == "end" }
      #expect(machine.logged("PackageKit goes on installing demo-slow"))
      #expect(machine.ends(of: "pkg[demo-slow]", "changed") == 0)
      #expect(poll(bound: 40) { machine.folder.exists("installed") })
    }

    @Test("two agents at once ask for the same: both get it")
    func twoAgents() throws {
      let names = ["demo-slow", "cowsay"]
      let machine = try PackageMachine(graph: packages(names), setup: "cp graph.yaml other.yaml")
      let other = try machine.run("\(Mgmt.binary) run --converged-timeout=0 --prefix other yaml other.yaml")
      #expect(other.status == 0, "\(other.out)")
      machine.expectEnd(of: "pkg[cowsay]", "changed")
      machine.agent.expectConverged()
      for name in names { #expect(try machine.version(name) != nil) }
    }

    @Test("a package for which there is no room fails, and is installed when there is")
    func noRoom() throws {
      let machine = try PackageMachine(
        graph: packages(["cowsay", "sl"]),
        setup: "mkdir -p /usr/share/cowsay && mount -t tmpfs -o size=4k tmpfs /usr/share/cowsay && echo x >/usr/share/cowsay/x")
      machine.expectEnd(of: "pkg[cowsay]", "failed")
      machine.expectFailure(of: "pkg[cowsay]", "cannot install cowsay")
      #expect(try machine.version("sl") != nil)
      try machine.run("umount /usr/share/cowsay; touch /var/lib/dpkg/status")
      machine.expectEnd(of: "pkg[cowsay]", "changed", bound: 90)
      #expect(try machine.version("cowsay") != nil)
    }
  }
}
