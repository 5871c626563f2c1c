// SPDX-License-Identifier: Apache-2.0

/// Decides which resource is checked when: the timestamp rule, pokes and back-pokes, refresh flags, semaphores, failures.
/// A value without clocks, threads or I/O: inputs are method calls, what is to be done is appended to `actions`.
///
/// The rule: a vertex may run when each vertex before it succeeded more recently than itself. If not, it pokes those it waits
/// for and is poked back when they have succeeded; one that is clean succeeds at once, without a check.
struct Scheduler {
  enum Action: Equatable {
    case check(Int, refresh: Bool)
    /// Call `wake` after so many milliseconds.
    case wakeLater(Int, Pause, milliseconds: UInt64)
  }

  /// What a vertex waits for that only time brings.
  enum Pause: Equatable {
    /// The next attempt after a failure.
    case retry
    /// The next event its limit allows.
    case limit
    /// The next attempt after a fault of the machine.
    case fault
    /// The next check of a resource that is fought over.
    case fight
  }

  /// How a vertex is treated: meta parameters, and what its kind can do.
  struct Treatment {
    /// A notification makes it do something.
    var isRefreshable = false
    /// It only carries order: it is never checked.
    var isHidden = false
    /// Its checks change nothing.
    var looksOnly = false
    var semaphores: [String] = []
    var retry = RetryPolicy()
    /// Limits how often events lead to checks.
    var bucket: TokenBucket?

    var isPlain: Bool { retry.isNone && bucket == nil }
  }

  enum Result {
    /// `changed`: those to be notified are.
    case success(changed: Bool)
    /// It differs and was left so: of those to be notified only they are told that change nothing either. A plan shows what they would do.
    case differs
    case failure
    /// The machine was at fault: it is tried again by the clock.
    case fault
    case cancelled
  }

  struct Flags: OptionSet {
    var rawValue: UInt32
    static let exists = Flags(rawValue: 1)
    /// Its watch is armed.
    static let started = Flags(rawValue: 2)
    /// Its state is not known to be as asked.
    static let dirty = Flags(rawValue: 4)
    static let running = Flags(rawValue: 8)
    /// The last check failed; the next event tries again, not too soon.
    static let failed = Flags(rawValue: 16)
    /// Its watch is lost: events cannot come, and nothing is checked until it is armed again.
    static let watchFailed = Flags(rawValue: 32)
    /// An event came while it ran.
    static let eventWhileRunning = Flags(rawValue: 64)
    /// On its way out: not started again.
    static let closing = Flags(rawValue: 128)
    /// Has succeeded before.
    static let succeededBefore = Flags(rawValue: 256)
    /// Waits for a semaphore.
    static let acquiring = Flags(rawValue: 512)
    static let wakePending = Flags(rawValue: 1024)
    /// A notification makes it do something.
    static let refreshable = Flags(rawValue: 2048)
    /// Runs because of a notification.
    static let refreshing = Flags(rawValue: 4096)
    /// Failed, and its retry policy has it tried again; comes with `wakePending`.
    static let retrying = Flags(rawValue: 8192)
    /// Dirty, but its limit has no token left.
    static let throttled = Flags(rawValue: 16384)
    static let hidden = Flags(rawValue: 32768)
    /// Its checks change nothing.
    static let looksOnly = Flags(rawValue: 65536)
    /// Fought over: its next check waits. That is quiet.
    static let resting = Flags(rawValue: 131072)
  }

  struct Vertex {
    var flags: Flags = []
    /// Consecutive failures.
    var failures: UInt16 = 0
    /// Edges that lead here from vertices it waits for.
    var blockedOn: Int32 = 0
    /// Edges that leave to vertices that wait for it.
    var waiters: Int32 = 0
    /// When it last succeeded, by a clock that counts successes.
    var timestamp: UInt64 = 0
    /// Milliseconds, by the caller's clock.
    var failedAt: UInt64 = 0
  }

  struct Edge: Equatable {
    var from: Int32
    var to: Int32
    var notify: Bool
    var refresh = Refresh.none
    var waiting = false

    init(from: Int, to: Int, notify: Bool) {
      self.from = Int32(from)
      self.to = Int32(to)
      self.notify = notify
    }
  }

