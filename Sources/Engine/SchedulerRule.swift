// SPDX-License-Identifier: Apache-2.0

/// The rule: a vertex runs when all before it succeeded more recently than itself.
extension Scheduler {
  mutating func poke(_ vertex: Int) { queue.append(vertex) }

  mutating func pokeAll() {
    guard !isPaused else { return }
    for vertex in vertices.indices where needsWork(vertex) || vertices[vertex].waiters > 0 { queue.append(vertex) }
  }

  mutating func drain() {
    guard !isPaused else { return queue.removeAll() }
    var next = 0
    while next < queue.count {
      process(queue[next])
      next += 1
    }
    queue.removeAll(keepingCapacity: true)
  }

  func needsWork(_ vertex: Int) -> Bool {
    let flags = vertices[vertex].flags
    return flags.contains(.exists)
      && (flags.contains(.dirty) || incomingEdges(vertex).contains { edges[$0].refresh == .pending })
  }

  mutating func process(_ vertex: Int) {
    if !advance(vertex), vertices[vertex].flags.isDisjoint(with: [.running, .acquiring]) {
      // It was handed what it waited for, and now something else is in its way: others must not wait for it.
      releaseSemaphores(vertex)
    }
  }

  /// Whether it runs now.
  private mutating func advance(_ vertex: Int) -> Bool {
    let flags = vertices[vertex].flags
    guard flags.isSuperset(of: [.exists, .started]), vertices[vertex].blockedOn == 0 else { return false }
    guard flags.isDisjoint(with: [.running, .failed, .closing, .acquiring, .throttled, .resting]) else { return false }
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
    guard vertices[vertex].blockedOn == 0 else { return false }
    let mustRefresh = refresh && flags.contains(.refreshable)
    guard flags.contains(.dirty) || mustRefresh else {
      if refresh { takeRefresh(vertex, .none) }
      succeed(vertex)
      return false
    }
    if semaphoreIDs[vertex] != nil, !acquire(vertex) { return false }
    begin(vertex, refresh: refresh)
    return true
  }

  mutating func begin(_ vertex: Int, refresh: Bool) {
    if refresh {
      takeRefresh(vertex, .taken)
      set(vertex, .refreshing)
    }
    set(vertex, .running)
    actions.append(.check(vertex, refresh: refresh))
  }

  mutating func takeRefresh(_ vertex: Int, _ state: Refresh) {
    for index in incomingEdges(vertex) where edges[index].refresh == .pending { edges[index].refresh = state }
  }

  /// Whom a success notifies.
  enum Audience {
    case none, lookers, all
  }

  /// Notifies, takes the time, pokes those that wait: in this order.
  mutating func succeed(_ vertex: Int, notifying audience: Audience = .none) {
    clock += 1
    vertices[vertex].timestamp = clock
    guard audience != .none || vertices[vertex].waiters > 0, vertex + 1 < outgoingStart.count else { return }
    for position in outgoingStart[vertex]..<outgoingStart[vertex + 1] {
      let index = Int(outgoing[Int(position)])
      let to = Int(edges[index].to)
      if edges[index].notify, audience == .all || audience == .lookers && vertices[to].flags.contains(.looksOnly) {
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

  func incomingEdges(_ vertex: Int) -> Range<Int> {
    guard vertex + 1 < incoming.count else { return 0..<0 }
    return Int(incoming[vertex])..<Int(incoming[vertex + 1])
  }
}
