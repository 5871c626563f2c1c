// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

let noServiceMachine = Comment(rawValue: ServiceMachine.missing ?? "")

extension EndToEnd {
  /// `svc` with a real systemd.
  @Suite(.enabled(if: ServiceMachine.missing == nil, noServiceMachine)) struct Services {
    @Test("a service is enabled and started, then kept so against everybody")
    func runningAndEnabled() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      let agent = try machine.agent(service("demo", "state: running", "startup: enabled"))
      agent.expectEnds("changed")
      #expect(agent.changes == ["startup disabled -> enabled", "state stopped -> running"])
      #expect(try machine.ask("systemctl is-active demo; true") == "active")
      #expect(try machine.ask("systemctl is-enabled demo") == "enabled")
      agent.expectConverged()

      try machine.run("systemctl stop demo")
      agent.expectEnds("changed", times: 2)
      machine.expect("systemctl is-active demo", "active")
      try machine.run("systemctl kill -s KILL demo")
      agent.expectEnds("changed", times: 3)
      machine.expect("systemctl is-active demo", "active")
      try machine.run("systemctl disable demo")
      agent.expectEnds("changed", times: 4)
      machine.expect("systemctl is-enabled demo", "enabled")
      #expect(agent.ends("failed") == 0)
      #expect(try machine.stop(agent).status == 0)
    }

    @Test("a service is disabled and stopped, then kept so")
    func stoppedAndDisabled() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      try machine.run("systemctl enable --now demo")
      let agent = try machine.agent(service("demo", "state: stopped", "startup: disabled"))
      agent.expectEnds("changed")
      #expect(agent.changes == ["startup enabled -> disabled", "state running -> stopped"])
      machine.expect("systemctl is-active demo", "inactive")
      agent.expectConverged()
      // It is not loaded any more: nothing but its being loaded tells.
      try machine.run("systemctl start demo")
      agent.expectEnds("changed", times: 2)
      machine.expect("systemctl is-active demo", "inactive")
    }

    @Test("looking changes nothing")
    func noop() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      let agent = try machine.agent(service("demo", "state: running", "startup: enabled"), options: ["--noop"])
      agent.expectEnds("differs")
      #expect(agent.changes == ["startup disabled -> enabled", "state stopped -> running"])
      #expect(try machine.ask("systemctl is-active demo") == "inactive")
      #expect(try machine.ask("systemctl is-enabled demo") == "disabled")
    }

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

    @Test("a unit comes after the file that defines it")
    func unitFile() throws {
      let machine = try ServiceMachine()
      let agent = try machine.agent(
        """
        graph: g
        resources:
          svc:
          - {name: demo@one, state: running}
          file:
          - name: unit
            path: /etc/systemd/system/demo@.service
            state: exists
            content: "[Service]\\nExecStart=/bin/sleep infinity\\n"
          - name: addition
            path: /etc/systemd/system/demo@.service.d/
            state: exists

        """)
      agent.expectEnds("changed", of: "svc[demo@one]")
      #expect(Set(agent.automaticEdges) == ["file[unit] -> svc[demo@one]", "file[addition] -> svc[demo@one]"])
      agent.expectOrder("file[unit]", "svc[demo@one]")
      #expect(agent.ends("failed") == 0)
      #expect(try machine.ask("systemctl is-active demo@one") == "active")
    }

    @Test("units of other types have their full names")
    func otherTypes() throws {
      let machine = try ServiceMachine()
      try machine.units([
        "demo.service": "/bin/sleep infinity",
        "demo.timer": "[Timer]\nOnCalendar=2099-01-01\n[Install]\nWantedBy=timers.target\n",
        "tmp-demo.mount": "[Mount]\nWhat=none\nWhere=/tmp/demo\nType=tmpfs\n",
      ])
      let agent = try machine.agent(
        """
        graph: g
        resources:
          svc:
          - {name: demo.timer, state: running, startup: enabled}
          - {name: tmp-demo.mount, state: stopped}

        """)
      agent.expectEnds("changed", of: "svc[demo.timer]")
      agent.expectEnds("ok", of: "svc[tmp-demo.mount]")
      #expect(try machine.ask("systemctl is-active demo.timer") == "active")
      #expect(try machine.ask("systemctl is-active demo.service") == "inactive")
      // Not by systemd: the kernel's list of mounts tells.
      try machine.run("mkdir -p /tmp/demo; mount -t tmpfs none /tmp/demo")
      agent.expectEnds("changed", of: "svc[tmp-demo.mount]")
      #expect(agent.ends("failed") == 0)
    }

    @Test("a unit is known by another name of it")
    func alias() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": ServiceMachine.service("/bin/sleep infinity") + "Alias=other.service\n"])
      try machine.run("systemctl enable --now demo")
      let agent = try machine.agent(service("other", "state: running", "startup: enabled"))
      agent.expectEnds("ok")
      try machine.run("systemctl stop demo")
      agent.expectEnds("changed")
      machine.expect("systemctl is-active demo", "active")
    }

    @Test("a unit of the user's own systemd")
    func session() throws {
      let machine = try ServiceMachine()
      try machine.run(
        """
        mkdir -p /run/user/0 /etc/systemd/user
        printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/user/mine.service
        systemd-run --unit=bus --setenv=XDG_RUNTIME_DIR=/run/user/0 dbus-daemon --session --nofork --address=unix:path=/run/user/0/bus
        until [ -S /run/user/0/bus ]; do sleep 0.05; done
        systemd-run --unit=manager -p Delegate=yes --setenv=XDG_RUNTIME_DIR=/run/user/0 \\
          --setenv=DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus /lib/systemd/systemd --user
        """)
      let agent = try machine.agent(
        service("mine", "state: running", "session: true"),
        enter: ["XDG_RUNTIME_DIR=/run/user/0", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus"])
      agent.expectEnds("changed")
      let check = "XDG_RUNTIME_DIR=/run/user/0 systemctl --user is-active mine"
      #expect(try machine.ask(check) == "active")
      try machine.run("XDG_RUNTIME_DIR=/run/user/0 systemctl --user stop mine")
      agent.expectEnds("changed", times: 2)
      machine.expect(check, "active")
    }

    @Test("the example runs")
    func example() throws {
      let machine = try ServiceMachine()
      let graph = try String(contentsOfFile: Mgmt.repository + "/examples/yaml/svc1.yaml", encoding: .utf8)
      let agent = try machine.agent(graph)
      agent.expectEnds("changed", of: "svc[mgmt-demo]")
      agent.expectConverged()
      #expect(agent.automaticEdges == ["file[unit] -> svc[mgmt-demo]"])
      #expect(try machine.ask("systemctl is-active mgmt-demo") == "active")
    }

    @Test("looking at units that are not loaded causes no further looks")
    func noEcho() throws {
      let machine = try ServiceMachine()
      let names = (0..<100).map { "idle\($0)" }
      try machine.units(["idle@.service": "/bin/sleep infinity"])
      let agent = try machine.agent(
        "graph: g\nresources:\n  svc:\n" + names.map { "  - {name: idle@\($0), state: stopped}\n" }.joined())
      agent.expectEnds("ok", times: names.count)
      agent.expectConverged()
      // One that is started and stopped: after it nothing else was looked at.
      try machine.run("systemctl start idle@idle7")
      agent.expectEnds("changed")
      machine.expect("systemctl is-active idle@idle7", "inactive")
      #expect(agent.ends("ok") < names.count + 10)
    }
  }
}
