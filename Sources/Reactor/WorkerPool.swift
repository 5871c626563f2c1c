// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A piece of work that may block.
public protocol Job: AnyObject, Sendable {
  func run()
}

/// Threads for work that blocks: as many as there are processors while work flows, more (up to a limit) while it waits in
/// system calls, and fewer again when they have been idle for a while. A job that takes a second is stuck, as on a network mount
/// that does not answer: its thread does not count towards the limit any more.
public final class WorkerPool: @unchecked Sendable {
  // Everything below the lock is read and written with it held.
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let available: UnsafeMutablePointer<pthread_cond_t>
  private var queue = JobQueue()
  private var threads = 0
  private var idle = 0
  private var isClosing = false
  private var lastTaken: UInt64 = 0
  private var busy = BusyThreads()

  /// Threads kept; more are started only for work that waits.
  public let baseThreads: Int
  /// Of threads that are not stuck.
  public let maximumThreads: Int
  /// Of all threads.
  public let hardMaximum: Int
  /// No job was taken for so long although some wait: one more thread is started.
  static let stallMilliseconds: Int64 = 2
  private static let stuckNanoseconds: UInt64 = 1_000_000_000
  private static let idleSeconds = 10

  init(maximumThreads: Int = 16, hardMaximum: Int = 256) {
    self.hardMaximum = hardMaximum
    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    self.maximumThreads = maximumThreads
    baseThreads = min(maximumThreads, processors)
    lock = .allocate(capacity: 1)
    available = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(available, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  /// The lock and the condition are never freed: threads that are still in a system call wake up with them.
  func close() {
    pthread_mutex_lock(lock)
    isClosing = true
    pthread_cond_broadcast(available)
    pthread_mutex_unlock(lock)
  }

  /// From any thread. Jobs start in the order they were submitted.
  func submit(_ jobs: [any Job]) {
    guard !jobs.isEmpty else { return }
    pthread_mutex_lock(lock)
    if queue.count == 0 { lastTaken = monotonicNow() }
    for job in jobs { queue.append(job) }
    let sleepers = min(idle, jobs.count)
    while queue.count > idle, threads < baseThreads, startThread() {}
    pthread_mutex_unlock(lock)
    // With the lock free, a thread that wakes up does not have to wait for it.
    for _ in 0..<sleepers { pthread_cond_signal(available) }
  }

  public var threadCount: Int {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return threads
  }

  /// Milliseconds until `growIfStalled` may have something to do; nil: nothing waits, or nothing can be done for it.
  func nextLook(now: UInt64) -> Int64? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    guard queue.count > 0, threads < hardMaximum else { return nil }
    if threads < maximumThreads { return Self.stallMilliseconds }
    if threads - busy.count(since: now, for: Self.stuckNanoseconds) < maximumThreads { return Self.stallMilliseconds }
    guard let oldest = busy.oldest(notStuckAt: now, after: Self.stuckNanoseconds) else { return nil }
    return Int64((oldest + Self.stuckNanoseconds - now) / 1_000_000) + 1
  }

  /// Starts one more thread when jobs wait and none was taken for a while.
  func growIfStalled(now: UInt64) {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    guard queue.count > 0, idle == 0, threads < hardMaximum else { return }
    guard now >= lastTaken + UInt64(Self.stallMilliseconds) * 1_000_000 else { return }
    guard
      threads < maximumThreads || threads - busy.count(since: now, for: Self.stuckNanoseconds) < maximumThreads
    else { return }
    startThread()
    lastTaken = now
  }

  /// With the lock held; false: the system refuses.
  @discardableResult
  private func startThread() -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 1 << 20)
    var thread = pthread_t()
    let pool = Unmanaged.passRetained(self)
    // Signals belong to the reactor: threads inherit a mask with all of them blocked.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    let result = pthread_create(&thread, &attributes, workerMain, pool.toOpaque())
    pthread_sigmask(SIG_SETMASK, &before, nil)
    pthread_attr_destroy(&attributes)
    guard result == 0 else {
      pool.release()
      return false
    }
    threads += 1
    return true
  }

  fileprivate func work() {
    pthread_mutex_lock(lock)
    while let job = next() {
      let seat = busy.begin(at: monotonicNow())
      pthread_mutex_unlock(lock)
      job.run()
      pthread_mutex_lock(lock)
      busy.end(seat)
    }
    threads -= 1
    pthread_mutex_unlock(lock)
  }

  /// With the lock held; nil: this thread is to end.
  private func next() -> (any Job)? {
    while true {
      if let job = queue.popFirst() {
        if queue.count > 0 { lastTaken = monotonicNow() }
        return job
      }
      if isClosing { return nil }
      idle += 1
      defer { idle -= 1 }
      if threads <= baseThreads {
        pthread_cond_wait(available, lock)
      } else {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        deadline.tv_sec += Self.idleSeconds
        if pthread_cond_timedwait(available, lock, &deadline) == ETIMEDOUT, queue.count == 0 { return nil }
      }
    }
  }
}

private func workerMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  Unmanaged<WorkerPool>.fromOpaque(argument).takeRetainedValue().work()
  return nil
}

/// When the jobs that run began.
private struct BusyThreads {
  /// Nanoseconds; 0: free.
  private var starts: [UInt64] = []

  mutating func begin(at now: UInt64) -> Int {
    if let free = starts.firstIndex(of: 0) {
      starts[free] = now
      return free
    }
    starts.append(now)
    return starts.count - 1
  }

  mutating func end(_ seat: Int) { starts[seat] = 0 }

  /// Those that have run for so long.
  func count(since now: UInt64, for duration: UInt64) -> Int { starts.count { $0 > 0 && now >= $0 + duration } }

  /// The start of the job that is the next to have run for so long.
  func oldest(notStuckAt now: UInt64, after duration: UInt64) -> UInt64? {
    starts.filter { $0 > 0 && now < $0 + duration }.min()
  }
}

/// First in, first out, without moving the rest at each removal.
private struct JobQueue {
  private var jobs: [(any Job)?] = []
  private var head = 0

  var count: Int { jobs.count - head }

  mutating func append(_ job: any Job) { jobs.append(job) }

  mutating func popFirst() -> (any Job)? {
    guard head < jobs.count else { return nil }
    let job = jobs[head]
    jobs[head] = nil
    head += 1
    if head == jobs.count {
      jobs.removeAll(keepingCapacity: jobs.count <= 1024)
      head = 0
    } else if head > 1024, head * 2 > jobs.count {
      jobs.removeFirst(head)
      head = 0
    }
    return job
  }
}
