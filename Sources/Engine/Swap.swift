// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph

/// A graph on its way in: it waits until those it replaces have ended their checks.
struct Swap {
  var compiled: CompiledGraph
  /// Slots to be emptied.
  var leaving: [Int]
  /// Those that leave are not started any more. Before that, those that must be realized get their turn.
  var isClosing = false
  /// Of those that leave so many, from the first, run no check any more.
  var idle = 0
}

extension Engine {
  /// A newer graph takes the place of one on its way in. What was leaving and is in the newer one, too, goes on; the rest stays closed: it
  /// is not put right once more on its way out.
  func replace(_ old: Swap, with new: Swap) {
    if old.isClosing {
      let leaving = Set(new.leaving)
      for slot in old.leaving where !leaving.contains(slot) { scheduler.reopen(slot) }
    }
    old.compiled.discard()
    swap = new
  }

  /// The slots of all that runs and is not in the graph as it is.
  func leaving(_ compiled: CompiledGraph) -> [Int] {
    var kept = [Bool](repeating: false, count: entries.count)
    for case let slot? in compiled.vertices.lazy.map(\.keptSlot) { kept[slot] = true }
    return entries.indices.filter { entries[$0] != nil && !kept[$0] }
  }

  /// Called whenever something has ended: when all that leave are idle the graph comes in.
  func continueSwap() {
    // A graph applied from within the news of another, or by a check of it that is quick, waits until that one is in.
    guard !isCommitting else { return }
    guard var swap else {
      guard preparing == nil, !waitingGraphs.isEmpty else { return }
      beginSwap()
      return self.swap == nil ? () : flush()
    }
    if !swap.isClosing {
      guard !swap.leaving.contains(where: mustWaitFor) else { return }
      swap.isClosing = true
      self.swap = swap
      for slot in swap.leaving { scheduler.close(slot) }
    }
    while swap.idle < swap.leaving.count, !scheduler.flags(of: swap.leaving[swap.idle]).contains(.running) { swap.idle += 1 }
    guard swap.idle == swap.leaving.count else {
      self.swap = swap
      return
    }
    self.swap = nil
    isCommitting = true
    commit(swap)
    isCommitting = false
    beginSwap()
    if self.swap != nil { flush() }
  }

  /// Whether a resource that leaves has yet to be realized, and can be: nothing has failed for good on the way to it.
  private func mustWaitFor(_ slot: Int) -> Bool {
    guard let entry = entries[slot], entry.meta.realize || entry.members.contains(where: \.resource.meta.realize) else {
      return false
    }
    let flags = scheduler.flags(of: slot)
    // One that is closed has had its turn, before the graph that was to come in first.
    if !flags.isDisjoint(with: [.succeededBefore, .hidden, .closing]) { return false }
    if flags.contains(.failed), !flags.contains(.retrying) || scheduler.isHopeless(slot) { return false }
    return !scheduler.isQuiet
  }

  // MARK: Coming in

  private func commit(_ swap: Swap) {
    scheduler.pause()
    let compiled = swap.compiled
    let places = exchange(swap)
    let edges = compiled.groupedEdges
    scheduler.replaceEdges(
      edges.map { Scheduler.Edge(from: places[$0.from].slot, to: places[$0.to].slot, notify: $0.notify) })
    connect(compiled, places)
    graphName = compiled.graph.name
    let added = compiled.vertices.filter { $0.keptSlot == nil }
    report(compiled, places, added: added, removed: swap.leaving.count, edges: edges.count)
    startConvergenceClock()
    if !isHeld { scheduler.resume() }
    // From here on each is checked as soon as its watch is armed, while the others are still being armed.
    for vertex in added { arm(places[vertex.leader].slot) }
    flush()
  }

