// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// `svc` when something is wrong: a clear reason, and recovery when it is right again.
  @Suite(.enabled(if: ServiceMachine.missing == nil, noServiceMachine)) struct ServiceFaults {
    @Test("a unit that fails to start is tried once, and again when it changed")
    func failsToStart() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": ServiceMachine.service("/bin/sh -c 'exit 3'", "Type=oneshot")])
      let agent = try machine.agent(service("demo", "state: running"))
      agent.expectEnds("failed")
      for part in ["demo.service could not be started", "status 3", "Result exit-code", "journalctl -u demo.service -n 20"] {
        #expect(agent.lastFailure.contains(part), "\(agent.lastFailure)")
      }
      #expect(try machine.ask("systemctl show -P NRestarts demo") == "0")
      try machine.units(["demo.service": "/bin/sleep infinity"])
      agent.expectEnds("changed")
      #expect(agent.ends("failed") == 1, "it was tried again and again")
    }

    @Test("a program that cannot be run, and one that ends at once")
    func ends() throws {
      let machine = try ServiceMachine()
      try machine.units([
        "missing.service": ServiceMachine.service("/no/such/program", "Type=exec"),
        "short.service": ServiceMachine.service("/bin/true", "Type=oneshot"),
      ])
      let missing = try machine.agent(service("missing", "state: running"))
      missing.expectEnds("failed")
      #expect(missing.lastFailure.contains("203/EXEC"), "\(missing.lastFailure)")
      _ = try machine.stop(missing)
      let short = try machine.agent(service("short", "state: running"))
      short.expectEnds("failed")
      #expect(short.lastFailure.contains("RemainAfterExit=yes"), "\(short.lastFailure)")
      short.expect("stalled") { $0.name == "stalled" }
      #expect(short.ends("failed") == 1)
    }

    @Test("a unit that never finishes starting is given up after the resource's time-out, and its job with it")
    func neverStarts() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": ServiceMachine.service("/bin/sleep infinity", "Type=notify\nTimeoutStartSec=infinity")]
      )
      let agent = try machine.agent(service("demo", "state: running", "meta: {timeout: 500}"))
      agent.expectEnds("failed")
      #expect(agent.lastFailure.contains("timeout after"), "\(agent.lastFailure)")
      machine.expect("systemctl list-jobs --no-legend | grep -c demo", "0")
      try machine.mendDemo(agent)
    }

    @Test("masked, unknown, static, generated and badly written units, until they are mended")
    func unusable() throws {
      let machine = try ServiceMachine()
      try machine.units([
        "demo.service": "/bin/sleep infinity", "static.service": "[Service]\nExecStart=/bin/sleep infinity\n",
        "bad.service": "[Service]\nType=simple\n",
      ])
      let good = ServiceMachine.service("/bin/sleep infinity")
      try machine.folder.write("good", good)
      let copy = "cp \(machine.folder["good"]) /etc/systemd/system/"
      try machine.run(
        """
        printf '#!/bin/sh\\nprintf "[Service]\\\\nExecStart=/bin/true\\\\n" >"$1/made.service"\\n' >/etc/systemd/system-generators/make
        chmod 755 /etc/systemd/system-generators/make
        cp \(machine.folder["good"]) /usr/lib/systemd/system/hidden.service
        systemctl mask hidden.service
        systemctl daemon-reload
        """)
      for (name, parameter, parts, mend) in [
        ("hidden", "state: running", ["masked", "systemctl unmask hidden.service"], "systemctl unmask hidden.service"),
        (
          "demp", "state: running", ["there is no unit demp.service", "did you mean demo.service?"],
          "\(copy)demp.service"
        ),
        ("static", "startup: enabled", ["no [Install] section"], "\(copy)static.service; systemctl daemon-reload"),
        (
          "made", "startup: enabled", ["its file is generated"],
          "rm /etc/systemd/system-generators/make; \(copy)made.service; systemctl daemon-reload"
        ),
        (
          "bad", "state: running",
          [
            "cannot use the file of bad.service", "has a bad unit file setting", "systemd-analyze verify bad.service",
            "journalctl -u bad.service",
          ],
          "\(copy)bad.service"
        ),
      ] {
        let agent = try machine.agent(service(name, parameter))
        agent.expectEnds("failed")
        for part in parts { #expect(agent.lastFailure.contains(part), "\(agent.lastFailure)") }
        try machine.run(mend)
        agent.expectEnds("changed")
        _ = try machine.stop(agent)
      }
    }

    @Test("a unit that appears is started, without a word to systemd")
    func appears() throws {
      let machine = try ServiceMachine()
      let agent = try machine.agent(service("late", "state: running"))
      agent.expectEnds("failed")
      try machine.units(["late.service": "/bin/sleep infinity"], reload: false)
      agent.expectEnds("changed")
      #expect(try machine.ask("systemctl is-active late") == "active")
    }

    @Test("a unit file that changed without a daemon-reload is read before the unit is started")
    func needsReload() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      try machine.run("systemctl start demo")
      let agent = try machine.agent(service("demo", "state: running"))
      agent.expectEnds("ok")
      try machine.units(["demo.service": "/bin/sleep 100000"], reload: false)
      agent.expect("a warning") { $0.name == "log" && ($0.members["text"] as? String)?.contains("changed on disk") == true }
      try machine.run("systemctl stop demo")
      agent.expectEnds("changed")
      #expect(try machine.run("systemctl show -P ExecStart demo").out.contains("sleep 100000"))
    }

    @Test("systemd is started anew, and the bus")
    func restarts() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      let agent = try machine.agent(service("demo", "state: running"))
      agent.expectEnds("changed")
      try machine.run("systemctl daemon-reexec")
      try machine.run("systemctl stop demo")
      agent.expectEnds("changed", times: 2)
      machine.expect("systemctl is-active demo", "active")

      try machine.run("systemctl restart dbus.service")
      try machine.run("systemctl stop demo")
      agent.expectEnds("changed", times: 3)
      machine.expect("systemctl is-active demo", "active")
      #expect(agent.ends("failed") == 0, "\(agent.lastFailure)")
    }

    @Test("signals that are not systemd's are not believed")
    func forged() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      let agent = try machine.agent(service("demo", "state: running"))
      agent.expectEnds("changed")
      agent.expectConverged()
      let pid = agent.events.first { $0.name == "start" }?.members["pid"] as? Int ?? 0
      let sent = try machine.run(
        """
        address=$(busctl list --no-legend --no-pager | awk '$2 == \(pid) { print $1 }')
        [ -n "$address" ] || exit 9
        setpriv --reuid=65534 --regid=65534 --clear-groups dbus-send --system --type=signal --dest="$address" \\
          /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager.Reloading boolean:false
        """)
      #expect(sent.status == 0, "\(sent.err)")
      // What comes after it on the same connection was heard.
      try machine.run("systemctl stop demo")
      agent.expectEnds("changed", times: 2)
      #expect(agent.ends("ok") == 0)
    }

    @Test("nobody is believed while there is no systemd")
    func forgedWithoutSystemd() throws {
      let machine = try ServiceMachine()
      let bus = "/run/user/0/bus"
      try machine.run(
        """
        mkdir -p -m 700 /run/user/0
        systemd-run --unit=lonely dbus-daemon --session --nofork --nopidfile --address=unix:path=\(bus)
        """)
      machine.expect("test -S \(bus) && echo yes", "yes")
      let agent = try machine.agent(
        service("mine", "state: running", "session: true"),
        enter: ["/usr/bin/env", "-u", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR=/run/user/0"])
      agent.expectEnds("failed")
      let pid = agent.events.first { $0.name == "start" }?.members["pid"] as? Int ?? 0
      let sent = try machine.run(
        """
        address=$(busctl --address=unix:path=\(bus) list --no-legend --no-pager | awk '$2 == \(pid) { print $1 }')
        [ -n "$address" ] || exit 9
        dbus-send --bus=unix:path=\(bus) --type=signal --dest="$address" \\
          /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager.Reloading boolean:false
        # It is with the agent when the bus has answered the next.
        dbus-send --bus=unix:path=\(bus) --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetId
        """)
      #expect(sent.status == 0, "\(sent.err)")
      // The end of the connection comes after it. Killed, the bus does not remove its socket, which is watched.
      try machine.run("systemctl kill -s KILL lonely")
      agent.expect("the connection's end") {
        $0.name == "log" && ($0.members["text"] as? String)?.contains("the connection to the bus ended") == true
      }
      #expect(agent.events.filter { $0.name == "check-started" }.count == 1)
    }

    @Test("without a bus the resource says so, and recovers when there is one")
    func noBus() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      try machine.run("systemctl stop dbus.socket dbus.service; rm -f /run/dbus/system_bus_socket")
      let agent = try machine.agent(service("demo", "state: running"))
      agent.expectEnds("failed")
      #expect(agent.lastFailure.contains("cannot be reached by the system bus"), "\(agent.lastFailure)")
      try machine.run("systemctl start dbus.socket")
      agent.expectEnds("changed")
    }

    @Test("a bus that goes away is a failure of units that were right, until it is back")
    func busGoes() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity", "other.service": "/bin/sleep infinity"])
      try machine.run("systemctl start demo")
      let agent = try machine.agent(
        "graph: g\nresources:\n  svc:\n  - {name: demo, state: running}\n  - {name: other, startup: disabled}\n")
      for name in ["demo", "other"] { agent.expectEnds("ok", of: "svc[\(name)]") }
      try machine.run("systemctl stop dbus.socket dbus.service")
      for name in ["demo", "other"] { agent.expectEnds("failed", of: "svc[\(name)]") }
      #expect(agent.lastFailure.contains("cannot be reached by the system bus"), "\(agent.lastFailure)")
      let checked = ["demo", "other"].map { agent.ends("ok", of: "svc[\($0)]") }
      try machine.run("systemctl start dbus.socket")
      for (name, times) in zip(["demo", "other"], checked) { agent.expectEnds("ok", of: "svc[\(name)]", times: times + 1) }
      let texts = agent.events.filter { $0.name == "log" }.compactMap { $0.members["text"] as? String }
      #expect(texts.filter { $0.contains("systemd is reached again") }.count == 1, "\(texts)")
    }

    @Test("without a session bus the resource says so")
    func noSession() throws {
      let machine = try ServiceMachine()
      let agent = try machine.agent(
        service("demo", "state: running", "session: true"),
        enter: ["/usr/bin/env", "-u", "XDG_RUNTIME_DIR", "-u", "DBUS_SESSION_BUS_ADDRESS"])
      agent.expectEnds("failed")
      #expect(agent.lastFailure.contains("there is no session bus"), "\(agent.lastFailure)")
    }

    @Test("without permission the resource says so, and looking is allowed")
    func noPermission() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo.service": "/bin/sleep infinity"])
      chmod(machine.folder.path, 0o777)
      let agent = try machine.agent(
        service("demo", "state: running"), enter: ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
      agent.expectEnds("failed")
      for part in ["demo.service cannot be started", "no permission", "run the agent as root"] {
        #expect(agent.lastFailure.contains(part), "\(agent.lastFailure)")
      }
      try machine.run("systemctl start demo")
      agent.expectEnds("ok")
    }
  }
}
