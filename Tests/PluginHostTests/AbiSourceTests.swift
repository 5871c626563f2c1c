// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import PluginABI
import Synchronization
import Testing

@testable import PluginHost

extension Abi {
  /// Watches, descriptors, timers, children and state directories.
  @Suite struct Sources {
    let bridge: Bridge
    var script: PluginScript { bridge.script }

    init() throws { bridge = try Bridge() }

    // MARK: Watches

    @Test("ready and events reach the engine while it watches, and no longer")
    func watch() throws {
      let instance = try bridge.make()
      try instance.watch()
      #expect(bridge.owner.readyCount == 1)
      script.table.event(script.resource)
      #expect(bridge.owner.eventCount == 1)
      script.table.ready(script.resource)
      #expect(bridge.rules().last?.hasSuffix("ready was called twice for one watch") == true)
      instance.unwatch()
      script.table.event(script.resource)
      #expect(bridge.owner.readyCount == 1 && bridge.owner.eventCount == 1)
      #expect(bridge.rules().last?.hasSuffix("event was called after unwatch") == true)
      try instance.watch()
      #expect(bridge.owner.readyCount == 2)
      instance.unwatch()
      instance.destroy()
      script.table.event(script.resource)
      #expect(bridge.owner.eventCount == 1)
    }

    @Test("events from many threads, also of a resource that goes away meanwhile")
    func eventsElsewhere() throws {
      let (threads, events) = (8, 500)
      let instance = try bridge.make()
      try instance.watch()
      onThreads(threads) { [script] _ in
        for _ in 0..<events { script.table.event(script.resource) }
        script.note("done")
      }
      #expect(try bridge.turn { bridge.owner.eventCount > 100 })
      instance.unwatch()
      instance.destroy()
      let heard = bridge.owner.eventCount
      #expect(try bridge.turn { script.count("done") == threads })
      for _ in 0..<5 { try bridge.reactor.runOnce(maximumWait: 1) }
      #expect(bridge.owner.eventCount == heard)
    }

    @Test("a watch that breaks is told with its reason")
    func watchFailed() throws {
      let instance = try bridge.make()
      try instance.watch()
      "the bus is gone".withABI { text in "start it".withABI { script.table.watch_failed(script.resource, EPIPE, text, $0) } }
      let failure = try #require(bridge.owner.watchFailures.first)
      #expect(failure.title == "the bus is gone" && failure.hint == "start it" && failure.resource == "test[r0]")
      #expect(failure.notes == ["the system says: Broken pipe (errno 32)"])
    }

    // MARK: Descriptors and timers

    @Test("descriptors and timers belong to the reactor's thread")
    func wrongThread() throws {
      _ = try bridge.make()
      onThreads(1) { [script] _ in
        let fd = script.table.fd_add(script.hostPointer, 0, UInt32(MGMT_FD_READ), { _, _ in }, nil)
        let timer = script.table.timer_add(script.hostPointer, 0, 0, { _ in }, nil)
        script.note(fd == nil && timer == nil ? "refused" : "taken")
      }
      #expect(try bridge.turn { script.count("refused") == 1 && bridge.rules().count == 2 })
      #expect(bridge.rules().allSatisfy { $0.contains("was called off the reactor's thread: refused") })
    }

    @Test("a descriptor that is readable calls back until it is deleted, also from within its callback")
    func descriptor() throws {
      _ = try bridge.make()
      var ends: [Int32] = [-1, -1]
      #expect(pipe(&ends) == 0)
      defer { for end in ends { close(end) } }
      #expect(write(ends[1], "x", 1) == 1)
      let source = script.table.fd_add(
        script.hostPointer, ends[0], UInt32(MGMT_FD_READ),
        { user, _ in PluginScript.current.note("fd \(UInt(bitPattern: user))") },
        UnsafeMutableRawPointer(bitPattern: 42))
      #expect(source != nil)
      #expect(try bridge.turn { script.count("fd 42") >= 2 })
      script.table.fd_modify(source, UInt32(MGMT_FD_WRITE))
      let heard = script.count("fd 42")
      for _ in 0..<5 { try bridge.reactor.runOnce(maximumWait: 1) }
      #expect(script.count("fd 42") == heard)
      script.table.fd_modify(source, UInt32(MGMT_FD_READ))
      #expect(try bridge.turn { script.count("fd 42") > heard })
      let number = UInt(bitPattern: source)
      onThreads(1) { [script] _ in
        script.table.source_delete(number.handle)
        script.note("tried")
      }
      #expect(try bridge.turn { script.count("tried") == 1 && !bridge.rules().isEmpty })
      #expect(bridge.rules().last?.hasSuffix("source_delete was called off the reactor's thread") == true)
      script.table.source_delete(source)
      let last = script.count("fd 42")
      for _ in 0..<5 { try bridge.reactor.runOnce(maximumWait: 1) }
      #expect(script.count("fd 42") == last)
      script.table.source_delete(source)
    }

    @Test("a descriptor that cannot be watched is refused with a word")
    func badDescriptor() throws {
      _ = try bridge.make()
      #expect(script.table.fd_add(script.hostPointer, 9999, UInt32(MGMT_FD_READ), { _, _ in }, nil) == nil)
      #expect(script.table.fd_add(script.hostPointer, 0, UInt32(MGMT_FD_READ), nil, nil) == nil)
      #expect(bridge.owner.logs.first?.hasPrefix("plugin \"test\": descriptor 9999: ") == true)
    }

