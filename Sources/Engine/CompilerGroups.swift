// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph

/// Automatic groups: resources of which one can look after all.
extension Compiler {
  func findGroups() {
    var buckets: [Substring: [Int]] = [:]
    for (position, resource) in compiled.graph.resources.enumerated() where mayTakePart(resource, position) {
      buckets[resource.id.kind.prefix { $0 != ":" }, default: []].append(position)
    }
    var isCandidate = [Bool](repeating: false, count: compiled.graph.resources.count)
    var isSterile = isCandidate
    for bucket in buckets.values where bucket.count > 1 { consider(bucket, &isCandidate, &isSterile) }
    guard isCandidate.contains(true) else { return }
    let problem = GroupingProblem(
      ids: compiled.graph.resources.map(\.id), isCandidate: isCandidate, edges: compiled.graph.edges
    ) { [self] leader, member in
      guard !isSterile[leader] else { return false }
      let (mine, other) = (compiled.graph.resources[leader], compiled.graph.resources[member])
      guard traits(of: mine.id.kind).contains(.leads), mine.meta.isTreated(as: other.meta), let first = instance(leader),
        let second = instance(member)
      else { return false }
      return first.mayLead(second)
    }
    compiled.leaders = engine.options.grouper.group(problem)
  }

  /// Of resources of one kind those that would not even lead their like lead nobody: ten thousand of them are not asked about each
  /// other.
  private func consider(_ bucket: [Int], _ isCandidate: inout [Bool], _ isSterile: inout [Bool]) {
    let kind = compiled.graph.resources[bucket[0]].id.kind
    if bucket.allSatisfy({ compiled.graph.resources[$0].id.kind == kind }) {
      for position in bucket { isSterile[position] = !(instance(position).map { $0.mayLead($0) } ?? false) }
      guard bucket.contains(where: { !isSterile[$0] }) else { return }
    }
    for position in bucket { isCandidate[position] = true }
  }

  /// Kinds of several words, as `http:server:file`, may join others without leading any. What is put back one day stands alone: a
  /// leader could not record it for its members.
  private func mayTakePart(_ resource: Resource, _ position: Int) -> Bool {
    guard resource.meta.autoGroup, !resource.meta.hidden else { return false }
    let traits = traits(of: resource.id.kind)
    guard traits.contains(.leads) || resource.id.kind.utf8.contains(UInt8(ascii: ":")) else { return false }
    return !(resource.meta.reverse && traits.contains(.reverses)) && instance(position) != nil
  }

  /// Decides which vertices run on as they are, and joins the instances of the others. A member its leader refuses runs alone.
  func formVertices() {
    var members: [Int: [Int]] = [:]
    for (position, leader) in compiled.leaders.enumerated() where leader >= 0 {
      members[Int(leader), default: []].append(position)
    }
    compiled.vertices.reserveCapacity(compiled.graph.resources.count)
    var waiting = compiled.leaders.indices.filter { compiled.leaders[$0] < 0 }[...]
    var refused: [Int] = []
    while let leader = waiting.popFirst() ?? refused.popLast() {
      var vertex = CompiledGraph.Vertex(leader: leader, members: members.isEmpty ? [] : descendants(of: leader, members))
      vertex.keptSlot = keptSlot(vertex)
      if vertex.keptSlot == nil { join(&vertex, &members, &refused) }
      compiled.vertices.append(vertex)
    }
  }

  /// Members, their members and so on, in an order that does not depend on the graph's.
  private func descendants(of leader: Int, _ members: [Int: [Int]]) -> [Int] {
    var found: [Int] = []
    var next = 0
    var current = leader
    while true {
      found += (members[current] ?? []).sorted {
        let (a, b) = (compiled.graph.resources[$0].id, compiled.graph.resources[$1].id)
        return (a.kind, a.name) < (b.kind, b.name)
      }
      guard next < found.count else { return found }
      current = found[next]
      next += 1
    }
  }

  private func keptSlot(_ vertex: CompiledGraph.Vertex) -> Int? {
    guard let place = running[vertex.leader], place.part == 0, let entry = engine.entries[place.slot],
      entry.members.count == vertex.members.count
    else { return nil }
    var parts = [vertex.leader: 0]
    for (index, member) in vertex.members.enumerated() {
      guard running[member] == Place(slot: place.slot, part: index + 1),
        parts[Int(compiled.leaders[member])] == entry.members[index].leader
      else { return nil }
      parts[member] = index + 1
    }
    return place.slot
  }

  private func join(_ vertex: inout CompiledGraph.Vertex, _ members: inout [Int: [Int]], _ refused: inout [Int]) {
    for position in [vertex.leader] + vertex.members where compiled.instances[position] == nil {
      if !compiled.graph.resources[position].meta.hidden, compiled.failures[position] == nil { make(position) }
    }
    // Those below come first: who joins brings its own members along.
    for member in vertex.members.reversed() {
      let leader = Int(compiled.leaders[member])
      guard let first = compiled.instances[leader], let second = compiled.instances[member] else {
        release(member, from: &vertex, &members, &refused)
        continue
      }
      do throws(MgmtError) {
        try first.lead(second)
      } catch {
        compiled.warnings += error.diagnostics.map { diagnostic in
          var warning = diagnostic
          warning.severity = .warning
          return warning
        }
        release(member, from: &vertex, &members, &refused)
      }
    }
  }

  private func release(
    _ member: Int, from vertex: inout CompiledGraph.Vertex, _ members: inout [Int: [Int]], _ refused: inout [Int]
  ) {
    // Made again when its turn comes: those below may have joined it already.
    for position in [member] + descendants(of: member, members) {
      compiled.instances[position]?.destroy()
      compiled.instances[position] = nil
    }
    members[Int(compiled.leaders[member])]?.removeAll { $0 == member }
    compiled.leaders[member] = -1
    vertex.members = descendants(of: vertex.leader, members)
    refused.append(member)
  }
}

extension MetaParameters {
  /// Whether one check can serve both: what holds for the leader holds for its members, and a member that is only to be looked at must not
  /// be changed because its leader may be.
  fileprivate func isTreated(as other: MetaParameters) -> Bool {
    noop == other.noop && retry == other.retry && retryReset == other.retryReset && delay == other.delay
      && timeout == other.timeout && poll == other.poll && limit == other.limit && burst == other.burst
  }
}
