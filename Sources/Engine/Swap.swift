// SPDX-License-Identifier: Apache-2.0

import Diagnostics
public import Graph

/// A graph on its way in: it waits until those it replaces have ended their checks.
struct Swap {
  var graph: ResourceGraph
  /// Slots to be emptied.
  var leaving: [Int]
}

extension Engine {
  /// Takes a graph over: resources that are the same run on with their watches, state and pending work, the others end and begin.
  /// A graph that is not valid is refused (`graphRejected`) and the one before goes on. The latest graph wins.
  public func apply(_ graph: ResourceGraph) {
    var diagnostics = graph.check()
    if diagnostics.isEmpty { diagnostics = validate(graph) }
    guard diagnostics.isEmpty else { return onEvent(.graphRejected(diagnostics)) }

    for slot in swap?.leaving ?? [] { scheduler.reopen(slot) }
    let kept = keptSlots(of: graph)
    let leaving = entries.indices.filter { entries[$0] != nil && !kept.contains($0) }
    for slot in leaving { scheduler.close(slot) }
    swap = Swap(graph: graph, leaving: leaving)
    flush()
  }

  /// Only those that are new or changed are asked; the others were.
  private func validate(_ graph: ResourceGraph) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    for resource in graph.resources {
      if let slot = slots[resource.id], let old = entries[slot]?.resource, old.isEquivalent(to: resource) { continue }
      if let diagnostic = factory.validate(resource) { diagnostics.append(diagnostic) }
      if diagnostics.count >= 20 { break }
    }
    return diagnostics
  }

  private func keptSlots(of graph: ResourceGraph) -> Set<Int> {
    guard !slots.isEmpty else { return [] }
    var kept: Set<Int> = []
    kept.reserveCapacity(slots.count)
    for resource in graph.resources {
      guard let slot = slots[resource.id], let entry = entries[slot] else { continue }
      if entry.instance != nil, entry.resource.isEquivalent(to: resource) { kept.insert(slot) }
    }
    return kept
  }

  /// Called whenever something has ended: when all that leave are idle the graph comes in.
  func continueSwap() {
    guard let swap, swap.leaving.allSatisfy({ !scheduler.flags(of: $0).contains(.running) }) else { return }
    self.swap = nil
    commit(swap)
  }

  private func commit(_ swap: Swap) {
    scheduler.pause()
    for slot in swap.leaving { end(slot) }
    var added: [Int] = []
    for resource in swap.graph.resources {
      if let slot = slots[resource.id] {
        entries[slot]?.resource.origin = resource.origin
      } else {
        added.append(begin(resource))
      }
    }
    let places = swap.graph.resources.map { slots[$0.id] ?? 0 }
    scheduler.replaceEdges(
      swap.graph.edges.map { Scheduler.Edge(from: places[$0.from], to: places[$0.to], notify: $0.notify) })
    graphName = swap.graph.name
    onEvent(
      .graphStarted(
        GraphSummary(
          name: swap.graph.name, vertices: swap.graph.resources.count, edges: swap.graph.edges.count,
          kept: swap.graph.resources.count - added.count, added: added.count, removed: swap.leaving.count)))
    startConvergenceClock()
    if !isHeld { scheduler.resume() }
    // From here on each is checked as soon as its watch is armed, while the others are still being armed.
    for slot in added { arm(slot) }
    flush()
  }

  private func end(_ slot: Int) {
    guard let entry = entries[slot] else { return }
    entry.instance?.unwatch()
    entry.instance?.destroy()
    scheduler.remove(slot)
    slots[entry.resource.id] = nil
    entries[slot] = nil
    freeSlots.append(slot)
  }

  private func begin(_ resource: Resource) -> Int {
    let slot = freeSlots.popLast() ?? entries.count
    if slot == entries.count { entries.append(nil) }
    var semaphores = resource.meta.semaphores
    if options.semaphoreSize > 0 { semaphores.append(":\(options.semaphoreSize)") }
    scheduler.add(
      slot, refreshable: factory.schema(of: resource.id.kind)?.isRefreshable ?? false, semaphores: semaphores)
    slots[resource.id] = slot
    entries[slot] = Entry(resource: resource)
    do throws(MgmtError) {
      entries[slot]?.instance = try factory.make(resource, slot: slot, owner: self)
    } catch {
      fail(slot, error)
    }
    return slot
  }

  private func arm(_ slot: Int) {
    guard let instance = entries[slot]?.instance else { return }
    do throws(MgmtError) {
      try instance.watch()
    } catch {
      fail(slot, error)
    }
  }

  private func fail(_ slot: Int, _ error: MgmtError) {
    if let reason = error.diagnostics.first { watchFailed(slot: slot, reason) }
  }

  /// Ends every resource: watches off, instances gone. Nothing may be running, and nothing is asked of the engine afterwards: what it
  /// remembers goes with the process.
  public func end() {
    for entry in entries {
      entry?.instance?.unwatch()
      entry?.instance?.destroy()
    }
  }
}
