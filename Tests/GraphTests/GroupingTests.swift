// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing

@Suite("Grouping")
struct GroupingTests {
  /// `names` are written `kind[name]`, and so is the result: who runs whom.
  private func group(
    _ names: [String], _ edges: [(Int, Int)] = [], alone: Set<Int> = [],
    mayJoin: @escaping (Int, Int) -> Bool = { _, _ in true }
  ) -> [String: String] {
    let problem = GroupingProblem(
      ids: names.map(id), isCandidate: names.indices.map { !alone.contains($0) },
      edges: edges.map { ResourceEdge(from: $0.0, to: $0.1) }, mayJoin: mayJoin)
    let leaders = NonReachabilityGrouper().group(problem)
    #expect(leaders.count == names.count)
    return Dictionary(
      uniqueKeysWithValues: zip(names, leaders).compactMap { name, leader in
        leader < 0 ? nil : (name, names[Int(leader)])
      })
  }

  private func id(_ text: String) -> ResourceID {
    let parts = text.dropLast().split(separator: "[", maxSplits: 1)
    return ResourceID(kind: String(parts[0]), name: String(parts[1]))
  }

  @Test("three packages are one; the first by name stands for them")
  func packages() {
    #expect(
      group(["pkg[powertop]", "pkg[sl]", "pkg[cowsay]", "file[/tmp/f]"])
        == ["pkg[powertop]": "pkg[cowsay]", "pkg[sl]": "pkg[cowsay]"])
  }

  @Test("row candidate order: the last by name chooses first")
  func rowOrder() {
    // d, the first leader, takes c and b; a has a path to b.
    #expect(
      group(["x[a]", "x[b]", "x[c]", "x[d]"], [(0, 1)]) { leader, member in leader == 3 || (leader, member) != (1, 2) }
        == ["x[b]": "x[d]", "x[c]": "x[d]"])
  }

  @Test("row prefilter: only the first chunk of the kinds counts")
  func rowPrefilter() {
    #expect(group(["http:server[a]", "http:file[b]"]) == ["http:file[b]": "http:server[a]"])
    #expect(group(["http[a]", "https[b]", "htt[c]", ":http[d]"]) == [:])
  }

  @Test("row cmp: not what is told to stay alone")
  func rowDisabled() {
    #expect(group(["x[a]", "x[b]", "x[c]"], alone: [1]) == ["x[c]": "x[a]"])
    #expect(group(["x[a]", "x[b]"], alone: [0]) == [:])
  }

  @Test("row cmp: of one kind, what has members does not join")
  func rowSameKind() {
    // c takes b. Then b may not take a (it is a member), and a would take c, but c has a member.
    let leaders = group(["x[a]", "x[b]", "x[c]"]) { leader, member in (leader, member) == (2, 1) || (leader, member) == (0, 2) }
    #expect(leaders == ["x[b]": "x[c]"])
  }

  @Test("row cmp and default: who refuses is not grouped")
  func rowRefused() {
    #expect(group(["x[a]", "x[b]", "x[c]"]) { _, _ in false } == [:])
  }

  @Test("row viable: no path, in either direction, over whatever is in between")
  func rowViable() {
    #expect(group(["x[a]", "x[b]"], [(0, 1)]) == [:])
    #expect(group(["x[a]", "x[b]"], [(1, 0)]) == [:])
    #expect(group(["x[a]", "file[f]", "svc[s]", "x[b]"], [(0, 1), (1, 2), (2, 3)]) == [:])
    #expect(group(["x[a]", "file[f]", "x[b]"], [(0, 1), (2, 1)]) == ["x[b]": "x[a]"])
  }

  @Test("row viable: recomputed after each merge")
  func rowViableAfterMerge() {
    // There is no path between d and b until y and z are one.
    #expect(group(["x[b]", "x[d]", "y[y]", "y[z]"], [(1, 2), (3, 0)]) == ["y[z]": "y[y]"])
    #expect(group(["x[b]", "x[d]", "y[y]", "y[z]"], [(1, 3), (2, 0)]) == ["y[z]": "y[y]"])
  }

  @Test("row merge: the first by name leads only if it may lead all")
  func rowLeader() {
    #expect(group(["x[a]", "x[b]", "x[c]"]) { leader, _ in leader != 0 } == ["x[a]": "x[c]", "x[b]": "x[c]"])
  }

  @Test("row hierarchical: what is deepest enters first, and groups enter groups")
  func rowHierarchical() {
    let names = ["http:server[s]", "http:server:ui[u]", "http:server:ui:input[i]", "http:server:ui:input[j]"]
    let mayJoin: (Int, Int) -> Bool = { leader, member in
      names[member].split(separator: "[")[0].hasPrefix(names[leader].split(separator: "[")[0] + ":")
        && names[member].split(separator: ":").count == names[leader].split(separator: ":").count + 1
    }
    #expect(
      group(names, mayJoin: mayJoin)
        == [
          "http:server:ui:input[i]": "http:server:ui[u]", "http:server:ui:input[j]": "http:server:ui[u]",
          "http:server:ui[u]": "http:server[s]",
        ])
  }

  @Test("a group of one kind inside another group is led by its first by name, if the outer leader accepts it")
  func inner() {
    let names = ["http[s]", "http:flag[a]", "http:flag[b]"]
    #expect(
      group(names) { _, member in member != 0 } == ["http:flag[b]": "http:flag[a]", "http:flag[a]": "http[s]"])
    #expect(
      group(names) { leader, member in member != 0 && (leader, member) != (0, 1) }
        == ["http:flag[a]": "http:flag[b]", "http:flag[b]": "http[s]"])
  }

  @Test("row failures and end: a graph with a cycle is left alone, edges to nothing do not count")
  func rowEnd() {
    #expect(group(["x[a]", "x[b]", "x[c]"], [(0, 1), (1, 0)]) == [:])
    #expect(group(["x[a]", "x[b]"], [(0, 0)]) == [:])
    #expect(group(["x[a]", "x[b]"], [(0, 7), (-1, 1)]) == ["x[b]": "x[a]"])
    #expect(group([]) == [:])
  }
}
