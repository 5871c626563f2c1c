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
    case wakeLater(Int, milliseconds: UInt64)
  }

  enum Result {
    /// `changed`: those to be notified are.
    case success(changed: Bool)
    case failure
    case cancelled
  }

  struct Flags: OptionSet {
    var rawValue: UInt16
    static let exists = Flags(rawValue: 1)
    /// Its watch is armed.
    static let started = Flags(rawValue: 2)
    /// Its state is not known to be as asked.
    static let dirty = Flags(rawValue: 4)
    static let running = Flags(rawValue: 8)
    /// The last check failed; the next event tries again, not too soon.
    static let failed = Flags(rawValue: 16)
    /// Its watch is broken: events cannot come.
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
  }

  private struct Vertex {
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
    fileprivate var refresh = Refresh.none
    fileprivate var waiting = false

    init(from: Int, to: Int, notify: Bool) {
      self.from = Int32(from)
      self.to = Int32(to)
      self.notify = notify
    }
  }

  /// A notification on an edge: on its way, or being dealt with by the check that runs.
  fileprivate enum Refresh { case none, pending, taken }

  private var actions: [Action] = []
  private var vertices: [Vertex] = []
  /// Sorted by `to`.
  private var edges: [Edge] = []
  private var incoming: [Int32] = [0]
  private var outgoing: [Int32] = []
  private var outgoingStart: [Int32] = [0]
  private var semaphoreIDs: [Int: [String]] = [:]
  private var semaphoresHeld: [Int: Int] = [:]
  private var semaphores = Semaphores()
  private var clock: UInt64 = 0
  private var queue: [Int] = []
  private(set) var isPaused = true

  private(set) var vertexCount = 0
  private(set) var startedCount = 0
  private(set) var runningCount = 0
  private(set) var dirtyCount = 0
  private(set) var failedCount = 0
  private var acquiringCount = 0
  private var hopefulCount = 0

  /// Failures after which a pending new attempt is no longer waited for when asking whether all is quiet.
  static let hopefulFailures = 5

  // MARK: Looking

  /// Nothing runs and nothing will without a new event: what is still dirty waits for something that failed.
  var isQuiet: Bool {
    queue.isEmpty && startedCount == vertexCount && runningCount == 0 && acquiringCount == 0 && hopefulCount == 0 && !isPaused
  }

  var isConverged: Bool { isQuiet && dirtyCount == 0 && failedCount == 0 }

  func flags(of vertex: Int) -> Flags {
    vertices.indices.contains(vertex) ? vertices[vertex].flags : []
  }

  /// The vertices it waits for.
  func blockers(of vertex: Int) -> [Int] {
    guard vertices.indices.contains(vertex), vertex + 1 < incoming.count else { return [] }
    return incomingEdges(vertex).filter { edges[$0].waiting }.map { Int(edges[$0].from) }
  }

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
  mutating func add(_ vertex: Int, refreshable: Bool, semaphores ids: [String] = []) {
    while vertices.count <= vertex { vertices.append(Vertex()) }
    guard !vertices[vertex].flags.contains(.exists) else { return }
    vertices[vertex] = Vertex()
    vertices[vertex].flags = refreshable ? [.exists, .refreshable] : [.exists]
    vertexCount += 1
    set(vertex, .dirty)
    if !ids.isEmpty { semaphoreIDs[vertex] = ids.sorted() }
  }

  /// Ends a vertex that does not run.
  mutating func remove(_ vertex: Int) {
    guard vertices.indices.contains(vertex), vertices[vertex].flags.contains(.exists) else { return }
    giveUpAcquiring(vertex)
    for flag in [Flags.dirty, .started, .running, .failed, .acquiring, .wakePending] { clear(vertex, flag) }
    vertices[vertex] = Vertex()
    vertexCount -= 1
    semaphoreIDs[vertex] = nil
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

  // MARK: Inputs

  /// No check is started until `resume`.
  mutating func pause() { isPaused = true }

  mutating func resume() {
    guard isPaused else { return }
    isPaused = false
    pokeAll()
  }

  /// The watch is armed: the first check may run.
  mutating func ready(_ vertex: Int) {
    guard flags(of: vertex).contains(.exists) else { return }
    set(vertex, .started)
    poke(vertex)
  }

  /// Its state may have changed. `now`: milliseconds of any clock that goes forward.
  mutating func event(_ vertex: Int, now: UInt64) {
    let flags = flags(of: vertex)
    guard flags.contains(.exists) else { return }
    if flags.contains(.running) { return set(vertex, .eventWhileRunning) }
    set(vertex, .dirty)
    if flags.contains(.failed) { return retryLater(vertex, now: now) }
    poke(vertex)
  }

  /// The time asked for by `wakeLater` has passed.
  mutating func wake(_ vertex: Int) {
    guard flags(of: vertex).contains(.wakePending) else { return }
    clear(vertex, .wakePending)
    guard !flags(of: vertex).contains(.watchFailed) else { return }
    clear(vertex, .failed)
    poke(vertex)
  }

  /// The watch is broken for good.
  mutating func watchFailed(_ vertex: Int) {
    guard flags(of: vertex).contains(.exists) else { return }
    set(vertex, .watchFailed)
    set(vertex, .started)
    set(vertex, .failed)
    giveUpAcquiring(vertex)
  }

  /// The check asked for by an action has ended.
  mutating func checkEnded(_ vertex: Int, _ result: Result, now: UInt64) {
    guard flags(of: vertex).contains(.running) else { return }
    clear(vertex, .running)
    let eventCame = flags(of: vertex).contains(.eventWhileRunning)
    clear(vertex, .eventWhileRunning)
    if flags(of: vertex).contains(.refreshing) {
      clear(vertex, .refreshing)
      let succeeded = if case .success = result { true } else { false }
      for edge in incomingEdges(vertex) where edges[edge].refresh == .taken {
        edges[edge].refresh = succeeded ? .none : .pending
      }
    }
    releaseSemaphores(vertex)
    switch result {
    case .success(let changed):
      vertices[vertex].failures = 0
      if !flags(of: vertex).contains(.watchFailed) { clear(vertex, .failed) }
      set(vertex, .succeededBefore)
      if !eventCame { clear(vertex, .dirty) }
      succeed(vertex, changed: changed)
      if needsWork(vertex) { queue.append(vertex) }
    case .failure:
      vertices[vertex].failures += vertices[vertex].failures < 100 ? 1 : 0
      vertices[vertex].failedAt = now
      set(vertex, .failed)
      if eventCame { retryLater(vertex, now: now) }
    case .cancelled:
      if eventCame { queue.append(vertex) }
    }
  }

  // MARK: The rule

  private mutating func poke(_ vertex: Int) { queue.append(vertex) }

  private mutating func pokeAll() {
    guard !isPaused else { return }
    for vertex in vertices.indices where needsWork(vertex) || vertices[vertex].waiters > 0 { queue.append(vertex) }
  }

  private mutating func drain() {
    guard !isPaused else { return queue.removeAll() }
    var next = 0
    while next < queue.count {
      process(queue[next])
      next += 1
    }
    queue.removeAll(keepingCapacity: true)
  }

  private func needsWork(_ vertex: Int) -> Bool {
    let flags = vertices[vertex].flags
    return flags.contains(.exists)
      && (flags.contains(.dirty) || incomingEdges(vertex).contains { edges[$0].refresh == .pending })
  }

  private mutating func process(_ vertex: Int) {
    let flags = vertices[vertex].flags
    guard flags.isSuperset(of: [.exists, .started]), vertices[vertex].blockedOn == 0 else { return }
    guard flags.isDisjoint(with: [.running, .failed, .closing, .acquiring]) else { return }
    var refresh = false
    for index in incomingEdges(vertex) {
      let from = Int(edges[index].from)
      if vertices[from].timestamp <= vertices[vertex].timestamp {
        edges[index].waiting = true
        vertices[vertex].blockedOn += 1
        vertices[from].waiters += 1
        queue.append(from)
      }
      if edges[index].refresh == .pending { refresh = true }
    }
    guard vertices[vertex].blockedOn == 0 else { return }
    let mustRefresh = refresh && flags.contains(.refreshable)
    guard flags.contains(.dirty) || mustRefresh else {
      if refresh { takeRefresh(vertex, .none) }
      return succeed(vertex, changed: false)
    }
    if semaphoreIDs[vertex] != nil, !acquire(vertex) { return }
    begin(vertex, refresh: refresh)
  }

  private mutating func begin(_ vertex: Int, refresh: Bool) {
    if refresh {
      takeRefresh(vertex, .taken)
      set(vertex, .refreshing)
    }
    set(vertex, .running)
    actions.append(.check(vertex, refresh: refresh))
  }

  private mutating func takeRefresh(_ vertex: Int, _ state: Refresh) {
    for index in incomingEdges(vertex) where edges[index].refresh == .pending { edges[index].refresh = state }
  }

  /// Notifies, takes the time, pokes those that wait: in this order.
  private mutating func succeed(_ vertex: Int, changed: Bool) {
    clock += 1
    vertices[vertex].timestamp = clock
    guard changed || vertices[vertex].waiters > 0, vertex + 1 < outgoingStart.count else { return }
    for position in outgoingStart[vertex]..<outgoingStart[vertex + 1] {
      let index = Int(outgoing[Int(position)])
      let to = Int(edges[index].to)
      if changed, edges[index].notify {
        edges[index].refresh = .pending
        queue.append(to)
      }
      guard edges[index].waiting else { continue }
      edges[index].waiting = false
      vertices[vertex].waiters -= 1
      vertices[to].blockedOn -= 1
      if vertices[to].blockedOn == 0 { queue.append(to) }
    }
  }

  private func incomingEdges(_ vertex: Int) -> Range<Int> {
    guard vertex + 1 < incoming.count else { return 0..<0 }
    return Int(incoming[vertex])..<Int(incoming[vertex + 1])
  }

  // MARK: Failures

  /// The next attempt waits twice as long as the one before: 50 ms to a minute after the failure.
  private mutating func retryLater(_ vertex: Int, now: UInt64) {
    guard flags(of: vertex).isDisjoint(with: [.wakePending, .watchFailed]) else { return }
    let pause = min(
      UInt64(60_000), UInt64(50) << UInt64(min(vertices[vertex].failures, 12) - (vertices[vertex].failures > 0 ? 1 : 0)))
    let due = vertices[vertex].failedAt + pause
    set(vertex, .wakePending)
    actions.append(.wakeLater(vertex, milliseconds: due > now ? due - now : 0))
  }

  // MARK: Semaphores

  /// One after the other in the order of their ids; true: it has them all.
  private mutating func acquire(_ vertex: Int) -> Bool {
    guard let ids = semaphoreIDs[vertex] else { return true }
    var held = semaphoresHeld[vertex] ?? 0
    while held < ids.count {
      guard semaphores.take(ids[held], for: vertex) else {
        semaphoresHeld[vertex] = held
        set(vertex, .acquiring)
        return false
      }
      held += 1
    }
    semaphoresHeld[vertex] = held
    return true
  }

  private mutating func releaseSemaphores(_ vertex: Int) {
    guard let ids = semaphoreIDs[vertex], let held = semaphoresHeld.removeValue(forKey: vertex) else { return }
    for id in ids.prefix(held) { handOn(id) }
  }

  /// Gives one back; the vertex that gets it goes on where it stood in line.
  private mutating func handOn(_ id: String) {
    guard let next = semaphores.give(id) else { return }
    semaphoresHeld[next, default: 0] += 1
    clear(next, .acquiring)
    queue.append(next)
  }

  private mutating func giveUpAcquiring(_ vertex: Int) {
    guard flags(of: vertex).contains(.acquiring), let ids = semaphoreIDs[vertex] else { return }
    clear(vertex, .acquiring)
    let held = semaphoresHeld[vertex] ?? 0
    if held < ids.count { semaphores.leave(ids[held], vertex) }
    releaseSemaphores(vertex)
  }

  // MARK: Flags and their counts

  private mutating func set(_ vertex: Int, _ flag: Flags) {
    guard vertices[vertex].flags.isDisjoint(with: flag) else { return }
    vertices[vertex].flags.insert(flag)
    count(vertex, flag, 1)
  }

  private mutating func clear(_ vertex: Int, _ flag: Flags) {
    guard vertices.indices.contains(vertex), vertices[vertex].flags.contains(flag) else { return }
    vertices[vertex].flags.remove(flag)
    count(vertex, flag, -1)
  }

  private mutating func count(_ vertex: Int, _ flag: Flags, _ step: Int) {
    switch flag {
    case .started: startedCount += step
    case .running: runningCount += step
    case .dirty: dirtyCount += step
    case .failed: failedCount += step
    case .acquiring: acquiringCount += step
    case .wakePending where vertices[vertex].failures < Self.hopefulFailures: hopefulCount += step
    default: break
    }
  }
}
