// SPDX-License-Identifier: Apache-2.0

import Diagnostics
public import Graph

/// A graph on its way in: it waits until those it replaces have ended their checks.
struct Swap {
  var compiled: CompiledGraph
  /// Slots to be emptied.
  var leaving: [Int]
  /// Those that leave are not started any more. Before that, those that must be realized get their turn.
  var isClosing = false
}

/// A graph half compiled: kinds find out what its automatic edges are.
struct Preparation {
  var graph: ResourceGraph
  var compiler: Compiler
  /// Graphs that came since, which must not pass it over.
  var newer: [ResourceGraph] = []
}

extension Engine {
  /// Takes a graph over: resources that are the same run on with their watches, state and pending work, the others end and begin.
  /// A graph that is not valid is refused (`graphRejected`) and the one before goes on. The latest graph wins, but not over one
  /// on its way in with resources that must be realized.
  public func apply(_ graph: ResourceGraph) {
    if let preparing, preparing.graph.mustRealize(before: graph) {
      while let last = self.preparing?.newer.last, !last.mustRealize(before: graph) { self.preparing?.newer.removeLast() }
      self.preparing?.newer.append(graph)
    } else {
      compile(graph)
    }
    flush()
  }

  // MARK: Compiling

  /// Compiled first: a graph that is refused must not displace a good one on its way in.
  private func compile(_ graph: ResourceGraph, newer: [ResourceGraph] = []) {
    abandonPreparation()
    let compiler = Compiler(engine: self, graph: graph)
    do throws(MgmtError) {
      let kinds = try compiler.begin()
      if !kinds.isEmpty {
        preparing = Preparation(graph: graph, compiler: compiler, newer: newer)
        return factory.prepare(kinds) { [weak self] warnings in self?.prepared(compiler, warnings) }
      }
      try take(compiler.finish(), graph)
    } catch {
      onEvent(.graphRejected(error.diagnostics))
    }
    waitingGraphs += newer
  }

  private func prepared(_ compiler: Compiler, _ warnings: [Diagnostic]) {
    guard let preparing, preparing.compiler === compiler else { return }
    self.preparing = nil
    compiler.compiled.warnings += warnings
    do throws(MgmtError) {
      try take(compiler.finish(), preparing.graph)
    } catch {
      onEvent(.graphRejected(error.diagnostics))
    }
    waitingGraphs += preparing.newer
    flush()
  }

  private func take(_ compiled: CompiledGraph, _ graph: ResourceGraph) {
    while let last = waitingGraphs.last, !last.mustRealize(before: graph) { waitingGraphs.removeLast() }
    if waitingGraphs.isEmpty, let swap, !swap.compiled.graph.mustRealize(before: graph) { abandon(swap) }
    if swap == nil {
      swap = Swap(compiled: compiled, leaving: leaving(compiled))
    } else {
      compiled.discard()
      waitingGraphs.append(graph)
    }
  }

  /// What was being prepared, and is not any more.
  @discardableResult
  private func abandonPreparation() -> Preparation? {
    guard let preparing else { return nil }
    self.preparing = nil
    preparing.compiler.compiled.discard()
    return preparing
  }

  private func abandon(_ swap: Swap) {
    if swap.isClosing {
      for slot in swap.leaving { scheduler.reopen(slot) }
    }
    swap.compiled.discard()
    self.swap = nil
  }

  /// Compiles the next graph that waits when there is none on its way in.
  private func beginSwap() {
    // What is being prepared was compared with what ran before.
    if let stale = abandonPreparation() { compile(stale.graph, newer: stale.newer) }
    while swap == nil, preparing == nil, !waitingGraphs.isEmpty { compile(waitingGraphs.removeFirst()) }
  }

  /// The slots of all that runs and is not in the graph as it is.
  private func leaving(_ compiled: CompiledGraph) -> [Int] {
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
    guard swap.leaving.allSatisfy({ !scheduler.flags(of: $0).contains(.running) }) else { return }
    self.swap = nil
    isCommitting = true
    commit(swap)
    isCommitting = false
    beginSwap()
    if self.swap != nil { flush() }
  }