  /// A notification on an edge: on its way, or being dealt with by the check that runs.
  enum Refresh { case none, pending, taken }

  var actions: [Action] = []
  var vertices: [Vertex] = []
  /// Sorted by `to`.
  var edges: [Edge] = []
  var incoming: [Int32] = [0]
  var outgoing: [Int32] = []
  var outgoingStart: [Int32] = [0]
  var semaphoreIDs: [Int: [String]] = [:]
  var semaphoresHeld: [Int: Int] = [:]
  var semaphores = Semaphores()
  var clock: UInt64 = 0
  var queue: [Int] = []
  /// Of those that are not plain.
  var policies: [Int: Policy] = [:]
  /// Of those that failed because of the machine and have not succeeded since.
  var patience: [Int: Patience] = [:]
  var isPaused = true

  var vertexCount = 0
  var startedCount = 0
  var runningCount = 0
  var dirtyCount = 0
  var failedCount = 0
  var acquiringCount = 0
  var hopefulCount = 0
  /// Retrying or throttled: they run on without an event.
  var delayedCount = 0

  /// What is kept about a vertex that is not plain.
  struct Policy {
    var retry: RetryPolicy
    var bucket: TokenBucket?
  }

  /// Failures after which a pending new attempt is no longer waited for when asking whether all is quiet.
  static let hopefulFailures = 5

  // MARK: Looking

  /// Nothing runs and nothing will without a new event: what is still dirty waits for something that failed.
  var isQuiet: Bool {
    queue.isEmpty && startedCount == vertexCount && runningCount == 0 && acquiringCount == 0 && hopefulCount == 0
      && delayedCount == 0 && !isPaused
  }

  var isConverged: Bool { isQuiet && dirtyCount == 0 && failedCount == 0 }

  func flags(of vertex: Int) -> Flags {
    vertices.indices.contains(vertex) ? vertices[vertex].flags : []
  }

  /// It failed so often in a row that its next attempt is nothing to wait for.
  func isHopeless(_ vertex: Int) -> Bool {
    vertices.indices.contains(vertex) && vertices[vertex].failures >= Self.hopefulFailures
  }

  /// The vertices before it.
  func parents(of vertex: Int) -> [Int] {
    guard vertices.indices.contains(vertex), vertex + 1 < incoming.count else { return [] }
    return incomingEdges(vertex).map { Int(edges[$0].from) }
  }

  /// The vertices it waits for.
  func blockers(of vertex: Int) -> [Int] {
    guard vertices.indices.contains(vertex), vertex + 1 < incoming.count else { return [] }
    return incomingEdges(vertex).filter { edges[$0].waiting }.map { Int(edges[$0].from) }
  }

  /// The semaphore it waits for.
  func awaitedSemaphore(of vertex: Int) -> String? {
    guard flags(of: vertex).contains(.acquiring), let ids = semaphoreIDs[vertex] else { return nil }
    let held = semaphoresHeld[vertex] ?? 0
    return held < ids.count ? ids[held] : nil
  }

  /// How often its checks were tried again.
  func retriesUsed(of vertex: Int) -> Int { policies[vertex]?.retry.used ?? 0 }

  /// Settles what the inputs since the last call set going, and hands over what is to be done. Inputs that come together are
  /// settled together: ten events of one vertex are one check.
  mutating func takeActions() -> [Action] {
    drain()
    let taken = actions
    actions.removeAll(keepingCapacity: true)
    return taken
  }

  // MARK: Shape

  /// Begins a vertex; it is checked once its watch is `ready`.
  mutating func add(_ vertex: Int, _ treatment: Treatment = Treatment()) {
    while vertices.count <= vertex { vertices.append(Vertex()) }
    guard !vertices[vertex].flags.contains(.exists) else { return }
    vertices[vertex] = Vertex()
    vertices[vertex].flags = treatment.isRefreshable && !treatment.isHidden ? [.exists, .refreshable] : [.exists]
    if treatment.looksOnly { vertices[vertex].flags.insert(.looksOnly) }
    vertexCount += 1
    if treatment.isHidden {
      set(vertex, .hidden)
      set(vertex, .started)
    } else {
      set(vertex, .dirty)
    }
    if !treatment.semaphores.isEmpty { semaphoreIDs[vertex] = treatment.semaphores.sorted() }
    if !treatment.isPlain { policies[vertex] = Policy(retry: treatment.retry, bucket: treatment.bucket) }
  }

