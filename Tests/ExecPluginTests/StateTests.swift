// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit
import Synchronization
import Testing

@testable import ExecPlugin

/// A directory of its own for each test, removed at the end.
private final class Scratch {
  let path: String

  init() throws {
    var template = Array("/tmp/exec-plugin-XXXXXX".utf8CString)
    let made = mkdtemp(&template)
    let name = try #require(made.map { String(cString: $0) })
    path = name + "/"
  }

  func names() -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  deinit {
    for name in names() { unlink(path + name) }
    rmdir(path)
  }
}

@Suite struct StateTests {
  @Test func writesAreWholePrivateAndLeaveNothingBehind() throws {
    let scratch = try Scratch()
    let store = StateStore(directory: scratch.path, command: "one")
    #expect(store.read("output") == nil)
    try store.write("output", Array("one".utf8))
    try store.write("output", Array("two".utf8))
    #expect(store.read("output") == Array("two".utf8))
    #expect(scratch.names() == ["output"])
    var info = stat()
    #expect(stat(scratch.path + "output", &info) == 0)
    #expect(info.st_mode & 0o777 == 0o600)
    try store.write("output", nil)
    try store.write("output", nil)
    #expect(scratch.names() == [])
  }

  @Test func linksAreNotFollowed() throws {
    let scratch = try Scratch()
    let store = StateStore(directory: scratch.path, command: "one")
    #expect(symlink("/etc/passwd", scratch.path + "output") == 0)
    #expect(store.read("output") == nil)
    try store.write("output", [])
    #expect(store.read("output") == [])
    #expect(mkfifo(scratch.path + "stdout", 0o600) == 0)
    #expect(store.read("stdout") == nil)
  }

  @Test func aMissingDirectoryIsAFailure() {
    #expect(throws: Failure.self) { try StateStore(directory: "/nonexistent/x/", command: "one").write("output", []) }
  }

  @Test func whatOthersMayWriteIsNotBelieved() throws {
    let scratch = try Scratch()
    let store = StateStore(directory: scratch.path, command: "one")
    try store.write("output", Array("x".utf8))
    #expect(chmod(scratch.path + "output", 0o666) == 0)
    #expect(store.read("output") == nil)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func whatBelongsToOthersIsNotBelieved() throws {
    let scratch = try Scratch()
    let store = StateStore(directory: scratch.path, command: "one")
    try store.write("output", Array("x".utf8))
    #expect(chown(scratch.path + "output", 65534, 65534) == 0)
    #expect(store.read("output") == nil)
  }

  @Test func outputIsRememberedByCommand() throws {
    let scratch = try Scratch()
    let (one, other) = (
      StateStore(directory: scratch.path, command: "one"), StateStore(directory: scratch.path, command: "other")
    )
    #expect(one.readCaptured() == CapturedText())
    let first = CapturedText(output: "a\nb", stdout: "a\n", stderr: "b")
    try one.writeCaptured(first)
    #expect(one.readCaptured() == first)
    #expect(other.readCaptured() == nil, "another command's output")
    let second = CapturedText(output: "", stdout: "")
    try other.writeCaptured(second)
    #expect(other.readCaptured() == second)
    #expect(one.readCaptured() == nil)
    try other.writeCaptured(CapturedText())
    #expect(scratch.names() == [])
  }

  @Test func timesAreRememberedByCommand() throws {
    let scratch = try Scratch()
    let times = ModificationTimes(["/a": .init(seconds: 5, nanoseconds: 7)])
    try StateStore(directory: scratch.path, command: "one").writeTimes(times)
    #expect(StateStore(directory: scratch.path, command: "one").readTimes() == times)
    #expect(StateStore(directory: scratch.path, command: "other").readTimes() == ModificationTimes())
  }

  @Test func fallbacksFillWhatIsMissing() {
    let sent = CapturedText(stdout: "kept").orElse(CapturedText(output: "x", stdout: "y"))
    #expect(sent.fields == [.string("x"), .string("kept"), .unset])
  }

  @Test func timesSurviveARecord() {
    let times = ModificationTimes([
      "/a b\n": .init(seconds: 5, nanoseconds: 7), "/c": .init(seconds: -1, nanoseconds: 0),
    ])
    #expect(ModificationTimes(record: times.record) == times)
    #expect(ModificationTimes(record: Array("x y /z\0\u{0}1 2\0".utf8)) == ModificationTimes())
  }

  @Test func newerOrUnknownFilesCount() {
    let old = ModificationTimes(["/a": .init(seconds: 5, nanoseconds: 7)])
    #expect(!old.isNewer(than: old))
    #expect(ModificationTimes(["/a": .init(seconds: 5, nanoseconds: 8)]).isNewer(than: old))
    #expect(!ModificationTimes(["/a": .init(seconds: 4, nanoseconds: 9)]).isNewer(than: old))
    #expect(ModificationTimes(["/b": .init(seconds: 1, nanoseconds: 0)]).isNewer(than: old))
  }

  @Test func aMissingFileOfMtimesIsAFailure() {
    #expect(throws: Failure.self) { try ModificationTimes(of: ["/nonexistent/file"]) }
  }

  @Test func theQueueRunsJobsInOrderAndFinishesThem() {
    let queue = BackgroundQueue()
    let seen = Mutex<[Int]>([])
    for number in 0..<100 { queue.run { seen.withLock { $0.append(number) } } }
    queue.finish()
    #expect(seen.withLock { $0 } == Array(0..<100))
    queue.run { seen.withLock { $0.append(100) } }
    #expect(seen.withLock { $0.count } == 101)
  }
}
