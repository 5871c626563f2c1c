// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph

/// An edge whose ends were not both known when it was read: they may follow in the file.
struct PendingEdge {
  var from: EdgeEnd
  var to: EdgeEnd
  var edge: ResourceEdge
}

struct EdgeEnd {
  var id: ResourceID
  var place: SourceSpan
}

extension YAMLDecoding {
  func readEdge(_ event: YAMLEvent) throws(MgmtError) {
    let root = try readTree(event)
    defer { reader.forgetText() }
    guard let fields = try mapping(root, "an edge", keys: ["name", "from", "to", "notify"]) else { return }
    guard let fromNode = fields["from"], let toNode = fields["to"] else {
      let missing = fields["from"] == nil ? "from" : "to"
      return try report(
        Diagnostic(
          "yaml.missing", "an edge needs \(quoted(missing))", labels: [.init(headSpan(root))],
          hint: "as `\(missing): {kind: file, name: f1}`"))
    }
    let from = try edgeEnd(fromNode)
    let to = try edgeEnd(toNode)
    var edge = ResourceEdge(from: -1, to: -1, origin: headSpan(root))
    if let node = fields["name"], let name = try string(node, "name") {
      edge.name = name
      edge.origin = span(node)
    }
    if let node = fields["notify"] { edge.notify = try bool(node, "notify") ?? false }
    guard let from, let to else { return }
    if let fromIndex = position(of: from.id), let toIndex = position(of: to.id) {
      (edge.from, edge.to) = (fromIndex, toIndex)
      append(edge)
    } else {
      pendingEdges.append(PendingEdge(from: from, to: to, edge: edge))
    }
  }

  private func edgeEnd(_ id: YAMLNodeID) throws(MgmtError) -> EdgeEnd? {
    guard let fields = try mapping(id, "an end of an edge", keys: ["kind", "name"]) else { return nil }
    var texts: [String] = []
    for key in ["kind", "name"] {
      guard let node = fields[key], !isNull(node) else {
        try report(
          Diagnostic(
            "yaml.missing", "an end of an edge needs a \(key)", labels: [.init(headSpan(id))],
            hint: "as `{kind: file, name: f1}`"))
        return nil
      }
      guard let text = try string(node, key) else { return nil }
      texts.append(text)
    }
    guard let kind = texts.first, let name = texts.last, let node = fields["name"] else { return nil }
    return EdgeEnd(id: ResourceID(kind: isLowercase(kind) ? kind : kind.lowercased(), name: name), place: span(node))
  }

  private func isLowercase(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 < 0x80 && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
  }

  /// The resource of an id among those read so far. Of duplicates the first: they are reported later.
  private func position(of id: ResourceID) -> Int? {
    while indexed < result.graph.resources.count {
      let id = result.graph.resources[indexed].id
      if index[id] == nil { index[id] = indexed }
      indexed += 1
    }
    return index[id]
  }

  /// There is at most one edge between two resources: of several, the first stays and notifies if one of them does.
  private func append(_ edge: ResourceEdge) {
    let key = UInt64(edge.from) << 32 | UInt64(edge.to)
    guard let first = edgeIndex[key] else {
      edgeIndex[key] = Int32(clamping: result.graph.edges.count)
      return result.graph.edges.append(edge)
    }
    let position = Int(first)
    result.graph.edges[position].notify = result.graph.edges[position].notify || edge.notify
    let ends = [edge.from, edge.to].map { result.graph.resources[$0].id.description }
    warn(
      Diagnostic(
        "yaml.edge.duplicate", severity: .warning, "the edge \(ends.joined(separator: " -> ")) is here twice",
        labels: [edge.origin, result.graph.edges[position].origin].compactMap { $0 }.map { .init($0) },
        notes: ["They are taken as one, which notifies if one of them does."]))
  }

  /// After the whole text was read.
  func resolveEdges() throws(MgmtError) {
    for pending in pendingEdges {
      var edge = pending.edge
      let (from, to) = (position(of: pending.from.id), position(of: pending.to.id))
      if from == nil { try reportMissingEnd(pending.from) }
      if to == nil { try reportMissingEnd(pending.to) }
      guard let from, let to else { continue }
      (edge.from, edge.to) = (from, to)
      append(edge)
    }
    pendingEdges = []
  }

  private func reportMissingEnd(_ end: EdgeEnd) throws(MgmtError) {
    guard try plan(of: end.id.kind, at: end.place) != nil else { return }
    let wanted = end.id.name.utf8.count
    let limit = max(1, wanted / 3) + 1
    let near = result.graph.resources.lazy.filter { $0.id.kind == end.id.kind && abs($0.id.name.utf8.count - wanted) <= limit }
    var hint = Suggestion.nearest(to: end.id.name, in: near.prefix(5000).map(\.id.name))
      .map { "did you mean \(ResourceID(kind: end.id.kind, name: $0))?" }
    if hint == nil, let other = result.graph.resources.first(where: { $0.id.name == end.id.name }) {
      hint = "did you mean \(other.id)?"
    }
    let bare = end.id.name.hasPrefix("@@") ? String(end.id.name.dropFirst(2)) : end.id.name
    let isExported = result.exports.contains { $0.resource.id == ResourceID(kind: end.id.kind, name: bare) }
    try report(
      Diagnostic(
        "yaml.edge.end", "there is no \(end.id) in this graph", labels: [.init(end.place)],
        notes: isExported ? ["It is exported, so it is not in the graph of this host."] : [], hint: hint))
  }
}
