// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// `svc` and the jobs of systemd, its own and those of others.
  @Suite(.enabled(if: ServiceMachine.missing == nil, noServiceMachine)) struct ServiceJobs {
    @Test("a notification reloads a service that can reload, and restarts another")
    func refresh() throws {
      let machine = try ServiceMachine()
      try machine.units([
        "reloads.service": ServiceMachine.service("/bin/sleep infinity", "ExecReload=/bin/touch /tmp/reloaded"),
        "restarts.service": "/bin/sleep infinity",
      ])
      try machine.run("systemctl start reloads restarts; touch /tmp/settings")
      let before = try machine.run("systemctl show -P MainPID reloads restarts").out.split(separator: "\n")
      let agent = try machine.agent(
        """
        graph: g
        resources:
          file:
          - name: settings
            path: /tmp/settings
            content: new
          svc:
          - {name: reloads, state: running}
          - {name: restarts, state: running}
        edges:
        - {name: e1, from: {kind: file, name: settings}, to: {kind: svc, name: reloads}, notify: true}
        - {name: e2, from: {kind: file, name: settings}, to: {kind: svc, name: restarts}, notify: true}

        """)
      agent.expectEnds("changed", of: "svc[reloads]")
      agent.expectEnds("changed", of: "svc[restarts]")
      let after = try machine.run("systemctl show -P MainPID reloads restarts").out.split(separator: "\n")
      #expect(before.count >= 2 && after.count == before.count)
      #expect(after.first == before.first && after.last != before.last)
      #expect(try machine.run("test -e /tmp/reloaded").status == 0)
    }

    @Test("a notification does not start what does not run, and a start is notification enough")
    func refreshSwallowed() throws {
      let machine = try ServiceMachine()
      let unit = ServiceMachine.service("/bin/sleep infinity", "ExecReload=/bin/touch /tmp/%p-reloaded")
      try machine.units(["rests.service": unit, "starts.service": unit])
      let agent = try machine.agent(
        """
        graph: g
        resources:
          file:
          - {name: settings, path: /tmp/settings, content: new, state: exists}
          svc:
          - {name: rests}
          - {name: starts, state: running}
        edges:
        - {name: e1, from: {kind: file, name: settings}, to: {kind: svc, name: rests}, notify: true}
        - {name: e2, from: {kind: file, name: settings}, to: {kind: svc, name: starts}, notify: true}

        """)
      agent.expectEnds("ok", of: "svc[rests]")
      agent.expectEnds("changed", of: "svc[starts]")
      agent.expectConverged()
      #expect(agent.changes.filter { $0.hasPrefix("state") && !$0.contains("exists") } == ["state stopped -> running"])
      #expect(try machine.ask("systemctl is-active rests") == "inactive")
      #expect(try machine.run("ls /tmp/*-reloaded").status != 0)
    }

    @Test("a unit that is starting, stopping or reloading while it is looked at")
    func busy() throws {
      let machine = try ServiceMachine()
      func unit(_ more: String) -> String { ServiceMachine.service("/bin/sleep infinity", more) }
      let starting = unit("ExecStartPre=\(ServiceMachine.waits)")
      let reloading = unit("ExecReload=\(ServiceMachine.waits)")
      try machine.units([
        "starting-up.service": starting, "starting-down.service": starting,
        "stopping-up.service": unit("ExecStop=\(ServiceMachine.waits)"),
        "reloading-up.service": reloading, "reloading-down.service": reloading,
      ])
      try machine.run(
        """
        systemctl start stopping-up reloading-up reloading-down
        systemctl start --no-block starting-up starting-down
        systemctl stop --no-block stopping-up
        systemctl reload --no-block reloading-up reloading-down
        """)
      for (name, state) in [
        ("starting-up", "activating"), ("starting-down", "activating"), ("stopping-up", "deactivating"),
        ("reloading-up", "reloading"), ("reloading-down", "reloading"),
      ] { machine.expect("systemctl is-active \(name)", state) }
      let names = ["starting-up", "starting-down", "stopping-up", "reloading-up", "reloading-down"]
      let agent = try machine.agent(
        "graph: g\nresources:\n  svc:\n"
          + names.map { "  - {name: \($0), state: \($0.hasSuffix("up") ? "running" : "stopped")}\n" }.joined())
      for name in names { agent.expectStarted("svc[\(name)]") }
      // Both reload and are running all the same: the one is as asked, and the other's stop waits for the reload.
      agent.expectEnds("ok", of: "svc[reloading-up]")
      #expect(agent.ends("changed") == 0)
      try machine.proceed()
      for name in names where name != "reloading-up" { agent.expectEnds("changed", of: "svc[\(name)]") }
      for name in names { machine.expect("systemctl is-active \(name)", name.hasSuffix("up") ? "active" : "inactive") }
      #expect(agent.ends("failed") == 0, "\(agent.lastFailure)")
    }

    @Test("a job that somebody cancels is a failure, and the unit is started when it can be")
    func cancelled() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": ServiceMachine.service("/bin/sleep infinity", "Type=notify\nTimeoutStartSec=infinity")]
      )
      let agent = try machine.agent(service("demo", "state: running"))
      machine.expect("systemctl list-jobs --no-legend | grep -c 'demo.*start'", "1")
      try machine.run("systemctl cancel")
      agent.expectEnds("failed")
      for part in ["could not be started", "somebody cancelled the job", "activating", "journalctl -u demo.service -n 20"] {
        #expect(agent.lastFailure.contains(part), "\(agent.lastFailure)")
      }
      try machine.mendDemo(agent)
    }

    @Test("systemd or the bus is started anew while a unit starts")
    func restarts() throws {
      let machine = try ServiceMachine()
      let unit = ServiceMachine.service("/bin/sleep infinity", "ExecStartPre=\(ServiceMachine.waits)")
      try machine.units(["demo.service": unit])
      let agent = try machine.agent(service("demo", "state: running"))
      for (number, command) in ["systemctl daemon-reexec", "systemctl restart dbus.service"].enumerated() {
        machine.expect("systemctl is-active demo", "activating")
        try machine.run(command)
        try machine.proceed()
        agent.expectEnds("changed", times: number + 1)
        #expect(try machine.ask("systemctl is-active demo") == "active")
        if number == 0 { try machine.run("rm /tmp/proceed; systemctl stop demo") }
      }
      #expect(agent.ends("failed") == 0, "\(agent.lastFailure)")
    }

    @Test("a transient unit is stopped, and gone with that; it is stopped when it comes again")
    func transient() throws {
      let machine = try ServiceMachine()
      try machine.run("systemd-run --unit=passing /bin/sleep infinity")
      let agent = try machine.agent(service("passing", "state: stopped"))
      agent.expectEnds("changed")
      agent.expectConverged()
      #expect(try machine.ask("systemctl show -P LoadState passing") == "not-found")
      try machine.run("systemd-run --unit=passing /bin/sleep infinity")
      agent.expectEnds("changed", times: 2)
      machine.expect("systemctl show -P LoadState passing", "not-found")
      #expect(agent.ends("failed") == 0, "\(agent.lastFailure)")
    }
  }
}
