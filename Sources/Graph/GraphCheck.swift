// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

extension ResourceGraph {
  /// So many errors are named.
  private static var maximumErrors: Int { 20 }

  /// What makes a graph impossible to run, whatever frontend it is from: ids that are not valid or not unique, edges from or
  /// to nothing or to themselves, a cycle. Empty: it can be run. Linear in resources and edges.
  public func check() -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    checkIDs(&diagnostics)
    let selfEdges = checkEdges(&diagnostics)
    if !edges.isEmpty, !selfEdges, case .cycle(let cycle) = adjacency.topologicalOrder() {
      diagnostics.append(describe(cycle, automaticFrom: edges.count))
    }
    return Array(diagnostics.prefix(Self.maximumErrors))
  }

  /// The cycle there is, if there is one. Edges from position `automaticFrom` on were found, not declared.
  public func cycle(automaticFrom: Int) -> Diagnostic? {
    guard case .cycle(let cycle) = adjacency.topologicalOrder() else { return nil }
    return describe(cycle, automaticFrom: automaticFrom)
  }

  private func checkIDs(_ diagnostics: inout [Diagnostic]) {
    var first: [ResourceID: Int] = [:]
    var hidden: [ResourceID: Int] = [:]
    first.reserveCapacity(resources.count)
    for (position, resource) in resources.enumerated() {
      let id = resource.id
      if let problem = Self.problem(ofName: id.name, mayBeVariable: resource.meta.dollar) {
        diagnostics.append(
          Diagnostic(
            "resource.name", problem.title, resource: id.description, labels: resource.origin.map { [.init($0)] } ?? [],
            hint: problem.hint))
      }
      if id.kind.isEmpty {
        diagnostics.append(
          Diagnostic("resource.kind", "a resource has no kind", labels: resource.origin.map { [.init($0)] } ?? []))
      }
      if let problem = resource.meta.problem {
        diagnostics.append(
          Diagnostic(
            "resource.meta", "\(problem.name): \(problem.message)", resource: id.description,
            labels: resource.origin.map { [.init($0)] } ?? [], hint: problem.hint))
      }
      // A hidden resource may share its name with one that is not.
      let known =
        resource.meta.hidden ? hidden.updateValue(position, forKey: id) : first.updateValue(position, forKey: id)
      guard let earlier = known else { continue }
      var labels: [Diagnostic.Label] = []
      if let origin = resource.origin { labels.append(.init(origin, "again")) }
      if let origin = resources[earlier].origin { labels.append(.init(origin, "first")) }
      diagnostics.append(
        Diagnostic(
          "resource.duplicate", "\(id) is here twice", resource: id.description, labels: labels,
          hint: "give one of them another name"))
      if diagnostics.count >= Self.maximumErrors { return }
    }
  }

  private static func problem(ofName name: String, mayBeVariable: Bool) -> (title: String, hint: String)? {
    if name.isEmpty { return ("a resource has no name", "give it one") }
    if name.utf8.first == UInt8(ascii: "$"), !mayBeVariable {
      return (
        "the name of a resource begins with $",
        "that is most often a variable that was meant to be replaced by its value; if not, set the meta parameter dollar"
      )
    }
    if name.utf8.contains(0) { return ("the name of a resource contains a NUL character", "take it out") }
    return nil
  }

  /// Whether there are edges from a resource to itself.
  private func checkEdges(_ diagnostics: inout [Diagnostic]) -> Bool {
    var hasSelfEdges = false
    for edge in edges {
      let isValid = resources.indices.contains(edge.from) && resources.indices.contains(edge.to)
      guard !isValid || edge.from == edge.to else { continue }
      var diagnostic = Diagnostic("edge.unknown", "an edge leads to no resource")
      if isValid {
        hasSelfEdges = true
        diagnostic = Diagnostic("graph.cycle", "\(resources[edge.from].id) has an edge to itself", hint: "take the edge out")
        diagnostic.resource = resources[edge.from].id.description
      }
      diagnostic.labels = edge.origin.map { [.init($0)] } ?? []
      diagnostics.append(diagnostic)
      if diagnostics.count >= Self.maximumErrors { break }
    }
    return hasSelfEdges
  }

  private func describe(_ cycle: [Int], automaticFrom: Int) -> Diagnostic {
    let ring = cycle + cycle.prefix(1)
    var labels: [Diagnostic.Label] = []
    var notes = ["Each of these resources would have to wait for itself."]
    for (from, to) in zip(ring, ring.dropFirst()).prefix(Self.maximumErrors) {
      guard let position = edges.firstIndex(where: { $0.from == from && $0.to == to }) else { continue }
      let text = "\(resources[from].id) -> \(resources[to].id)"
      if let origin = edges[position].origin { labels.append(.init(origin, text)) }
      if position >= automaticFrom { notes.append("\(text) is an automatic edge.") }
    }
    let shown = ring.count <= 24 ? ring.map { resources[$0].id.description } : shortened(ring)
    return Diagnostic(
      "graph.cycle", "the edges form a cycle: " + shown.joined(separator: " -> "), labels: labels, notes: notes,
      hint: notes.count > 1
        ? "take one of the edges out, or set the meta parameter autoedge of one of the resources to false"
        : "take one of the edges out")
  }

  private func shortened(_ ring: [Int]) -> [String] {
    ring.prefix(12).map { resources[$0].id.description } + ["… \(ring.count - 24) more …"]
      + ring.suffix(12).map { resources[$0].id.description }
  }
}