  /// Ends a vertex that does not run.
  mutating func remove(_ vertex: Int) {
    guard vertices.indices.contains(vertex), vertices[vertex].flags.contains(.exists) else { return }
    giveUpAcquiring(vertex)
    for flag in [Flags.dirty, .started, .running, .failed, .acquiring, .wakePending, .retrying, .throttled] {
      clear(vertex, flag)
    }
    vertices[vertex] = Vertex()
    vertexCount -= 1
    semaphoreIDs[vertex] = nil
    policies[vertex] = nil
    patience[vertex] = nil
  }

  /// Takes a vertex out of service before it is removed: it is not started again. A running check goes on.
  mutating func close(_ vertex: Int) {
    giveUpAcquiring(vertex)
    set(vertex, .closing)
  }

  /// Puts one that was closing back into service.
  mutating func reopen(_ vertex: Int) {
    clear(vertex, .closing)
    poke(vertex)
  }

  /// Drops notifications from and to vertices that are gone, before others take their numbers.
  mutating func forgetNotifications(of gone: Set<Int>) {
    guard !gone.isEmpty else { return }
    for index in edges.indices where edges[index].refresh != .none {
      if gone.contains(Int(edges[index].from)) || gone.contains(Int(edges[index].to)) { edges[index].refresh = .none }
    }
  }

  /// Replaces all edges. Notifications on their way stay where the same edge is there again.
  mutating func replaceEdges(_ new: [Edge]) {
    struct Key: Hashable {
      var from: Int32
      var to: Int32
    }
    var pending: [Key: Refresh] = [:]
    for edge in edges where edge.notify && edge.refresh != .none { pending[Key(from: edge.from, to: edge.to)] = edge.refresh }
    let count = Int32(vertices.count)
    edges = new.filter { (0..<count).contains($0.from) && (0..<count).contains($0.to) }.sorted { $0.to < $1.to }
    if !pending.isEmpty {
      for index in edges.indices where edges[index].notify {
        edges[index].refresh = pending[Key(from: edges[index].from, to: edges[index].to)] ?? .none
      }
    }
    incoming = [Int32](repeating: 0, count: vertices.count + 1)
    outgoingStart = incoming
    for edge in edges {
      incoming[Int(edge.to) + 1] += 1
      outgoingStart[Int(edge.from) + 1] += 1
    }
    for vertex in vertices.indices {
      incoming[vertex + 1] += incoming[vertex]
      outgoingStart[vertex + 1] += outgoingStart[vertex]
      vertices[vertex].blockedOn = 0
      vertices[vertex].waiters = 0
    }
    var next = outgoingStart
    outgoing = [Int32](repeating: 0, count: edges.count)
    for (index, edge) in edges.enumerated() {
      outgoing[Int(next[Int(edge.from)])] = Int32(index)
      next[Int(edge.from)] += 1
    }
    pokeAll()
  }

  // MARK: Flags and their counts

  mutating func set(_ vertex: Int, _ flag: Flags) {
    guard vertices[vertex].flags.isDisjoint(with: flag) else { return }
    vertices[vertex].flags.insert(flag)
    count(vertex, flag, 1)
  }

  mutating func clear(_ vertex: Int, _ flag: Flags) {
    guard vertices.indices.contains(vertex), vertices[vertex].flags.contains(flag) else { return }
    vertices[vertex].flags.remove(flag)
    count(vertex, flag, -1)
  }

  mutating func count(_ vertex: Int, _ flag: Flags, _ step: Int) {
    switch flag {
    case .started: startedCount += step
    case .running: runningCount += step
    case .dirty: dirtyCount += step
    case .failed: failedCount += step
    case .acquiring: acquiringCount += step
    case .wakePending where vertices[vertex].failures < Self.hopefulFailures: hopefulCount += step
    case .retrying, .throttled: delayedCount += step
    default: break
    }
  }
}
