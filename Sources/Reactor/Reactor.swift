// SPDX-License-Identifier: Apache-2.0

import Glibc
import ReactorShims

/// A system call the reactor needs failed.
public struct ReactorError: Error {
  /// The call.
  public let call: String
  public let errno: Int32

  public init(_ call: String, _ errno: Int32) {
    self.call = call
    self.errno = errno
  }

  public var message: String { "\(call): \(systemMessage(errno))" }
}

/// The system's words for an error number.
public func systemMessage(_ number: Int32) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    guard let start = buffer.baseAddress, shim_error_text(number, start, buffer.count) == 0 else {
      return "error \(number)"
    }
    return String(cString: start)
  }
}

/// Nanoseconds of a clock that only goes forward.
public func monotonicNow() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// What may be waited for at a file descriptor: epoll's bits.
public enum FDEvents {
  public static let readable: UInt32 = 0x1
  public static let writable: UInt32 = 0x4
  public static let error: UInt32 = 0x8
  public static let hangup: UInt32 = 0x10
}

/// One thread's event loop: file descriptors (epoll), timers, signals, messages from other threads, and a pool for work that
/// blocks. It is made, used and run on one thread; other threads reach it through `Mailbox` only.
public final class Reactor {
  /// Callbacks must not take longer, in nanoseconds: everything else waits.
  public static let slowCallback: UInt64 = 5_000_000

  /// How often this thread was preempted, as of the beginning of this round.
  private var preemptions = 0

  /// Counts the rounds of the loop.
  public private(set) var round: UInt64 = 0
  /// For checks.
  public let pool: WorkerPool
  /// For what must go on while checks are stuck.
  let controlPool: WorkerPool
  let wakeup: Wakeup
  private let epoll: Int32
  private let timers = TimerQueue()
  private var sources: [Slot] = []
  private var freeSlots: [Int] = []
  /// Each handles the messages of one mailbox; false: there were none.
  private var drains: [() -> Bool] = []
  private var isLookingByItself = false
  private var lastWakeup: UInt64 = 0
  private var burst = 0
  /// So many wake-ups, each so few nanoseconds after the one before, are a burst.
  private static let burstLength = 16
  private static let burstGap: UInt64 = 300_000
  private var jobs: [any Job] = []
  private var controlJobs: [any Job] = []
  private var afterwards: [() -> Void] = []
  private static let jobBatch = 128
  lazy var childTable = ChildTable(reactor: self)

  private struct Slot {
    var source: FDSource?
    var generation: UInt32 = 0
  }