  /// Ends those that leave and begins those that come. Returns where every resource is.
  private func exchange(_ swap: Swap) -> [Place] {
    let compiled = swap.compiled
    // A changed resource takes the slot of the one it replaces: notifications on their way to it, or from it, stay.
    var heritage: [ResourceID: Inheritance] = [:]
    var vacant = Set(swap.leaving)
    for slot in swap.leaving {
      guard let entry = entries[slot] else { continue }
      let inheritance = Inheritance(slot: slot, scheduler)
      if !entry.meta.hidden { for part in [entry.leader] + entry.members { heritage[part.resource.id] = inheritance } }
      end(slot)
    }
    func heir(_ vertex: CompiledGraph.Vertex) -> Inheritance? {
      guard !vacant.isEmpty, !compiled.graph.resources[vertex.leader].meta.hidden else { return nil }
      for position in [vertex.leader] + vertex.members {
        guard let inheritance = heritage[compiled.graph.resources[position].id] else { continue }
        if vacant.remove(inheritance.slot) != nil { return inheritance }
      }
      return nil
    }
    var places = [Place](repeating: Place(slot: 0), count: compiled.graph.resources.count)
    var newcomers: [CompiledGraph.Vertex] = []
    for vertex in compiled.vertices {
      if let slot = vertex.keptSlot {
        keep(vertex, slot, compiled, &places)
      } else if let inheritance = heir(vertex) {
        begin(vertex, inheritance.slot, compiled, &places, inheritance)
      } else {
        newcomers.append(vertex)
      }
    }
    scheduler.forgetNotifications(of: vacant)
    freeSlots.append(contentsOf: vacant.sorted())
    for vertex in newcomers {
      let slot = freeSlots.popLast() ?? entries.count
      if slot == entries.count { entries.append(nil) }
      begin(vertex, slot, compiled, &places, nil)
    }
    return places
  }

  private func keep(_ vertex: CompiledGraph.Vertex, _ slot: Int, _ compiled: CompiledGraph, _ places: inout [Place]) {
    places[vertex.leader] = Place(slot: slot)
    entries[slot]?.leader.resource.origin = compiled.graph.resources[vertex.leader].origin
    for (index, member) in vertex.members.enumerated() {
      places[member] = Place(slot: slot, part: index + 1)
      entries[slot]?.members[index].resource.origin = compiled.graph.resources[member].origin
    }
  }

  private func begin(
    _ vertex: CompiledGraph.Vertex, _ slot: Int, _ compiled: CompiledGraph, _ places: inout [Place], _ heir: Inheritance?
  ) {
    var parts: [Int: Int] = [vertex.leader: 0]
    var members: [Part] = []
    places[vertex.leader] = Place(slot: slot)
    for (index, member) in vertex.members.enumerated() {
      parts[member] = index + 1
      places[member] = Place(slot: slot, part: index + 1)
      members.append(
        part(member, compiled, place: places[member], leader: parts[Int(compiled.leaders[member])] ?? 0))
    }
    var entry = Entry(
      leader: part(vertex.leader, compiled, place: places[vertex.leader], leader: 0), members: members,
      isReversal: compiled.isReversal(vertex.leader))
    entry.failure = compiled.failures[vertex.leader]
    entry.dirtySince = now()
    var treatment = Scheduler.Treatment(
      entry, isRefreshable: factory.schema(of: entry.resource.id.kind)?.isRefreshable ?? false)
    if let heir, !entry.meta.reset { treatment.retry.used = heir.checkRetries }
    if entry.failure != nil { failureCount += 1 }
    scheduler.add(slot, treatment)
    entries[slot] = entry
  }

  private func part(_ position: Int, _ compiled: CompiledGraph, place: Place, leader: Int) -> Part {
    let resource = compiled.graph.resources[position]
    let instance = compiled.instances[position]
    instance?.place = place
    var part = Part(resource: resource, instance: instance, leader: leader, secrets: secretMask(of: resource))
    if let receptions = compiled.receptions[position] {
      let exchange = Exchange()
      exchange.receptions = receptions
      part.exchange = exchange
    }
    if resource.meta.hidden {
      hiddenPlaces[resource.id] = place
    } else {
      if place.part == 0 { slots[resource.id] = place.slot } else { memberPlaces[resource.id] = place }
    }
    return part
  }

