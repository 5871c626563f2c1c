// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

extension ResourceGraph {
  /// What is wrong with a graph whatever it was made from: names, duplicates, edges to nothing, cycles. Linear in its size.
  public func check() -> [Diagnostic] {
    var diagnostics = checkNames() + checkEdges()
    guard diagnostics.isEmpty else { return diagnostics }
    if case .cycle(let members) = adjacency.topologicalOrder() { diagnostics.append(cycleDiagnostic(members)) }
    return diagnostics
  }

  private func checkNames() -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    var seen: [ResourceID: Int] = [:]
    seen.reserveCapacity(resources.count)
    for (position, resource) in resources.enumerated() {
      let labels = resource.origin.map { [Diagnostic.Label($0)] } ?? []
      if resource.id.name.isEmpty {
        diagnostics.append(Diagnostic("resource.name", "a \(resource.id.kind) resource has no name", labels: labels, hint: "give it a name"))
      } else if resource.id.name.hasPrefix("$") {
        diagnostics.append(
          Diagnostic(
            "resource.name", "the name of \(resource.id) begins with \"$\"", resource: resource.id.description, labels: labels,
            notes: ["such a name is nearly always a variable that was not replaced"]))
      }
      guard let first = seen.updateValue(position, forKey: resource.id) else { continue }
      seen[resource.id] = first
      let before = resources[first].origin.map { [Diagnostic.Label($0, "first declared here")] } ?? []
      diagnostics.append(
        Diagnostic(
          "resource.duplicate", "\(resource.id) is declared twice", resource: resource.id.description, labels: labels + before,
          hint: "give one of them another name, or merge them"))
    }
    return diagnostics
  }

  private func checkEdges() -> [Diagnostic] {
    edges.compactMap { edge in
      let labels = edge.origin.map { [Diagnostic.Label($0)] } ?? []
      guard resources.indices.contains(edge.from), resources.indices.contains(edge.to) else {
        return Diagnostic("edge.unknown", "an edge leads to a resource that is not in the graph", labels: labels)
      }
      guard edge.from == edge.to else { return nil }
      let name = resources[edge.from].id.description
      return Diagnostic("graph.cycle", "\(name) is to come after itself", resource: name, labels: labels, hint: "remove this edge")
    }
  }

  private func cycleDiagnostic(_ members: [Int]) -> Diagnostic {
    let path = (members + members.prefix(1)).map { resources[$0].id.description }.joined(separator: " -> ")
    var labels: [Diagnostic.Label] = []
    for (from, to) in zip(members, members.dropFirst() + members.prefix(1)) {
      guard let edge = edges.first(where: { $0.from == from && $0.to == to }), let origin = edge.origin else { continue }
      labels.append(.init(origin, "\(resources[from].id) comes before \(resources[to].id)"))
    }
    return Diagnostic(
      "graph.cycle", "the edges form a cycle", labels: labels, notes: [path], hint: "remove one of these edges: none of them can come first")
  }
}