  public init() throws(ReactorError) {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw ReactorError("epoll_create1", errno) }
    wakeup = try Wakeup()
    pool = WorkerPool()
    controlPool = WorkerPool(maximumThreads: 4, hardMaximum: 64)
    _ = try addFD(wakeup.fd, events: FDEvents.readable) { [unowned self] _ in wokenUp() }
  }

  deinit {
    pool.close()
    controlPool.close()
    close(epoll)
  }

  // MARK: File descriptors

  /// Calls `body` with the `FDEvents` that are there, as long as they are there. The descriptor stays the caller's.
  public func addFD(_ fd: Int32, events: UInt32, _ body: @escaping (UInt32) -> Void) throws(ReactorError) -> FDSource {
    let index: Int
    if let free = freeSlots.popLast() {
      index = free
    } else {
      index = sources.count
      sources.append(Slot())
    }
    let source = FDSource(reactor: self, fd: fd, slot: index, body: body)
    var event = epoll_event(events: events, data: .init(u64: key(index)))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 else {
      freeSlots.append(index)
      throw ReactorError("epoll_ctl", errno)
    }
    sources[index].source = source
    return source
  }

  private func key(_ index: Int) -> UInt64 {
    UInt64(sources[index].generation) << 32 | UInt64(index)
  }

  func modify(_ source: FDSource, events: UInt32) {
    var event = epoll_event(events: events, data: .init(u64: key(source.slot)))
    epoll_ctl(epoll, EPOLL_CTL_MOD, source.fd, &event)
  }

  func remove(_ source: FDSource) {
    guard sources.indices.contains(source.slot), sources[source.slot].source === source else { return }
    epoll_ctl(epoll, EPOLL_CTL_DEL, source.fd, nil)
    sources[source.slot].source = nil
    sources[source.slot].generation &+= 1
    freeSlots.append(source.slot)
  }

  // MARK: Timers and messages

  /// Calls `body` once, not before the time has passed, with a resolution of a millisecond.
  @discardableResult
  public func addTimer(afterMilliseconds delay: UInt64, _ body: @escaping () -> Void) -> ReactorTimer {
    // A time beyond what the clock can say is never.
    let (wait, isLong) = delay.multipliedReportingOverflow(by: 1_000_000)
    let (deadline, isLate) = monotonicNow().addingReportingOverflow(wait)
    return timers.add(deadline: isLong || isLate ? .max : deadline, body)
  }

  /// `handler` gets each message on the reactor's thread.
  public func makeMailbox<Message: Sendable>(_ handler: @escaping (Message) -> Void) -> Mailbox<Message> {
    let mailbox = Mailbox<Message>(wakeup: wakeup)
    drains.append {
      let messages = mailbox.takeAll()
      for message in messages { handler(message) }
      return !messages.isEmpty
    }
    return mailbox
  }

  /// A message wakes the reactor at once. When they come thick and fast (workers with many short jobs) it looks once a millisecond
  /// instead, until there are none: waking it for each would cost more than the work.
  private func wokenUp() {
    wakeup.quieten()
    let now = monotonicNow()
    burst = now - lastWakeup < Self.burstGap ? burst + 1 : 0
    lastWakeup = now
    if burst < Self.burstLength { wakeup.rearm() } else { isLookingByItself = true }
    drainMailboxes()
  }

  /// At the end of each round while it looks by itself.
  private func lookForMessages() {
    guard !drainMailboxes() else { return }
    isLookingByItself = false
    burst = 0
    wakeup.rearm()
    drainMailboxes()
  }

  @discardableResult
  private func drainMailboxes() -> Bool {
    var found = false
    for drain in drains where drain() { found = true }
    return found
  }

  // MARK: Work that blocks

  /// What a job is for. Each lane has threads of its own: a lane that is stuck does not hold up another.
  public enum Lane: Sendable {
    /// Checks of resources.
    case checks
    /// Reading graphs, looking for plugins, starting processes.
    case control
  }

  /// Gives a job to the pool of its lane. Jobs are handed over together, when the callback that runs now has ended or when there
  /// are many: one lock for all of them.
  public func submit(_ job: any Job, to lane: Lane) {
    switch lane {
    case .checks: jobs.append(job)
    case .control: controlJobs.append(job)
    }
    if jobs.count + controlJobs.count >= Self.jobBatch { submitJobs() }
  }

  /// Runs `body` when the callback that runs now has ended, before anything is waited for: for what is better done once for many
  /// events.
  public func afterCallback(_ body: @escaping () -> Void) { afterwards.append(body) }

  private func endCallback() {
    while let body = afterwards.popLast() { body() }
    submitJobs()
  }

  private func submitJobs() {
    if !jobs.isEmpty {
      pool.submit(jobs)
      jobs.removeAll(keepingCapacity: true)
    }
    if !controlJobs.isEmpty {
      controlPool.submit(controlJobs)
      controlJobs.removeAll(keepingCapacity: true)
    }
  }

  // MARK: The loop

  /// Lets this thread run at once when something happens, for a short time each: for the process whose reactor this is. It takes
  /// no more of the processor than others. Does nothing on kernels before 6.12.
  public static func preferLatency() { _ = shim_ask_for_short_slices(200_000) }

  /// All threads of this process allocate from one heap; call it before there are others. Each of glibc's heaps keeps what it once needed,
  /// so that one for each worker makes the process grow for as long as workers come and go: after a thousand graph edits it was 12 % larger,
  /// and with one heap it stayed as it was, at no cost that could be measured.
  public static func keepOneHeap() { shim_one_heap() }

  /// Waits for events once and runs their callbacks. At most `maximumWait` milliseconds; nil: as long as it takes.
  public func runOnce(maximumWait: Int32? = nil) throws(ReactorError) {
    endCallback()
    let isTimeToLook = isLookingByItself
    var wait = nextWait()
    if let maximumWait, wait < 0 || wait > maximumWait { wait = maximumWait }
    let capacity = 256
    var failure: Int32 = 0
    withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: capacity) { events in
      let count = epoll_wait(epoll, events.baseAddress, Int32(capacity), wait)
      if count < 0 {
        failure = errno == EINTR ? 0 : errno
        return
      }
      preemptions = Self.preemptionsOfThread()
      round &+= 1
      for position in 0..<Int(count) {
        let event = events[position]
        let index = Int(event.data.u64 & 0xffff_ffff)
        // A source removed by an earlier callback of this round has another generation.
        guard sources.indices.contains(index), event.data.u64 == key(index), let source = sources[index].source else {
          continue
        }
        source.body(event.events)
        endCallback()
      }
    }
    guard failure == 0 else { throw ReactorError("epoll_wait", failure) }
    let now = monotonicNow()
    while let timer = timers.pop(now: now) {
      let body = timer.body
      timer.body = nil
      body?()
      endCallback()
    }
    if isTimeToLook {
      lookForMessages()
      endCallback()
    }
    pool.growIfStalled(now: now)
    controlPool.growIfStalled(now: now)
  }

  /// Whether others took the processor from this thread since this round of callbacks began: then a callback that took long may
  /// not have been slow.
  public var wasPreempted: Bool { Self.preemptionsOfThread() != preemptions }

  private static func preemptionsOfThread() -> Int { shim_thread_preemptions() }

  /// Milliseconds for epoll: -1 when there is nothing to wait for but events.
  private func nextWait() -> Int32 {
    let now = monotonicNow()
    var wait = Int64.max
    if let deadline = timers.earliest { wait = deadline <= now ? 0 : Int64((deadline - now + 999_999) / 1_000_000) }
    if let look = pool.nextLook(now: now) { wait = min(wait, look) }
    if let look = controlPool.nextLook(now: now) { wait = min(wait, look) }
    if isLookingByItself { wait = min(wait, 1) }
    return wait == .max ? -1 : Int32(clamping: wait)
  }
}

/// A file descriptor a reactor watches. Cancel it from the reactor's thread, before the descriptor is closed.
public final class FDSource {
  private weak var reactor: Reactor?
  let fd: Int32
  let slot: Int
  fileprivate(set) var body: (UInt32) -> Void

  init(reactor: Reactor, fd: Int32, slot: Int, body: @escaping (UInt32) -> Void) {
    self.reactor = reactor
    self.fd = fd
    self.slot = slot
    self.body = body
  }

  public func modify(events: UInt32) { reactor?.modify(self, events: events) }

  /// Afterwards the body never runs.
  public func cancel() {
    reactor?.remove(self)
    body = { _ in }
  }
}
