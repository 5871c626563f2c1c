// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SvcPlugin

@Suite struct WishesTests {
  private func identities(_ name: String, session: Bool = false, home: String = "/home/me") throws -> UnitIdentities {
    UnitIdentities(unit: try unit(name), isSession: session, home: home)
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

  @Test func units() throws {
    #expect(try identities("demo", session: true).files.first == "/home/me/.config/systemd/user/demo.service")
    #expect(try !identities("demo", session: true, home: "").files.contains { $0.hasPrefix("/.config") })
    #expect(try identities("demo").additions.contains("/etc/systemd/system/demo.service.d/override.conf"))
    #expect(try identities("demo").additions.contains("/etc/systemd/system/demo.service.d/"))
  }
}
