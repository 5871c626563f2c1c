// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Reactor

@Suite struct TimerQueueTests {
  @Test("Timers come by deadline, then in the order they were added; cancelled ones never")
  func order() {
    let queue = TimerQueue()
    var fired: [Int] = []
    var timers: [ReactorTimer] = []
    for (number, deadline) in [30, 10, 20, 10, 40, 5].enumerated() {
      timers.append(queue.add(deadline: UInt64(deadline)) { fired.append(number) })
    }
    timers[2].cancel()
    while let timer = queue.pop(now: 30) { timer.body?() }
    #expect(fired == [5, 1, 3, 0])
    #expect(queue.earliest == 40)
  }
}

@Suite struct ReactorTests {
  private static let bound: UInt64 = 20_000

  /// Runs the loop until `done`, with a bound.
  private func run(_ reactor: Reactor, until done: () -> Bool) throws {
    var expired = false
    let timer = reactor.addTimer(afterMilliseconds: Self.bound) { expired = true }
    defer { timer.cancel() }
    while !done(), !expired { try reactor.runOnce() }
    #expect(!expired, "the bound of \(Self.bound) ms passed")
  }

  @Test("Messages from other threads arrive in order")
  func mailbox() throws {
    let reactor = try Reactor()
    var received: [Int] = []
    let mailbox = reactor.makeMailbox { (number: Int) in received.append(number) }
    final class Sender: Job {
      let mailbox: Mailbox<Int>
      init(_ mailbox: Mailbox<Int>) { self.mailbox = mailbox }
      func run() { for number in 0..<1000 { mailbox.send(number) } }
    }
    reactor.submit(Sender(mailbox), to: .checks)
    try run(reactor) { received.count == 1000 }
    #expect(received == Array(0..<1000))
  }

  @Test("A descriptor is reported while it is readable, and not after it was cancelled")
  func descriptors() throws {
    let reactor = try Reactor()
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    var count = 0
    let source = try reactor.addFD(ends[0], events: FDEvents.readable) { _ in count += 1 }
    _ = write(ends[1], "x", 1)
    try run(reactor) { count == 2 }
    source.cancel()
    try reactor.runOnce(maximumWait: 0)
    #expect(count == 2)
  }

  /// Waits, as a system call on a dead network mount does.
  private final class Gate: Job {
    let arrivals: Mailbox<Void>
    let fd: Int32
    init(_ arrivals: Mailbox<Void>, fd: Int32) {
      self.arrivals = arrivals
      self.fd = fd
    }
    func run() {
      arrivals.send(())
      var wait = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
      poll(&wait, 1, 20_000)
    }
  }

  @Test("The pool grows while its threads wait, beyond its limit when they are stuck, and takes every job")
  func pool() throws {
    let reactor = try Reactor()
    let event = makeEventDescriptor()
    defer { close(event) }
    var arrived = 0
    let arrivals = reactor.makeMailbox { (_: Void) in arrived += 1 }
    let jobs = reactor.pool.maximumThreads * 2
    for _ in 0..<jobs { reactor.submit(Gate(arrivals, fd: event), to: .checks) }
    // Nothing ends: each job has a thread although there are more than the limit.
    try run(reactor) { arrived == jobs }
    #expect(reactor.pool.threadCount == jobs)
    signalEventDescriptor(event)
  }

  @Test("There is a last limit: beyond it jobs wait until others end")
  func hardLimit() throws {
    let reactor = try Reactor()
    let event = makeEventDescriptor()
    defer { close(event) }
    var arrived = 0
    let arrivals = reactor.makeMailbox { (_: Void) in arrived += 1 }
    let pool = WorkerPool(maximumThreads: 2, hardMaximum: 3)
    defer { pool.close() }
    pool.submit((0..<5).map { _ in Gate(arrivals, fd: event) })
    try run(reactor) { arrived == min(2, pool.baseThreads) }
    let later = monotonicNow() + 3_600_000_000_000
    for hour in 0..<5 { pool.growIfStalled(now: later + UInt64(hour) * 1_000_000_000) }
    try run(reactor) { arrived == 3 }
    #expect(pool.nextLook(now: later + 3_600_000_000_000) == nil)
    #expect(pool.threadCount == 3)
    signalEventDescriptor(event)
    try run(reactor) { arrived == 5 }
  }

  @Test("Checks that are stuck do not keep a process from being started")
  func lanes() throws {
    let reactor = try Reactor()
    let event = makeEventDescriptor()
    defer { close(event) }
    var arrived = 0
    let arrivals = reactor.makeMailbox { (_: Void) in arrived += 1 }
    for _ in 0..<reactor.pool.hardMaximum + 8 { reactor.submit(Gate(arrivals, fd: event), to: .checks) }
    try run(reactor) { arrived >= reactor.pool.maximumThreads }
    var how: ChildExit?
    reactor.spawn(SpawnRequest(["/bin/true"])) { _, _ in
    } exit: { end, _ in
      how = end
    }
    try run(reactor) { how != nil }
    #expect(how == .exited(0))
    signalEventDescriptor(event)
  }
}

