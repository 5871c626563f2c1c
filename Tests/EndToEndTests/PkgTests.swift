// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// `pkg` with a real PackageKit.
  @Suite(.enabled(if: PackageMachine.missing == nil, noPackageMachine)) struct Packages {
    @Test("a missing package is installed, and one that is there costs one question")
    func install() throws {
      let machine = try PackageMachine(graph: packages(["cowsay"]))
      machine.expectEnd(of: "pkg[cowsay]", "changed")
      machine.agent.expectConverged()
      #expect(try machine.version("cowsay") == "3.03+demo-1")
      #expect(try machine.calls("InstallPackages") == 1)

      let again = try PackageMachine(graph: packages(["dash", "bash"]))
      again.expectEnd(of: "pkg[bash]", "ok")
      #expect(try again.calls("Resolve") == 1)
      #expect(try again.calls("InstallPackages") == 0)
    }

    @Test("three packages are one transaction")
    func group() throws {
      let machine = try PackageMachine(graph: packages(["powertop", "sl", "cowsay"]))
      machine.expectEnd(of: "pkg[cowsay]", "changed")
      machine.agent.expectConverged()
      for name in ["powertop", "sl", "cowsay"] { #expect(try machine.version(name) != nil) }
      #expect(machine.agent.groups == ["pkg[powertop] in pkg[cowsay]", "pkg[sl] in pkg[cowsay]"])
      #expect(try machine.calls("InstallPackages") == 1)
      #expect(try machine.calls("RefreshCache") == 0)
    }

    @Test("a package is removed, and with it what depends on it")
    func uninstall() throws {
      let machine = try PackageMachine(
        graph: packages(["demo-lib"], ["state: uninstalled"]), setup: "apt-get install -y -qq demo")
      machine.expectEnd(of: "pkg[demo-lib]", "changed")
      #expect(try machine.version("demo") == nil)
      #expect(try machine.version("demo-lib") == nil)
      // The first of them simulates, to tell what goes along.
      #expect(try machine.calls("RemovePackages") == 2)
      #expect(
        machine.changes(of: "pkg[demo-lib]") == ["state: 1.0 -> uninstalled", "pkg[demo]#state: 1.0 -> uninstalled"])
    }

    @Test("an unknown package is no reason to do anything when it should not be there")
    func uninstallUnknown() throws {
      let machine = try PackageMachine(graph: packages(["no-such-thing"], ["state: uninstalled"]))
      machine.expectEnd(of: "pkg[no-such-thing]", "ok")
    }

    @Test("the newest version is kept up")
    func newest() throws {
      let machine = try PackageMachine(graph: packages(["demo"], ["state: newest"]))
      machine.expectEnd(of: "pkg[demo]", "changed")
      #expect(try machine.version("demo") == "1.0")
      try machine.run("harness-repository publish 1.1 && pkcon -p refresh")
      machine.expectEnd(of: "pkg[demo]", "changed", times: 2)
      #expect(try machine.version("demo") == "1.1")
      #expect(try machine.calls("UpdatePackages") == 1)
    }

    @Test("an exact version, and back to it only if that is allowed")
    func versions() throws {
      let setup = "harness-repository publish 1.1 && apt-get install -y -qq demo"
      let refused = try PackageMachine(graph: packages(["demo"], ["state: '1.0'"]), setup: setup)
      refused.expectEnd(of: "pkg[demo]", "failed")
      let failure = refused.failures(of: "pkg[demo]").first ?? ""
      #expect(failure.contains("a newer version than 1.0 of package 'demo' is installed"), "\(failure)")
      #expect(failure.contains("allowdowngrade: true"), "\(failure)")
      #expect(try refused.version("demo") == "1.1")

      let allowed = try PackageMachine(
        graph: packages(["demo"], ["state: '1.0'", "allowdowngrade: true"]), setup: setup)
      allowed.expectEnd(of: "pkg[demo]", "changed")
      #expect(try allowed.version("demo") == "1.0")

      let fresh = try PackageMachine(
        graph: packages(["demo"], ["state: '1.0'"]), setup: "harness-repository publish 1.1")
      fresh.expectEnd(of: "pkg[demo]", "changed")
      #expect(try fresh.version("demo") == "1.0")
    }

    @Test(
      "what others remove is put back, in one transaction each",
      arguments: ["dpkg -r", "apt-get remove -y -qq", "pkcon -y -p remove"])
    func external(_ removal: String) throws {
      let machine = try PackageMachine(graph: packages(["cowsay", "demo"]))
      machine.expectEnd(of: "pkg[cowsay]", "changed")
      #expect(try machine.calls("InstallPackages") == 1)
      try machine.run("\(removal) demo")
      machine.expectEnd(of: "pkg[cowsay]", "changed", times: 2)
      #expect(try machine.version("demo") == "1.0")
      // What the package manager writes on the way is looked at too, and is no reason to do it again.
      machine.agent.expectConverged(times: 2)
      #expect(try machine.calls("InstallPackages") == 2)
    }

    @Test("files, programs and services of a package come after it, also before it is installed")
    func edges() throws {
      let graph = packages(
        ["demo", "cowsay"],
        more: """
            file:
            - name: conf
              path: /etc/demo.conf
              content: "port=9090\\n"
            - name: folder
              path: /etc/demo.d/
              state: exists
            svc:
            - name: demo
              state: running
            exec:
            - name: moo
              cmd: /usr/games/cowsay moo
          """)
      let machine = try PackageMachine(graph: graph)
      machine.agent.expectConverged()
      #expect(
        Set(machine.agent.automaticEdges)
          == [
            "pkg[demo] -> svc[demo]", "pkg[demo] -> file[conf]", "pkg[demo] -> file[folder]", "pkg[cowsay] -> exec[moo]",
          ])
      machine.agent.expectOrder("pkg[cowsay]", "svc[demo]")
      machine.agent.expectOrder("pkg[cowsay]", "file[conf]")
      machine.agent.expectOrder("pkg[cowsay]", "exec[moo]")
      #expect(try machine.run("cat /etc/demo.conf").out == "port=9090\n")
    }
  }
}
