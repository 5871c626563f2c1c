// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What a plan and a run that only looks tell of packages, and that they leave nothing behind.
  @Suite(.enabled(if: PackageMachine.missing == nil, noPackageMachine)) struct PackagePlans {
    private static let graph = packages(
      ["demo", "sl"],
      more: """
          - name: demo-lib
            state: uninstalled
          - name: powertop
            state: newest
          file:
          - name: conf
            path: /etc/demo.conf
            content: "port=9090\\n"
        """)

    /// Files that package managers write, their sizes and times.
    private static let listing =
      "find /var/cache/apt /var/cache/PackageKit /var/lib/dpkg /var/lib/apt ! -type d -printf '%p %s %T@ %l\\n' | sort"

    @Test("a plan tells which versions come and go, and what goes along", arguments: [true, false])
    func plan(whileLocked: Bool) throws {
      let machine = try PackageMachine(
        graph: packages(["dash"]),
        setup: "apt-get install -y -qq demo-lib")
      machine.agent.expectConverged()
      try machine.folder.write("plan.yaml", Self.graph)
      if whileLocked { try machine.run(PackageMachine.holdLock) }
      let before = try machine.run(Self.listing).out
      let plan = try machine.run("\(Mgmt.binary) graph yaml plan.yaml --plan --prefix planned")
      #expect(plan.status == 2, "\(plan.out)")
      for part in [
        "pkg[demo] with pkg[sl]", "state: \"uninstalled\" -> \"1.0\"", "pkg[sl]#state: \"uninstalled\" -> \"5.02+demo-1\"",
        "pkg[demo-lib]: would be changed\n  state: \"1.0\" -> \"uninstalled\"",
        "pkg[powertop]: would be changed\n  state: \"uninstalled\" -> \"2.14+demo-1\"",
      ] {
        #expect(plan.out.contains(part), "\(part) in \(plan.out)")
      }
      let noop = try machine.run("\(Mgmt.binary) run --noop --converged-timeout=0 --prefix planned yaml plan.yaml")
      #expect(noop.status == 2, "\(noop.out)")
      // The file of a package that is not there yet comes after it all the same.
      #expect(noop.out.contains("Adding AutoEdge: pkg[demo] -> file[conf]"), "\(noop.out)")
      #expect(try machine.run(Self.listing).out == before)
      try machine.folder.write("release", "")
    }

    @Test("what cannot be removed is told by the plan")
    func essential() throws {
      let machine = try PackageMachine(graph: packages(["dash"]))
      machine.agent.expectConverged()
      try machine.folder.write("plan.yaml", packages(["dpkg"], ["state: uninstalled"]))
      let plan = try machine.run("\(Mgmt.binary) graph yaml plan.yaml --plan --prefix planned")
      #expect(plan.status == 1 && plan.out.contains("cannot remove dpkg: "), "\(plan.out)")
    }

    @Test("the service of a package that is not there yet is open in a plan")
    func service() throws {
      let machine = try PackageMachine(graph: packages(["dash"]))
      machine.agent.expectConverged()
      try machine.folder.write(
        "plan.yaml", packages(["demo"], more: "  svc:\n  - name: demo\n    state: running\n    startup: enabled\n"))
      let plan = try machine.run("\(Mgmt.binary) graph yaml plan.yaml --plan --prefix planned")
      #expect(plan.status == 2, "\(plan.out)")
      #expect(plan.out.contains("svc[demo]: open until pkg[demo] is changed (now: there is no unit"), "\(plan.out)")
    }

    @Test("who may not clean up fetches nothing for a plan, and it is said what is missing")
    func unprivileged() throws {
      let machine = try PackageMachine(graph: packages(["dash"]))
      machine.agent.expectConverged()
      try machine.folder.write("plan.yaml", Self.graph)
      let plan = try machine.run(
        "setpriv --reuid=nobody --regid=nogroup --clear-groups -- \(Mgmt.binary) graph yaml plan.yaml --plan --prefix /tmp/planned"
      )
      #expect(plan.out.contains("pkg[demo] with pkg[sl]: would be changed"), "\(plan.out)")
      #expect(plan.out.contains("not known without root's rights"), "\(plan.out)")
      #expect(try machine.calls("DownloadPackages") == 0)
    }

    @Test("without a network a plan is made all the same, and says what it does not know")
    func offline() throws {
      let machine = try PackageMachine(graph: packages(["dash"]), setup: "rm -rf /var/lib/harness-repository/pool")
      machine.agent.expectConverged()
      try machine.folder.write("plan.yaml", Self.graph)
      let plan = try machine.run("\(Mgmt.binary) graph yaml plan.yaml --plan --prefix planned")
      #expect(plan.status == 2, "\(plan.out)")
      #expect(plan.out.contains("pkg[demo] with pkg[sl]: would be changed"), "\(plan.out)")
      #expect(plan.out.contains("Automatic edges of pkg may be missing"), "\(plan.out)")
    }
  }
}
