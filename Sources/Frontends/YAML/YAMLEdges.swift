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
    guard let fields = try mapping(root, "an edge", keys: ["name", "from", "to", "notify", "receive"]) else { return }
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
    if let node = fields["receive"] { edge.transfers = try transfers(node) }
    guard let from, let to else { return }
    if let fromIndex = settledPosition(of: from.id), let toIndex = settledPosition(of: to.id) {
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
    return EdgeEnd(id: ResourceID(kind: lowercased(kind), name: name), place: span(node))
  }

  /// `receive`: a parameter of `to` for each key, what `from` sends as its value.
  private func transfers(_ id: YAMLNodeID) throws(MgmtError) -> [Transfer] {
    if isNull(id) { return [] }
    guard node(id).kind == .mapping else {
      try report(
        Diagnostic(
          "yaml.type", "expected a map in \"receive\", found \(describe(id))", labels: [.init(headSpan(id))],
          hint: "as `receive: {content: output}`: a parameter of `to`, and the field of `from` it takes"))
      return []
    }
    var transfers: [Transfer] = []
    for member in try members(of: id) {
      guard let value = try value(member.value, .string, "\(quoted(member.key)) in \"receive\"") else { continue }
      guard let field = value.stringValue, !field.isEmpty, !member.key.isEmpty else {
        try report(
          Diagnostic(
            "yaml.receive", member.key.isEmpty ? "a parameter has no name" : "the field for \(quoted(member.key)) has no name",
            labels: [.init(pairSpan(member))], hint: "as `receive: {content: output}`"))
        continue
      }
      transfers.append(Transfer(field: field, parameter: member.key, origin: pairSpan(member)))
    }
    return transfers
  }

  /// A key and its value where they are in one line, else the key.
  private func pairSpan(_ member: Member) -> SourceSpan {
    let key = span(member.keyNode)
    let value = span(member.value)
    guard key.end.line == value.end.line, key.end.column <= value.start.column else { return key }
    return SourceSpan(file: key.file, start: key.start, end: value.end)
  }

  /// The resource of an id among those read so far: the one that is not hidden, if there is one. Of duplicates the first: they
  /// are reported later.
  private func position(of id: ResourceID) -> Int? {
    while indexed < result.graph.resources.count {
      let id = result.graph.resources[indexed].id
      if let known = index[id] {
        if isHidden(known), !isHidden(indexed) { index[id] = indexed }
      } else {
        index[id] = indexed
      }
      indexed += 1
    }
    return index[id]
  }

  /// nil: what follows in the file may still change it.
  private func settledPosition(of id: ResourceID) -> Int? {
    position(of: id).flatMap { isHidden($0) ? nil : $0 }
  }

  private func isHidden(_ position: Int) -> Bool { result.graph.resources[position].meta.hidden }

  /// There is at most one edge between two resources: of several, the first stays, notifies if one of them does, and
  /// receives what any of them receives.
  private func append(_ edge: ResourceEdge) {
    let key = UInt64(edge.from) << 32 | UInt64(edge.to)
    guard let first = edgeIndex[key] else {
      edgeIndex[key] = Int32(clamping: result.graph.edges.count)
      return result.graph.edges.append(edge)
    }
    let position = Int(first)
    result.graph.edges[position].notify = result.graph.edges[position].notify || edge.notify
    for transfer in edge.transfers {
      let isKnown = result.graph.edges[position].transfers.contains {
        $0.field == transfer.field && $0.parameter == transfer.parameter
      }
      if !isKnown { result.graph.edges[position].transfers.append(transfer) }
    }
    let ends = [edge.from, edge.to].map { result.graph.resources[$0].id.description }
    warn(
      Diagnostic(
        "yaml.edge.duplicate", severity: .warning, "the edge \(ends.joined(separator: " -> ")) is here twice",
        labels: [edge.origin, result.graph.edges[position].origin].compactMap { $0 }.map { .init($0) },
        notes: ["They are taken as one, which notifies if one of them does and receives what any of them receives."]))
  }

  /// After the whole text was read.
  func resolveEdges() throws(MgmtError) {
    for pending in pendingEdges {
      var edge = pending.edge
      let (from, to) = (position(of: pending.from.id), position(of: pending.to.id))
      if from == nil { try reportMissingEnd(pending.from) }
      if to == nil { try reportMissingEnd(pending.to) }
      guard let to else { continue }
      edge.to = to
      guard let from else {
        noteReceived(edge)
        continue
      }
      edge.from = from
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
