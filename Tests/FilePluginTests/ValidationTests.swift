// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FilePlugin
@testable import PluginTesting

/// Validation looks at nothing but its arguments. In the same suite because it uses the same fake host.
extension FileTests {
  @Test(
    arguments: [
      ("f", [:], "path"),
      ("/f", ["path": .string("relative")], "path"),
      ("/f", ["path": .string("/a/../b")], "path"),
      ("/f", ["dirname": .string("/a")], "dirname"),
      ("/f", ["dirname": .string("a/")], "path"),
      ("/f", ["basename": .string("/b")], "basename"),
      ("/f", ["state": .string("present")], "state"),
      ("/f", ["content": .string(""), "source": .string("/s")], "source"),
      ("/f", ["content": .string(""), "fragments": .strings(["/s"])], "fragments"),
      ("/f", ["source": .string("/s"), "fragments": .strings(["/s"])], "fragments"),
      ("/f", ["symlink": .bool(true), "state": .string("exists")], "source"),
      ("/f", ["state": .string("absent"), "content": .string("")], "content"),
      ("/f", ["state": .string("absent"), "source": .string("/s")], "source"),
      ("/f", ["state": .string("absent"), "fragments": .strings(["/s"])], "fragments"),
      ("/f", ["state": .string("absent"), "selinux": .string("x")], "selinux"),
      ("/", ["state": .string("absent"), "recurse": .bool(true)], "state"),
      ("/", ["purge": .bool(true), "recurse": .bool(true)], "purge"),
      ("/f", ["source": .string("/s/")], "source"),
      ("/f", ["source": .string("s")], "source"),
      ("/f/", ["source": .string("/s")], "source"),
      ("/f/", ["source": .string("/s/")], "recurse"),
      ("/f/", ["source": .string("/f/g/"), "recurse": .bool(true)], "source"),
      ("/f", ["source": .string("/f")], "source"),
      ("/f/", ["content": .string("")], "content"),
      ("/f/", ["fragments": .strings(["/s"])], "fragments"),
      ("/f/", ["symlink": .bool(true), "source": .string("/s")], "symlink"),
      ("/f/", ["purge": .bool(true)], "purge"),
      ("/f", ["purge": .bool(true), "recurse": .bool(true)], "purge"),
      ("/f", ["purge": .bool(true), "recurse": .bool(true), "content": .string("")], "purge"),
      ("/f", ["source": .string("/s"), "recurse": .bool(true)], "recurse"),
      ("/f", ["symlink": .bool(true), "content": .string("")], "content"),
      ("/f", ["symlink": .bool(true), "fragments": .strings(["/s"])], "fragments"),
      ("/f", ["symlink": .bool(true), "source": .string("s"), "recurse": .bool(true)], "recurse"),
      ("/f", ["symlink": .bool(true), "source": .string("s"), "purge": .bool(true), "recurse": .bool(true)], "purge"),
      ("/f", ["symlink": .bool(true), "source": .string("s"), "mode": .string("0644")], "mode"),
      ("/f", ["mode": .string("0888")], "mode"),
      ("/f", ["mode": .string("u+x")], "mode"),
      ("/a/f", ["fragments": .strings(["/a/"])], "fragments"),
      ("/a/f", ["fragments": .strings(["/a/f"])], "fragments"),
      ("/a/f", ["fragments": .strings(["b"])], "fragments"),
      ("/a/f", ["fragments": .strings([""])], "fragments"),
    ] as [(String, [String: TestValue], String)])
  func refused(_ name: String, _ parameters: [String: TestValue], _ field: String) {
    let failure = KindUnderTest.validate(name, parameters)
    #expect(failure?.field == field)
    #expect(failure?.hint.isEmpty == false)
  }

  @Test(
    arguments: [
      ("/f", [:]),
      ("x", ["path": .string("/f")]),
      ("/", ["mode": .string("0755")]),
      ("/a/f", ["dirname": .string("/b/"), "basename": .string("g")]),
      ("f", ["dirname": .string("/b/")]),
      ("/f", ["state": .string("absent"), "symlink": .bool(true)]),
      ("/f", ["symlink": .bool(true), "source": .string("../s")]),
      ("/f/", ["source": .string("/s/"), "recurse": .bool(true), "purge": .bool(true)]),
      ("/f/", ["purge": .bool(true), "recurse": .bool(true)]),
      ("/f", ["content": .string(""), "selinux": .string("")]),
      ("/a/f", ["fragments": .strings(["/b/", "/a/g", "/a/f.d/"])]),
    ] as [(String, [String: TestValue])])
  func accepted(_ name: String, _ parameters: [String: TestValue]) {
    #expect(KindUnderTest.validate(name, parameters) == nil)
  }

  @Test func directoryAndLastPartAreReplaced() throws {
    let cases: [(String, [String: TestValue], String)] = [
      ("/a/f", ["dirname": .string("/b/")], "/b/f"), ("/a/f", ["basename": .string("g")], "/a/g"),
      ("/a/d/", ["dirname": .string("/b/")], "/b/d/"),
      ("f", ["dirname": .string("/b/"), "basename": .string("c/d/")], "/b/c/d/"),
      ("/a//b/.//c/", [:], "/a/b/c/"),
    ]
    for (name, parameters, path) in cases {
      #expect(try kind.make(name, parameters).uids().last?.hasPrefix("path:\(path):0") == true)
    }
  }
}

@Suite struct ModeTests {
  @Test(
    arguments: [
      ("0644", 0o777, 0o644), ("644", 0, 0o644), ("04755", 0, 0o4755), ("0", 0o777, 0), ("u=rw,g=r,o=", 0o777, 0o640),
      ("u=rwx", 0o4644, 0o744), ("=rx", 0o7777, 0o555), ("a=rw", 0, 0o666), ("ug=rw", 0o1007, 0o1667),
      ("u=rwxs,o=t", 0o044, 0o5740),
      ("g=s", 0o777, 0o2707),
    ] as [(String, UInt32, UInt32)])
  func parsed(_ text: String, _ current: UInt32, _ wanted: UInt32) throws {
    #expect(try FileMode.parse(text).applied(to: current) == wanted)
  }

  @Test(arguments: [
    "8", "0o644", "77777", "u", "u+x", "u-x", "u=q", "z=r", "u=r,u=w", "a=r,u=w", "=r,g=w", "u=r,", "ua=r", "-1", "u=r=w",
  ])
  func refused(_ text: String) {
    #expect(throws: FileMode.Problem.self) { try FileMode.parse(text) }
  }

  @Test func shown() {
    #expect(octal(0o644) == "0644")
    #expect(octal(0o100_4755) == "4755")
  }
}
