// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import ObservabilityShims
import Reactor
import Testing

@testable import Observability

struct ServiceNotifierTests {
  @Test func messages() {
    #expect(ServiceMessage.ready.text == "READY=1\n")
    #expect(ServiceMessage.stopping.text == "STOPPING=1\n")
    #expect(ServiceMessage.watchdog.text == "WATCHDOG=1\n")
    #expect(ServiceMessage.status("fine\nREADY=1").text == "STATUS=fine␊READY=1\n")
  }

  @Test func theEnvironmentIsUnderstood() {
    func environment(_ socket: String?, _ period: String? = nil, _ pid: String? = nil) -> ServiceEnvironment? {
      ServiceEnvironment(socket: socket, watchdogMicroseconds: period, watchdogPID: pid, pid: 42)
    }
    #expect(environment(nil) == nil && environment("") == nil && environment("/") == nil && environment("vsock:2:3") == nil)
    #expect(environment("/run/x")?.watchdogMilliseconds == nil)
    #expect(environment("@x", "30000000")?.watchdogMilliseconds == 15_000)
    #expect(environment("@x", "200000", "42")?.watchdogMilliseconds == 100)
    #expect(environment("@x", "200000", "43")?.watchdogMilliseconds == nil, "it is for another process")
    #expect(environment("@x", "200000", "")?.watchdogMilliseconds == 100)
    #expect(environment("@x", "1")?.watchdogMilliseconds == 1)
    for bad in ["0", "-1", "x", "", "99999999999999999999"] { #expect(environment("@x", bad)?.watchdogMilliseconds == nil) }
  }

  @Test(arguments: [true, false])
  func theManagerHears(_ isAbstract: Bool) throws {
    let directory = TestDirectory()
    let address = isAbstract ? "@mgmt-test-\(getpid())" : directory.path + "/notify"
    let fd = shim_unix_socket(Int32(SHIM_DATAGRAM))
    defer { close(fd) }
    try #require(shim_unix_bind(fd, address) == 0)
    let reactor = try Reactor()
    let environment = try #require(
      ServiceEnvironment(socket: address, watchdogMicroseconds: "60000000", watchdogPID: nil, pid: getpid()))
    let notifier = try #require(ServiceNotifier(environment, reactor: reactor))
    notifier.ready()
    notifier.ready()
    notifier.stopping()
    notifier.stopping()
    var heard = ""
    var buffer = [UInt8](repeating: 0, count: 256)
    while case let count = read(fd, &buffer, buffer.count), count > 0 {
      heard += String(decoding: buffer[..<count], as: UTF8.self)
    }
    #expect(heard == "WATCHDOG=1\nREADY=1\nSTOPPING=1\n")
  }

  @Test func aManagerThatIsGoneIsNoHarm() throws {
    let environment = try #require(
      ServiceEnvironment(socket: "/nonexistent/notify", watchdogMicroseconds: nil, watchdogPID: nil, pid: 1))
    let notifier = try #require(ServiceNotifier(environment, reactor: try Reactor()))
    notifier.ready()
    notifier.stopping()
  }
}

struct AgentLockTests {
  @Test func whoHoldsThePrefixHoldsItWithoutItsFiles() throws {
    let directory = TestDirectory()
    var first: AgentLock? = try AgentLock.take(in: try EngineDirectory.make(prefix: directory.path))
    let engine = directory.path + "/engine"
    for _ in 0..<2 {
      // Removed, with the lock in it.
      try #require(unlink(engine + "/agent.lock") == 0 && rmdir(engine) == 0)
      let again = try EngineDirectory.make(prefix: directory.path)
      let error = try #require(throws: MgmtError.self) { try AgentLock.take(in: again) }
      #expect(error.diagnostics.first?.title == "another mgmt (pid \(getpid())) uses the prefix \(directory.path)")
    }
    withExtendedLifetime(first) {}
    first = nil
    _ = try AgentLock.take(in: try EngineDirectory.make(prefix: directory.path))
  }

  @Test func oneAtATime() throws {
    let directory = TestDirectory()
    let engine = try EngineDirectory.make(prefix: directory.path)
    var first: AgentLock? = try AgentLock.take(in: engine)
    try withExtendedLifetime(first) {
      let error = try #require(throws: MgmtError.self) { try AgentLock.take(in: engine) }
      let diagnostic = try #require(error.diagnostics.first)
      #expect(diagnostic.title == "another mgmt (pid \(getpid())) uses the prefix \(directory.path)")
      #expect(diagnostic.hint?.contains("--tmp-prefix") ?? false)
    }
    first = nil
    _ = try AgentLock.take(in: engine)
    var status = stat()
    #expect(stat("\(directory.path)/engine/agent.lock", &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test func aLinkInItsPlaceIsNotFollowed() throws {
    let directory = TestDirectory()
    let engine = try EngineDirectory.make(prefix: directory.path)
    try #require(symlink("\(directory.path)/target", "\(directory.path)/engine/agent.lock") == 0)
    #expect(throws: MgmtError.self) { try AgentLock.take(in: engine) }
    #expect(access("\(directory.path)/target", F_OK) != 0)
  }

  @Test func aDirectoryOthersMayWriteToIsRefused() throws {
    let directory = TestDirectory()
    try #require(mkdir("\(directory.path)/engine", 0o755) == 0 && chmod("\(directory.path)/engine", 0o775) == 0)
    let error = try #require(throws: MgmtError.self) { try EngineDirectory.make(prefix: directory.path) }
    #expect(error.diagnostics.first?.hint?.contains("chmod go-w") ?? false)
    let linked = TestDirectory()
    try #require(symlink("/tmp", "\(linked.path)/engine") == 0)
    #expect(throws: MgmtError.self) { try EngineDirectory.make(prefix: linked.path) }
  }
}
