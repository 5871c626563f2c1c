// SPDX-License-Identifier: Apache-2.0

extension Scheduler {
  /// No check is started until `resume`.
  mutating func pause() { isPaused = true }

  mutating func resume() {
    guard isPaused else { return }
    isPaused = false
    pokeAll()
  }

  /// The watch is armed: the first check may run. It counts as the watch's first event. `now`: milliseconds of any clock that
  /// goes forward.
  mutating func ready(_ vertex: Int, now: UInt64) {
    guard flags(of: vertex).contains(.exists) else { return }
    set(vertex, .started)
    if flags(of: vertex).contains(.dirty) { throttle(vertex, now: now) }
    poke(vertex)
  }

  /// Its watch is being armed again, or will be: what happens is not seen, so nothing is checked until it is `ready` again.
  mutating func watchLost(_ vertex: Int) {
    guard flags(of: vertex).contains(.exists) else { return }
    if flags(of: vertex).contains(.watchFailed) {
      clear(vertex, .watchFailed)
      clear(vertex, .failed)
    }
    clear(vertex, .started)
    giveUpAcquiring(vertex)
    set(vertex, flags(of: vertex).contains(.running) ? .eventWhileRunning : .dirty)
  }

  /// Its state may have changed.
  mutating func event(_ vertex: Int, now: UInt64) { becomeDirty(vertex, now: now, takesToken: true) }

  /// What it receives has changed.
  mutating func received(_ vertex: Int, now: UInt64) { becomeDirty(vertex, now: now, takesToken: false) }

  private mutating func becomeDirty(_ vertex: Int, now: UInt64, takesToken: Bool) {
    let flags = flags(of: vertex)
    guard flags.contains(.exists), !flags.contains(.hidden) else { return }
    if takesToken { throttle(vertex, now: now) }
    if flags.contains(.running) { return set(vertex, .eventWhileRunning) }
    set(vertex, .dirty)
    if flags.contains(.failed) { return retryLater(vertex, now: now) }
    poke(vertex)
  }

  /// The time asked for by `wakeLater` has passed.
  mutating func wake(_ vertex: Int, _ pause: Pause) {
    switch pause {
    case .retry:
      guard flags(of: vertex).contains(.wakePending) else { return }
      clear(vertex, .wakePending)
      clear(vertex, .retrying)
      guard !flags(of: vertex).contains(.watchFailed) else { return }
      clear(vertex, .failed)
    case .limit: clear(vertex, .throttled)
    case .fight: clear(vertex, .resting)
    case .fault:
      guard patience[vertex] != nil, flags(of: vertex).isDisjoint(with: .watchFailed) else { return }
      // What an event wanted to have tried again is tried again by this.
      clear(vertex, .wakePending)
      clear(vertex, .retrying)
      clear(vertex, .failed)
    }
    poke(vertex)
  }

  /// The watch is lost, and nobody waits for it: until it is armed again (`watchLost`, `ready`) it stands aside as something that failed.
  mutating func watchFailed(_ vertex: Int) {
    guard flags(of: vertex).contains(.exists) else { return }
    clear(vertex, .retrying)
    clear(vertex, .throttled)
    set(vertex, .watchFailed)
    set(vertex, .started)
    set(vertex, .failed)
    set(vertex, flags(of: vertex).contains(.running) ? .eventWhileRunning : .dirty)
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
      let isDone =
        switch result {
        case .success, .differs: true
        case .failure, .fault, .cancelled: false
        }
      for edge in incomingEdges(vertex) where edges[edge].refresh == .taken {
        edges[edge].refresh = isDone ? .none : .pending
      }
    }
    releaseSemaphores(vertex)
    switch result {
    case .success(let changed): succeeded(vertex, notifying: changed ? .all : .none, eventCame: eventCame)
    case .differs: succeeded(vertex, notifying: .lookers, eventCame: eventCame)
    case .failure, .fault:
      vertices[vertex].failures += vertices[vertex].failures < 100 ? 1 : 0
      vertices[vertex].failedAt = now
      set(vertex, .dirty)
      set(vertex, .failed)
      failed(vertex, isFault: result.isFault, eventCame: eventCame, now: now)
    case .cancelled:
      if eventCame {
        set(vertex, .dirty)
        queue.append(vertex)
      }
    }
  }

  private mutating func succeeded(_ vertex: Int, notifying audience: Audience, eventCame: Bool) {
    vertices[vertex].failures = 0
    patience[vertex] = nil
    policies[vertex]?.retry.succeeded()
    if !flags(of: vertex).contains(.watchFailed) { clear(vertex, .failed) }
    set(vertex, .succeededBefore)
    if eventCame { set(vertex, .dirty) } else { clear(vertex, .dirty) }
    succeed(vertex, notifying: audience)
    if needsWork(vertex) { queue.append(vertex) }
  }
}

extension Scheduler.Result {
  fileprivate var isFault: Bool {
    if case .fault = self { return true }
    return false
  }
}
