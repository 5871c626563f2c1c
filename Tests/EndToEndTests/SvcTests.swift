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

    @Test("looking changes nothing", arguments: ["plan", "noop"])
    func noop(_ how: String) throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity", "other.service": "/bin/sleep infinity"])
      try machine.run("systemctl enable --now other")
      // A reload would be seen, too.
      try machine.run(
        "echo '# changed' >>/etc/systemd/system/demo.service; echo '# changed' >>/etc/systemd/system/other.service")
      let listing =
        "find /etc/systemd /run/systemd/system -printf '%p %T@ %C@ %l\\n' | sort; systemctl show -P NeedDaemonReload demo other"
      let before = try machine.run(listing)
      try machine.folder.write(
        "graph.yaml",
        """
        graph: g
        resources:
          svc:
          - {name: demo, state: running, startup: enabled}
          - {name: other, state: stopped, startup: disabled}

        """)
      let graph = machine.folder["graph.yaml"]
      let prefix = ["--prefix", machine.folder["state"]]
      let finished = try Mgmt.command(
        machine.enter + [Mgmt.binary]
          + (how == "plan"
            ? ["graph", "yaml", graph, "--plan"] + prefix
            : ["run", "--noop", "--converged-timeout=0"] + prefix + ["yaml", graph]))
      let text = finished.out + finished.err
      #expect(finished.status == 2, "\(text)")
      for part in ["svc[demo]", "disabled", "enabled", "stopped", "running", "svc[other]"] {
        #expect(text.contains(part), "\(text)")
      }
      let lines = text.split(separator: "\n").map(String.init)
      for change in [["startup", "disabled", "enabled"], ["state", "stopped", "running"]] {
        for words in [change, [change[0], change[2], change[1]]] {
          #expect(lines.contains { isChange($0, words) }, "\(words): \(text)")
        }
      }
      #expect(try machine.run(listing).out == before.out)
      #expect(try machine.ask("systemctl is-active demo") == "inactive")
      #expect(try machine.ask("systemctl is-active other") == "active")
    }

    /// A line that names a field, then what it was, then what it will be.
    private func isChange(_ line: String, _ words: [String]) -> Bool {
      var rest = line[...]
      for word in words {
        guard let range = rest.firstRange(of: word) else { return false }
        rest = rest[range.upperBound...]
      }
      return true
    }

    @Test("units of other types have their full names")
    func otherTypes() throws {
      let machine = try ServiceMachine()
      try machine.units([
        "demo.service": "/bin/sleep infinity",
        "demo.timer": "[Timer]\nOnCalendar=2099-01-01\n[Install]\nWantedBy=timers.target\n",
        "tmp-demo.mount": "[Mount]\nWhat=none\nWhere=/tmp/demo\nType=tmpfs\n",
        "demo.socket": "[Socket]\nListenStream=/run/demo.sock\n",
        "demo.path": "[Path]\nPathExists=/tmp/nothing\n",
      ])
      let agent = try machine.agent(
        """
        graph: g
        resources:
          svc:
          - {name: demo.timer, state: running, startup: enabled}
          - {name: tmp-demo.mount, state: stopped}
          - {name: demo.socket, state: running}
          - {name: demo.path, state: running}

        """)
      agent.expectEnds("changed", of: "svc[demo.timer]")
      agent.expectEnds("ok", of: "svc[tmp-demo.mount]")
      agent.expectEnds("changed", of: "svc[demo.socket]")
      agent.expectEnds("changed", of: "svc[demo.path]")
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
        mkdir -p -m 700 /run/user/0
        mkdir -p /etc/systemd/user
        printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/user/mine.service
        """)
      let agent = try machine.agent(
        service("mine", "state: running", "session: true"),
        enter: ["/usr/bin/env", "-u", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR=/run/user/0"])
      agent.expectEnds("failed")
      #expect(agent.lastFailure.contains("cannot be reached by the session bus"), "\(agent.lastFailure)")
      // It makes its bus itself: its own dbus.socket.
      try machine.run(
        "systemd-run --unit=manager -p Delegate=yes --setenv=XDG_RUNTIME_DIR=/run/user/0 /lib/systemd/systemd --user")
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
      #expect(try machine.ask("systemctl is-active mgmt-demo") == "active")
      _ = try machine.stop(agent)
      // Another unit file is used at once by the service that runs.
      let other = try machine.agent(graph.replacingOccurrences(of: "sleep infinity", with: "sleep 100000"))
      other.expectEnds("changed", of: "svc[mgmt-demo]")
      #expect(try machine.ask("systemctl show -P NeedDaemonReload mgmt-demo") == "no")
      #expect(try machine.ask("tr '\\0' ' ' </proc/$(systemctl show -P MainPID mgmt-demo)/cmdline") == "/bin/sleep 100000 ")
    }

    @Test("many wrong names cost systemd no more than a few")
    func wrongNames() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      let calls = machine.folder["calls"]
      try machine.run(
        """
        systemd-run --quiet --unit=listener -p StandardOutput=file:\(calls) \\
          busctl --system monitor --match "type='method_call',destination='org.freedesktop.systemd1'"
        """)
      #expect(poll(bound: 30) { machine.folder.read("calls")?.isEmpty == false })
      let names = (10..<40).map { "demo\($0)" }
      let agent = try machine.agent(
        "graph: g\nresources:\n  svc:\n" + names.map { "  - {name: \($0), state: running}\n" }.joined())
      agent.expectEnds("failed", times: names.count)
      #expect(agent.lastFailure.contains("did you mean demo.service?"), "\(agent.lastFailure)")
      try machine.run("busctl call org.freedesktop.systemd1 / org.freedesktop.systemd1.Manager TheMark")
      #expect(poll(bound: 30) { machine.folder.read("calls")?.contains("TheMark") == true })
      let asked = (machine.folder.read("calls") ?? "").split(separator: "\n").filter { $0.hasSuffix("Member=ListUnitFiles") }
        .count
      #expect((1...2).contains(asked), "\(asked)")
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
      // One that is started and stopped, and then another: until the second is, what the first caused is heard.
      for (number, name) in ["idle7", "idle8"].enumerated() {
        try machine.run("systemctl start idle@\(name)")
        agent.expectEnds("changed", times: number + 1)
        machine.expect("systemctl is-active idle@\(name)", "inactive")
      }
      #expect(agent.ends("ok") < names.count + 10)
    }
  }
}
