// SPDX-License-Identifier: Apache-2.0

import CSystemd
import Glibc
import PluginKit
import Testing

@testable import SvcPlugin

func unit(_ name: String) throws -> UnitName { try UnitName(name) }

@Suite struct UnitNameTests {
  @Test(arguments: [
    ("demo", "demo.service"), ("demo.service", "demo.service"), ("backup.timer", "backup.timer"),
    ("my.app", "my.app.service"), ("getty@tty1", "getty@tty1.service"), ("a@b.c", "a@b.c.service"),
    ("mnt-data.mount", "mnt-data.mount"), ("dev-disk-by\\x2dlabel-x.device", "dev-disk-by\\x2dlabel-x.device"),
    ("multi-user.target", "multi-user.target"), ("1", "1.service"), ("x.service.socket", "x.service.socket"),
  ])
  func fullNames(given: String, full: String) throws {
    #expect(try unit(given).text == full)
  }

  @Test(arguments: [
    ("", "empty"), ("/mnt/data", "path"), ("foo@", "template"), ("foo@.service", "template"), ("foo@.timer", "template"),
    ("a b", "does not allow"), ("a/b", "does not allow"), ("a*", "does not allow"), ("ä", "does not allow"),
    ("a\u{0}", "does not allow"), (".service", "is not the name"), ("@x", "is not the name"),
    (String(repeating: "x", count: 248), "256 bytes"),
  ])
  func refused(name: String, why: String) {
    #expect { try unit(name) } throws: { ($0 as? Failure)?.message.contains(why) == true }
  }

  @Test func theLongestName() throws {
    #expect(try unit(String(repeating: "x", count: 247)).text.utf8.count == 255)
  }

  @Test func instancesAndTypes() throws {
    #expect(try unit("getty@tty1").template == "getty@.service")
    #expect(try unit("backup@home.timer").template == "backup@.timer")
    #expect(try unit("demo").template == nil)
    #expect(try unit("demo").type == "service")
    #expect(try unit("x.service.socket").type == "socket")
  }

  /// Against the library that systemd itself uses.
  @Test(arguments: [
    "demo.service", "getty@tty1.service", "1.service", "a-b_c.d.service", "dev-disk-by\\x2dlabel.device", "_.service",
    "9a.timer",
    "",
  ])
  func objectPaths(name: String) throws {
    var encoded: UnsafeMutablePointer<CChar>?
    #expect(sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &encoded) >= 0)
    let expected = try #require(encoded)
    defer { free(expected) }
    #expect(UnitName.objectPath(of: name) == String(cString: expected))
  }

  @Test func nearNames() throws {
    let files = ["ssh.service", "sshd.service", "nginx.service", "demo.timer", "cron.service"]
    #expect(try unit("ngnix").near(files) == ["nginx.service"])
    #expect(try unit("demo").near(files) == ["demo.timer"])
    #expect(try unit("ssh.socket").near(files) == ["ssh.service", "sshd.service"])
    #expect(try unit("postgresql").near(files) == [])
    #expect(try unit("cron").near(files) == [])
    for (name, near) in [
      ("cron.sevice", "cron.service"), ("demo.tiemr", "demo.timer"), ("cron.tiemr", nil), ("postgres.cron", nil),
    ] {
      #expect(try unit(name).near(files) == [near].compactMap(\.self))
    }
  }
}
