// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What `svc` comes after, with a real systemd.
  @Suite(.enabled(if: ServiceMachine.missing == nil, noServiceMachine)) struct ServiceEdges {
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

    @Test("a unit comes after all files that add to it, wherever systemd looks for them")
    func additions() throws {
      let machine = try ServiceMachine()
      try machine.units(["demo-one@.service": "/bin/sleep infinity"])
      let folders = [
        "/etc/systemd/system/demo-one@x.service.d", "/run/systemd/system/demo-one@.service.d",
        "/usr/lib/systemd/system/demo-.service.d", "/lib/systemd/system/service.d",
      ]
      try machine.run("mkdir -p \(folders.joined(separator: " ")) /etc/systemd/system/others.service.d")
      let files = (folders + ["/etc/systemd/system/others.service.d"]).enumerated().map { number, folder in
        "  - {name: \"\(number)\", path: \(folder)/10-\(number).conf, state: exists, content: \"[Service]\\nEnvironment=E\(number)=1\\n\"}"
      }
      let agent = try machine.agent(
        (["graph: g", "resources:", "  file:"] + files + ["  svc:"]
          + ["x", "y"].map { "  - {name: demo-one@\($0), state: running}" })
          .joined(separator: "\n") + "\n")
      for name in ["x", "y"] { agent.expectEnds("changed", of: "svc[demo-one@\(name)]") }
      let all = (0...3).map { "file[\($0)] -> svc[demo-one@x]" } + (1...3).map { "file[\($0)] -> svc[demo-one@y]" }
      #expect(Set(agent.automaticEdges) == Set(all))
      for number in 0...3 { agent.expectOrder("file[\(number)]", "svc[demo-one@x]") }
      let environment = try machine.ask("systemctl show -P Environment demo-one@x")
      #expect(environment.split(separator: " ").sorted() == ["E0=1", "E1=1", "E2=1", "E3=1"], "\(environment)")
    }
  }
}