  private func end(_ slot: Int) {
    guard let entry = entries[slot] else { return }
    entry.timers?.cancel()
    entry.leader.instance?.unwatch()
    entry.forEachInstance { $0.destroy() }
    scheduler.remove(slot)
    setFailure(nil, of: slot)
    lostWatches.remove(slot)
    endFight(slot, entry.resource.id)
    for part in [entry.leader] + entry.members {
      if part.resource.meta.hidden { hiddenPlaces[part.resource.id] = nil }
      memberPlaces[part.resource.id] = nil
    }
    if !entry.meta.hidden { slots[entry.resource.id] = nil }
    entries[slot] = nil
  }

  /// Ends every resource: watches off, instances gone, but for those a check still runs on. Nothing is asked of the engine afterwards:
  /// what it remembers goes with the process.
  public func end() {
    abandonPreparation()
    swap?.compiled.discard()
    for (slot, entry) in entries.enumerated() {
      guard let entry else { continue }
      entry.leader.instance?.unwatch()
      // Another thread is in there.
      guard !scheduler.flags(of: slot).contains(.running) else { continue }
      entry.forEachInstance { $0.destroy() }
    }
  }

  // MARK: News

  private func report(
    _ compiled: CompiledGraph, _ places: [Place], added: [CompiledGraph.Vertex], removed: Int, edges: Int
  ) {
    var summary = CompileSummary()
    summary.duration = compiled.duration
    summary.grouper = options.grouper.name
    let resources = compiled.graph.resources
    let automatic = compiled.graph.edges[min(compiled.firstAutomaticEdge, compiled.graph.edges.count)...]
    summary.edgeCount = automatic.count
    let known = automaticEdges
    func key(_ edge: ResourceEdge) -> UInt64 {
      UInt64(UInt32(places[edge.from].slot)) << 32 | UInt64(UInt32(places[edge.to].slot))
    }
    summary.edges = automatic.filter { !known.containsSorted(key($0)) }.map { (resources[$0.from].id, resources[$0.to].id) }
    automaticEdges = automatic.map(key).sorted()
    for vertex in compiled.vertices { summary.memberCount += vertex.members.count }
    for vertex in added {
      for member in vertex.members {
        summary.groups.append((resources[member].id, resources[Int(compiled.leaders[member])].id))
      }
    }
    if !compiled.warnings.isEmpty { onEvent(.warnings(compiled.warnings)) }
    onEvent(.compiled(summary))
    onEvent(
      .graphStarted(
        GraphSummary(
          name: graphName, vertices: compiled.vertices.count, edges: edges, kept: compiled.vertices.count - added.count,
          added: added.count, removed: removed, number: compiled.graph.number)))
  }
}

/// What a changed resource takes over from the one it replaces.
private struct Inheritance {
  var slot: Int
  var checkRetries: Int

  init(slot: Int, _ scheduler: Scheduler) {
    self.slot = slot
    checkRetries = scheduler.retriesUsed(of: slot)
  }
}

extension [UInt64] {
  /// Binary search; the array is sorted.
  fileprivate func containsSorted(_ element: UInt64) -> Bool {
    var range = 0..<count
    while let middle = range.isEmpty ? nil : (range.lowerBound + range.upperBound) / 2 {
      if self[middle] == element { return true }
      range = self[middle] < element ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return false
  }
}

extension Scheduler.Treatment {
  fileprivate init(_ entry: Entry, isRefreshable: Bool) {
    let meta = entry.meta
    self.init(isRefreshable: isRefreshable, isHidden: meta.hidden, looksOnly: meta.noop)
    retry = RetryPolicy(limit: Int(meta.retry), delay: meta.delay, resets: meta.retryReset)
    if meta.limit.isFinite { bucket = TokenBucket(limit: meta.limit, burst: meta.burst) }
    semaphores = meta.semaphores
    for member in entry.members {
      for id in member.resource.meta.semaphores where !semaphores.contains(id) { semaphores.append(id) }
    }
  }
}
