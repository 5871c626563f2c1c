// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SvcPlugin

@Suite struct UnitIdentitiesTests {
  private func identities(_ name: String, session: Bool = false, home: String = "/home/me") throws -> UnitIdentities {
    UnitIdentities(unit: try unit(name), session: session ? .init(home: home, runtime: "/run/user/1000") : nil)
  }

  @Test func keys() throws {
    #expect(try identities("demo").keys == ["system:demo.service"])
    #expect(try identities("demo", session: true).keys == ["user:demo.service"])
    #expect(try identities("getty@tty1").keys == ["system:getty@tty1.service", "system:getty@.service"])
  }

  @Test func theFileOfTheAdministratorGoesFirst() throws {
    let files = try identities("demo").files
    #expect(files.first == "/etc/systemd/system/demo.service")
    let etc = try #require(files.firstIndex(of: "/etc/systemd/system/demo.service"))
    let usr = try #require(files.firstIndex(of: "/usr/lib/systemd/system/demo.service"))
    #expect(etc < usr)
  }

  @Test func theTemplatesFileGoesLast() throws {
    let files = try identities("getty@tty1").files
    let own = try #require(files.lastIndex { $0.hasSuffix("/getty@tty1.service") })
    let template = try #require(files.firstIndex { $0.hasSuffix("/getty@.service") })
    #expect(own < template)
  }

  @Test func unitsOfAUser() throws {
    let all = try identities("demo", session: true)
    #expect(all.files.first == "/home/me/.config/systemd/user/demo.service")
    #expect(all.additions.contains("/run/user/1000/systemd/user/demo.service.d/"))
    #expect(all.additions.allSatisfy { !$0.contains("/system/") })
    #expect(try !identities("demo", session: true, home: "").files.contains { $0.hasPrefix("/.config") })
  }

  @Test func additions() throws {
    let all = try identities("demo").additions
    for directory in ["/etc", "/run", "/usr/lib", "/lib"] {
      #expect(all.contains("\(directory)/systemd/system/demo.service.d/"))
      #expect(all.contains("\(directory)/systemd/system/service.d/"))
    }
    #expect(Set(all).count == all.count)
  }

  /// As systemd itself lists them: `systemctl show -P DropInPaths`.
  @Test(arguments: [
    ("demo", ["demo.service", "service"]),
    ("a-b-c", ["a-b-c.service", "a-b-.service", "a-.service", "service"]),
    ("a--b-.timer", ["a--b-.timer", "a--.timer", "a-.timer", "timer"]),
    ("a@b-c", ["a@b-c.service", "a@.service", "service"]),
    (
      "a-b@x",
      ["a-b@x.service", "a-b@.service", "a-@x.service", "a-@.service", "a-.service", "service"]
    ),
    ("-.mount", ["-.mount", "mount"]),
  ])
  func additionsByName(name: String, names: [String]) throws {
    let etc = try identities(name).additions.filter { $0.hasPrefix("/etc/") }
    #expect(Set(etc) == Set(names.map { "/etc/systemd/system/\($0).d/" }))
  }
}