@Suite struct ChildTests {
  private struct Ended {
    var how: ChildExit?
    var timedOut = false
    var out = ""
    var err = ""
  }

  private func run(_ request: SpawnRequest, then act: (Child) -> Void = { _ in }) throws -> Ended {
    let reactor = try Reactor()
    var ended = Ended()
    var expired = false
    let child = reactor.spawn(request) { fd, bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      if fd == 1 { ended.out += text } else { ended.err += text }
    } exit: { how, timedOut in
      ended.how = how
      ended.timedOut = timedOut
    }
    act(child)
    reactor.addTimer(afterMilliseconds: 30_000) { expired = true }
    while ended.how == nil, !expired { try reactor.runOnce() }
    return ended
  }

  private func shell(_ script: String) -> SpawnRequest { SpawnRequest(["/bin/sh", "-c", script]) }

  @Test("Output and status come back; the environment is what was given")
  func output() throws {
    var request = shell("echo out; echo err >&2; echo \"$A\"; exit 3")
    request.environment = ["A=b"]
    let ended = try run(request)
    #expect(ended.how == .exited(3))
    #expect(ended.out == "out\nb\n")
    #expect(ended.err == "err\n")
  }

  @Test("A program that cannot be started says at which step and why")
  func notStarted() throws {
    guard case .notStarted(let number, let step) = try run(SpawnRequest(["no-such-program-here"])).how else {
      Issue.record("it started")
      return
    }
    #expect(number == ENOENT)
    #expect(step.contains("no-such-program-here"))
    var request = shell("true")
    request.directory = "/no/such/directory"
    // The thread sanitizer makes a fork of vfork: the child cannot say why it ends.
    let isForked = dlsym(nil, "__tsan_init") != nil
    let expected = ChildExit.notStarted(ENOENT, "change to the directory /no/such/directory")
    #expect(try run(request).how == (isForked ? .exited(127) : expected))
    request.directory = ""
    request.user = "no-such-user-here"
    #expect(try run(request).how == .notStarted(ENOENT, "find the user \"no-such-user-here\""))
  }

  @Test("A daemon that keeps the pipe open does not hold its parent's end back")
  func daemonHoldsPipe() throws {
    let ended = try run(shell("sleep 60 & echo $!"))
    #expect(ended.how == .exited(0))
    if let daemon = pid_t(ended.out.dropLast()) { kill(daemon, SIGKILL) }
  }

  @Test("A time-out stops the group, and kills it when it ignores the signal")
  func timeout() throws {
    var request = shell("trap '' TERM; while :; do sleep 60 & wait $!; done")
    request.timeoutMilliseconds = 100
    request.stopGraceMilliseconds = 100
    let ended = try run(request)
    #expect(ended.how == .signalled(SIGKILL))
    #expect(ended.timedOut)
  }

  @Test("A stop before it started is not lost")
  func stopEarly() throws {
    let ended = try run(SpawnRequest(["/bin/sleep", "60"])) { $0.stop() }
    #expect(ended.how == .signalled(SIGTERM))
  }

  @Test("A session of its own, without a terminal, and the agent's directory")
  func session() throws {
    let ended = try run(shell("cut -d ' ' -f 1,5,6,7 /proc/$$/stat; pwd -P; (: </dev/tty) 2>/dev/null && echo terminal"))
    let lines = ended.out.split(separator: "\n")
    let numbers = lines.first?.split(separator: " ") ?? []
    #expect(numbers.count == 4 && Set(numbers[..<3]).count == 1 && numbers[3] == "0", "\(ended.out)")
    let here = getcwd(nil, 0)
    defer { free(here) }
    #expect(lines.dropFirst() == [here.map { String(cString: $0) }.map { Substring($0) } ?? ""])
  }

  @Test("Another user starts in /, unless a directory is given", .enabled(if: geteuid() == 0, "only root can be somebody else"))
  func directory() throws {
    var request = shell("pwd -P")
    request.user = "65534"
    request.group = "65534"
    #expect(try run(request).out == "/\n")
    request.directory = "/usr"
    #expect(try run(request).out == "/usr\n")
    request.directory = ""
    request.user = "0"
    request.group = ""
    #expect(try run(request).out != "/\n")
  }

  @Test("Standard input is empty, signals are at their defaults, and no descriptor leaks")
  func inheritance() throws {
    let fd = dup(1)  // without close-on-exec, as a careless plugin has it
    defer { close(fd) }
    let ended = try run(shell("cat; grep -E 'SigBlk|SigIgn' /proc/self/status; ls /proc/self/fd | wc -l"))
    #expect(ended.out == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n4\n")
  }
}