    @Test("timers fire once or again and again; deleted ones do not")
    func timers() throws {
      _ = try bridge.make()
      let table = script.table
      _ = table.timer_add(script.hostPointer, 0, 0, { _ in PluginScript.current.note("once") }, nil)
      let again = table.timer_add(script.hostPointer, 0, 1, { _ in PluginScript.current.note("again") }, nil)
      table.source_delete(table.timer_add(script.hostPointer, 0, 0, { _ in PluginScript.current.note("deleted") }, nil))
      #expect(try bridge.turn { script.count("again") >= 3 })
      table.source_delete(again)
      #expect(script.count("once") == 1 && script.count("deleted") == 0)
    }

    @Test("what is left behind is ended and told at the end")
    func leftBehind() throws {
      let instance = try bridge.make()
      _ = script.table.timer_add(script.hostPointer, 3_600_000, 0, { _ in }, nil)
      instance.destroy()
      bridge.runtime.close()
      #expect(script.count("close") == 1)
      #expect(bridge.rules() == ["plugin \"test\" broke a rule of the ABI: 1 sources were left behind at the end"])
    }

    // MARK: Children

    private static let output: mgmt_output_fn = { _, _, bytes, count in
      PluginScript.current.output.withLock { $0.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count)) }
    }
    private static let exit: mgmt_exit_fn = { _, exit in
      guard let exit = exit?.pointee else { return }
      PluginScript.current.note("exit \(exit.how) \(exit.code)")
    }

    @discardableResult
    private static func spawn(_ words: [String], _ script: PluginScript) -> OpaquePointer? {
      let argv = words.map { word in
        let bytes = UnsafeMutablePointer<CChar>(mutating: strdup(word))
        return mgmt_str(ptr: bytes, len: word.utf8.count)
      }
      defer { for word in argv { free(UnsafeMutableRawPointer(mutating: word.ptr)) } }
      return argv.withUnsafeBufferPointer { argv in
        var request = mgmt_spawn()
        request.size = UInt32(MemoryLayout<mgmt_spawn>.size)
        request.flags = UInt32(MGMT_SPAWN_STDOUT)
        request.argv = argv.baseAddress
        request.argc = argv.count
        return script.table.spawn(script.hostPointer, &request, output, exit, nil)
      }
    }

    @Test("a child is started from any thread; its output comes before its end, which comes once")
    func child() throws {
      _ = try bridge.make()
      onThreads(1) { [script] _ in Self.spawn(["/bin/sh", "-c", "printf hello; exit 3"], script) }
      #expect(try bridge.turn { script.count("exit 0 3") == 1 })
      #expect(script.output.withLock { String(decoding: $0, as: UTF8.self) } == "hello")
      for _ in 0..<5 { try bridge.reactor.runOnce(maximumWait: 1) }
      #expect(script.calls.withLock { $0 } == ["exit 0 3"])
    }

    @Test("a program that is not there is an end too")
    func noProgram() throws {
      _ = try bridge.make()
      // Looked for along PATH before there is a child.
      Self.spawn(["no-such-program-here"], script)
      #expect(try bridge.turn { script.count("exit 2 \(ENOENT)") == 1 })
    }

    @Test("a child that is stopped ends by its signal; one that is deleted is not heard of again")
    func stopped() throws {
      _ = try bridge.make()
      let stopped = Self.spawn(["/bin/sh", "-c", "echo up; exec sleep 600"], script)
      let deleted = Self.spawn(["/bin/sleep", "600"], script)
      script.table.source_delete(deleted)
      #expect(try bridge.turn { script.output.withLock { !$0.isEmpty } })
      script.table.source_stop(stopped)
      script.table.source_stop(stopped)
      #expect(try bridge.turn { script.count("exit 1 \(SIGTERM)") == 1 })
      for _ in 0..<5 { try bridge.reactor.runOnce(maximumWait: 1) }
      #expect(script.calls.withLock { $0 } == ["exit 1 \(SIGTERM)"])
    }

    // MARK: State

    @Test("a resource has a directory of its own, also asked for by other threads")
    func stateDirectory() throws {
      _ = try bridge.make()
      onThreadsWaiting(4) { [script] _ in
        script.note("sub".withABI { Self.directory(script, $0) } ?? "none")
      }
      let paths = script.calls.withLock { $0 }
      let path = try #require(paths.first)
      #expect(Set(paths).count == 1 && path.hasPrefix(bridge.folder.path + "/state/test-") && path.hasSuffix("/sub/"))
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o700)
      for name in ["..", ".", "a/b", "/"] { #expect(name.withABI { Self.directory(script, $0) } == nil) }
      var length = 0
      #expect(script.table.vardir(script.resource, mgmt_str(), nil, 0, &length) == mgmt_status(MGMT_FAILED))
      #expect(length + 4 == path.utf8.count)
    }

    private static func directory(_ script: PluginScript, _ name: mgmt_str) -> String? {
      var buffer = [CChar](repeating: 0, count: 4096)
      var length = 0
      guard script.table.vardir(script.resource, name, &buffer, buffer.count, &length) == mgmt_status(MGMT_OK) else {
        return nil
      }
      return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Runs something on so many threads, until all are through.
    private func onThreadsWaiting(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
      DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }
  }
}
