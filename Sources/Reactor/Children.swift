// SPDX-License-Identifier: Apache-2.0

import Glibc

extension Reactor {
  /// Starts a program; the fork happens on a pool thread. `output` gets what it writes (fd 1 or 2), `exit` comes exactly once,
  /// after all output, with how it ended and whether its time-out ended it. Both run on the reactor's thread.
  @discardableResult
  public func spawn(
    _ request: SpawnRequest, output: @escaping (Int32, UnsafeRawBufferPointer) -> Void,
    exit: @escaping (ChildExit, Bool) -> Void
  ) -> Child {
    childTable.spawn(request, output: output, exit: exit)
  }
}

/// The children of one reactor: as many at a time as file descriptors allow, the others wait their turn.
final class ChildTable {
  private unowned let reactor: Reactor
  private var waiting: [Child] = []
  private var waitingHead = 0
  /// Started or being started, by number.
  private var active: [UInt64: Child] = [:]
  private var nextNumber: UInt64 = 0
  private let maximumActive: Int
  var guarded: GuardedChildren?
  var running: some Sequence<Child> { active.values.lazy.filter(\.isRunning) }
  var hasRunning: Bool { active.values.contains(where: \.isRunning) }
  private lazy var results: Mailbox<SpawnResult> = reactor.makeMailbox { [unowned self] in started($0) }

  init(reactor: Reactor) {
    self.reactor = reactor
    var limit = rlimit()
    getrlimit(openFiles, &limit)
    // Three descriptors each: two pipes and the pidfd. The rest is the agent's.
    maximumActive = max(8, (Int(clamping: limit.rlim_cur) - 200) / 3)
  }

  func spawn(
    _ request: SpawnRequest, output: @escaping (Int32, UnsafeRawBufferPointer) -> Void,
    exit: @escaping (ChildExit, Bool) -> Void
  ) -> Child {
    nextNumber += 1
    let child = Child(number: nextNumber, request: request, reactor: reactor, output: output, exit: exit)
    if active.count < maximumActive { start(child) } else { waiting.append(child) }
    return child
  }

  private func start(_ child: Child) {
    active[child.number] = child
    reactor.submit(
      SpawnJob(number: child.number, request: child.request, guardian: guarded?.guardian, results: results), to: .control)
  }

  private func started(_ message: SpawnResult) {
    guard let child = active[message.number] else { return }
    child.started(message.result, guarded: guarded) { [unowned self] in ended(child) }
  }

  private func ended(_ child: Child) {
    active[child.number] = nil
    while active.count < maximumActive, waitingHead < waiting.count {
      let next = waiting[waitingHead]
      waitingHead += 1
      if !next.isAbandoned { start(next) }
    }
    if waitingHead == waiting.count {
      waiting.removeAll()
      waitingHead = 0
    }
  }
}

private struct SpawnResult: Sendable {
  var number: UInt64
  var result: Result<StartedProgram, SpawnFailure>
}

private final class SpawnJob: Job {
  private let number: UInt64
  private let request: SpawnRequest
  private let guardian: ChildGuard?
  private let results: Mailbox<SpawnResult>

  init(number: UInt64, request: SpawnRequest, guardian: ChildGuard?, results: Mailbox<SpawnResult>) {
    self.number = number
    self.request = request
    self.guardian = guardian
    self.results = results
  }

  func run() {
    let result: Result<StartedProgram, SpawnFailure>
    do throws(SpawnFailure) {
      result = .success(
        try request.start(
          openFileLimit: OpenFileLimit.original, coreLimit: CoreDumps.original, number: number, guardian: guardian))
    } catch {
      result = .failure(error)
    }
    results.send(SpawnResult(number: number, result: result))
  }
}

/// glibc's functions take the number of a resource, its constants are an enum.
private let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

/// Core files: the agent's memory holds what is secret, so it leaves none. Its children may.
public enum CoreDumps {
  private static let core = __rlimit_resource_t(RLIMIT_CORE.rawValue)

  /// The soft limit the agent was started with; nil: it was not changed.
  // Set at start-up, before there is another thread.
  nonisolated(unsafe) private(set) static var original: UInt64?

  /// Once, at start-up. Of one byte, not of none: the kernel hands the memory to a program in `core_pattern` whatever the limit is, unless it
  /// is one.
  public static func forbid() {
    var limit = rlimit()
    guard getrlimit(core, &limit) == 0 else { return }
    let before = UInt64(limit.rlim_cur)
    limit.rlim_cur = min(1, limit.rlim_max)
    if setrlimit(core, &limit) == 0 { original = before }
  }
}

/// The limit of open files: raised for the agent, which holds descriptors for many children, restored for the children, which
/// may not expect it.
public enum OpenFileLimit {
  /// The soft limit the agent was started with.
  static let original: UInt64 = {
    var limit = rlimit()
    getrlimit(openFiles, &limit)
    return UInt64(limit.rlim_cur)
  }()

  /// Raises the soft limit to the hard one. Once, at start-up.
  public static func raise() {
    _ = original
    var limit = rlimit()
    guard getrlimit(openFiles, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(openFiles, &limit)
  }
}