  /// Whether a resource that leaves has yet to be realized, and can be: nothing has failed for good on the way to it.
  private func mustWaitFor(_ slot: Int) -> Bool {
    guard entries[slot]?.meta.realize == true else { return false }
    let flags = scheduler.flags(of: slot)
    if !flags.isDisjoint(with: [.succeededBefore, .hidden]) { return false }
    if flags.contains(.failed), !flags.contains(.retrying) { return false }
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
      let inheritance = Inheritance(slot: slot, entry, scheduler)
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
    if let heir, !entry.meta.reset {
      treatment.retry.used = heir.checkRetries
      entry.watchRetries = heir.watchRetries
    }
    scheduler.add(slot, treatment)
    entries[slot] = entry
  }

  private func part(_ position: Int, _ compiled: CompiledGraph, place: Place, leader: Int) -> Part {
    let resource = compiled.graph.resources[position]
    let instance = compiled.instances[position]
    instance?.place = place
    var part = Part(resource: resource, instance: instance, leader: leader)
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
    if entry.isReversal, scheduler.isClean(slot), !entry.meta.noop { factory.forgetReversal(of: entry.resource.id) }
    scheduler.remove(slot)
    for part in [entry.leader] + entry.members {
      if part.resource.meta.hidden { hiddenPlaces[part.resource.id] = nil }
      memberPlaces[part.resource.id] = nil
    }
    if !entry.meta.hidden { slots[entry.resource.id] = nil }
    entries[slot] = nil
  }

  /// Ends every resource: watches off, instances gone. Nothing may be running, and nothing is asked of the engine afterwards: what it
  /// remembers goes with the process.
  public func end() {
    abandonPreparation()
    swap?.compiled.discard()
    for (slot, entry) in entries.enumerated() {
      guard let entry else { continue }
      entry.leader.instance?.unwatch()
      entry.forEachInstance { $0.destroy() }
      if entry.isReversal, scheduler.isClean(slot), !entry.meta.noop { factory.forgetReversal(of: entry.resource.id) }
    }
  }

  // MARK: News

  private func report(
    _ compiled: CompiledGraph, _ places: [Place], added: [CompiledGraph.Vertex], removed: Int, edges: Int
  ) {
    var summary = CompileSummary()
    summary.duration = compiled.duration
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
          added: added.count, removed: removed)))
  }
}

/// What a changed resource takes over from the one it replaces.
private struct Inheritance {
  var slot: Int
  var checkRetries: Int
  var watchRetries: UInt16

  init(slot: Int, _ entry: Entry, _ scheduler: Scheduler) {
    self.slot = slot
    checkRetries = scheduler.retriesUsed(of: slot)
    watchRetries = entry.watchRetries
  }
}

extension ResourceGraph {
  /// Whether a resource of this graph must be as asked at least once and `next` has it differently or not at all.
  fileprivate func mustRealize(before next: ResourceGraph) -> Bool {
    let urgent = resources.filter { $0.meta.realize && !$0.meta.hidden }
    guard !urgent.isEmpty else { return false }
    var ids: [ResourceID: Int] = [:]
    for (position, resource) in next.resources.enumerated() where !resource.meta.hidden { ids[resource.id] = position }
    return urgent.contains { resource in
      guard let position = ids[resource.id] else { return true }
      return !next.resources[position].isEquivalent(to: resource)
    }
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
    self.init(isRefreshable: isRefreshable, isHidden: meta.hidden)
    retry = RetryPolicy(limit: Int(meta.retry), delay: meta.delay, resets: meta.retryReset)
    if meta.limit.isFinite { bucket = TokenBucket(limit: meta.limit, burst: meta.burst) }
    semaphores = meta.semaphores
    for member in entry.members {
      for id in member.resource.meta.semaphores where !semaphores.contains(id) { semaphores.append(id) }
    }
  }
}
