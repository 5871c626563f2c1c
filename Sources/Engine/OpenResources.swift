// SPDX-License-Identifier: Apache-2.0

public import Graph

extension Engine {
  /// Resources that only look, and could not be checked, though that may be because others before them would be changed first: as the service
  /// of a package that is to be installed. For each, those others.
  public func openResources() -> [ResourceID: [ResourceID]] {
    var open: [Int: [ResourceID]] = [:]
    var waiting: [Int: [Int]] = [:]
    var missing: [Int: Int] = [:]
    for (slot, entry) in entries.enumerated() {
      guard let entry, entry.meta.noop else { continue }
      if entry.failure != nil {
        let first = differing(before: slot)
        if !first.isEmpty { open[slot] = first }
      } else if !entry.wasChecked, !entry.meta.hidden {
        let blockers = scheduler.blockers(of: slot)
        missing[slot] = blockers.count
        for blocker in blockers { waiting[blocker, default: []].append(slot) }
      }
    }
    // What waits only for what is open is open too.
    var front = Array(open.keys)
    while let next = front.popLast() {
      for slot in waiting[next] ?? [] {
        missing[slot, default: 0] -= 1
        guard missing[slot] == 0 else { continue }
        open[slot] = open[next]
        front.append(slot)
      }
    }
    var result: [ResourceID: [ResourceID]] = [:]
    for (slot, first) in open {
      guard let entry = entries[slot] else { continue }
      result[entry.resource.id] = first
      for member in entry.members { result[member.resource.id] = first }
    }
    return result
  }

  /// The resources before a vertex, at any distance, that are not as asked and were left alone because of noop. Sorted by name.
  func differing(before slot: Int) -> [ResourceID] {
    var found: [ResourceID] = []
    var (seen, front): (Set<Int>, [Int]) = ([slot], [slot])
    while let next = front.popLast() {
      for parent in scheduler.parents(of: next) where seen.insert(parent).inserted {
        front.append(parent)
        if let entry = entries[parent], entry.differs { found.append(entry.resource.id) }
      }
    }
    return found.sorted { ($0.kind, $0.name) < ($1.kind, $1.name) }
  }
}
