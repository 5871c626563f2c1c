// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Synchronization
import Testing

@testable import PluginTesting

/// Files on their way to their names.
extension FileTests {
  private static let name = ".mgmt-0123456789abcdef.new"
  private static let nobody: uid_t = 65534

  @Test("who writes is spared the event of it; all others at that place are told")
  func othersAreTold() throws {
    folder.make("d")
    let writer = try kind.make(folder("d/f"), ["content": .string("x")])
    let others = try [
      kind.make(folder("copy"), ["source": .string(folder("d/f"))]),
      kind.make(folder("joined"), ["fragments": .strings([folder("d/f")])]),
      kind.make(folder("all"), ["fragments": .strings([folder("d/")])]),
      kind.make(folder("tree/"), ["source": .string(folder("d/")), "recurse": .bool(true)]),
      kind.make(folder("d/"), ["state": .string("exists"), "recurse": .bool(true)]),
    ]
    try writer.watch()
    for other in others { try other.watch() }
    for content in ["a", "b"] {
      folder.write("d/f", content)
      _ = writer.events()
      for other in others { _ = other.events() }
      #expect(try writer.check().status == MGMT_CHANGED)
      #expect(writer.events() == 0)
      for other in others { #expect(other.record.events == 1, "not told, or told of the temporary file") }
      for other in others { _ = other.events() }
    }
  }

  @Test("a temporary file that somebody swaps is never taken for ours: the check fails, and is told to look again")
  func swapped() throws {
    let file = try kind.make(folder("f"), ["content": .string(String(repeating: "ours", count: 100_000))])
    try file.watch()
    let thief = Thief(folder.path)
    thief.start()
    defer { thief.stop() }
    for _ in 0..<300 {
      folder.write("f", "spoiled")
      _ = file.events()
      do {
        try file.check()
        #expect(folder.read("f")?.utf8.count == 400_000)
      } catch let failure as TestFailure {
        #expect(failure.errno == ESTALE && failure.hint.contains("checked again"), "\(failure)")
        #expect(file.record.events > 0)
      }
    }
    thief.stop()
    _ = file.events()
    try file.check()
    #expect(folder.read("f")?.utf8.count == 400_000)
  }

  @Test("half written files of agents are no fragments and not copied; a user's file of such a name is")
  func notRead() throws {
    folder.make("d")
    folder.make("s")
    for place in ["d", "s"] {
      folder.write("\(place)/a", "a")
      folder.write("\(place)/\(Self.name)", "half")
    }
    let joined = try kind.make(folder("joined"), ["fragments": .strings([folder("d/")])])
    let copy = try kind.make(folder("copy/"), ["source": .string(folder("s/")), "recurse": .bool(true)])
    try joined.check()
    try copy.check()
    #expect(folder.read("joined") == "a")
    #expect(folder.names("copy") == ["a"])
    guard getuid() == 0 else { return }
    for place in ["d", "s"] { chown(folder("\(place)/\(Self.name)"), Self.nobody, Self.nobody) }
    try joined.check()
    try copy.check()
    #expect(folder.read("joined") == "halfa")
    #expect(folder.names("copy") == [Self.name, "a"])
  }

  @Test("purged: what somebody is writing is spared; the same name otherwise hides nothing, and is noticed at once")
  func purged() throws {
    folder.make("d")
    let purge = try kind.make(folder("d/"), ["state": .string("exists"), "recurse": .bool(true), "purge": .bool(true)])
    try purge.watch()
    folder.write("d/\(Self.name)", "")
    #expect(purge.events() > 0)
    let fd = open(folder("d/\(Self.name)"), O_RDONLY | O_CLOEXEC)
    flock(fd, LOCK_SH)
    #expect(try purge.check().status == MGMT_OK)
    close(fd)
    #expect(try purge.check().changes.map(\.path) == ["/\(Self.name)#state"])
    folder.make("d/\(Self.name)")
    #expect(purge.events() > 0)
    #expect(try purge.check().status == MGMT_CHANGED)
    #expect(folder.names("d") == [])
  }

  @Test("what has a temporary name is in nobody's way", arguments: ["file", "directory", "link"])
  func inNobodysWay(_ type: String) throws {
    for name in [Self.name, ".mgmt-f.new"] {
      switch type {
      case "file": folder.write(name, "mine")
      case "directory": folder.make(name)
      default: folder.link(name, to: folder("nowhere"))
      }
    }
    try kind.make(folder("f"), ["content": .string("x")]).check()
    try kind.make(folder("l"), ["source": .string("f"), "symlink": .bool(true), "state": .string("exists")]).check()
    #expect(folder.names() == [Self.name, ".mgmt-f.new", "f", "l"])
    #expect(folder.read("f") == "x")
  }
}

/// Puts a file of its own in the place of every temporary file it sees.
private final class Thief: @unchecked Sendable {
  // The folder is constant, the rest locks itself.
  private let folder: String
  private let isOver = Atomic(false)
  private let hasEnded = Atomic(true)

  init(_ folder: String) { self.folder = folder }

  func start() {
    hasEnded.store(false, ordering: .relaxed)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Thief>.fromOpaque(argument).takeRetainedValue().steal() }
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    pthread_detach(thread)
  }

  func stop() {
    isOver.store(true, ordering: .relaxed)
    while !hasEnded.load(ordering: .acquiring) { sched_yield() }
  }

  private func steal() {
    let mine = "\(folder)/mine"
    while !isOver.load(ordering: .relaxed) {
      guard let directory = opendir(folder) else { break }
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard name.hasPrefix(".mgmt-") else { continue }
        close(open(mine, O_WRONLY | O_CREAT, 0o644))
        rename(mine, "\(folder)/\(name)")
      }
      closedir(directory)
    }
    // What it put there after the agent had gone on is its own.
    unlink(mine)
    hasEnded.store(true, ordering: .releasing)
  }
}
