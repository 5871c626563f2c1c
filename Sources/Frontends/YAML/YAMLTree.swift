// SPDX-License-Identifier: Apache-2.0

import Diagnostics

/// A node of a small tree: one resource or one edge, read at a time, so that memory does not grow with the file.
struct YAMLNode {
  enum Kind: UInt8 { case scalar, sequence, mapping }

  var kind: Kind
  var tag: YAMLTag
  var isPlain: Bool
  var start: YAMLMark
  var end: YAMLMark
  var textStart: Int32 = 0
  var textCount: Int32 = 0
  /// Positions in the tree, -1: none. A mapping's children are key, value, key, value.
  var firstChild: Int32 = -1
  var next: Int32 = -1
}

/// A place in a tree.
typealias YAMLNodeID = Int32

extension YAMLDecoding {
  /// A member of a mapping, after merge keys were resolved.
  struct Member {
    var key: String
    var keyNode: YAMLNodeID
    var value: YAMLNodeID
  }

  /// The members of a mapping with few known keys.
  struct Fields {
    var members: [Member]

    subscript(key: String) -> YAMLNodeID? { members.first { $0.key == key }?.value }
  }

  /// Forgets the tree before, and reads the node that begins with `event`.
  func readTree(_ event: YAMLEvent) throws(MgmtError) -> YAMLNodeID {
    nodes.removeAll(keepingCapacity: true)
    return try readNode(event)
  }

  private func readNode(_ event: YAMLEvent) throws(MgmtError) -> YAMLNodeID {
    let id = YAMLNodeID(clamping: nodes.count)
    let kind: YAMLNode.Kind =
      switch event.kind {
      case .mappingStart: .mapping
      case .sequenceStart: .sequence
      default: .scalar
      }
    nodes.append(
      YAMLNode(
        kind: kind, tag: event.tag, isPlain: event.isPlain, start: event.start, end: event.end, textStart: event.textStart,
        textCount: event.textCount))
    guard kind != .scalar else { return id }
    var last: YAMLNodeID = -1
    while true {
      let event = try reader.next()
      if event.kind == .sequenceEnd || event.kind == .mappingEnd { return id }
      let child = try readNode(event)
      if last < 0 { nodes[Int(id)].firstChild = child } else { nodes[Int(last)].next = child }
      last = child
    }
  }

  func node(_ id: YAMLNodeID) -> YAMLNode { nodes[Int(id)] }

  func text(_ id: YAMLNodeID) -> String { reader.string(node(id).textStart, node(id).textCount) }

  func span(_ id: YAMLNodeID) -> SourceSpan { reader.span(node(id).start, node(id).end) }

  func children(_ id: YAMLNodeID) -> YAMLChildren { YAMLChildren(nodes: nodes, first: node(id).firstChild) }

  /// The members of a mapping. Keys must be scalars and unique; those of `<<` are added where the mapping has none itself.
  func members(of id: YAMLNodeID) throws(MgmtError) -> [Member] {
    var members: [Member] = []
    var merges: [YAMLNodeID] = []
    var key: YAMLNodeID = -1
    for child in children(id) {
      guard key >= 0 else {
        key = child
        continue
      }
      defer { key = -1 }
      guard node(key).kind == .scalar else {
        try report(Diagnostic("yaml.key", "a key must be a plain word or a string", labels: [.init(span(key))]))
        continue
      }
      let name = text(key)
      if name == "<<", node(key).isPlain {
        merges.append(child)
      } else {
        members.append(Member(key: name, keyNode: key, value: child))
      }
    }
    try rejectDuplicates(&members)
    if !merges.isEmpty { try merge(merges, into: &members) }
    return members
  }

  private func rejectDuplicates(_ members: inout [Member]) throws(MgmtError) {
    var duplicates: [(first: Int, second: Int)] = []
    if members.count <= 16 {
      for second in members.indices {
        if let first = members[..<second].firstIndex(where: { $0.key == members[second].key }) {
          duplicates.append((first, second))
        }
      }
    } else {
      var seen: [String: Int] = [:]
      for second in members.indices {
        if let first = seen[members[second].key] {
          duplicates.append((first, second))
        } else {
          seen[members[second].key] = second
        }
      }
    }
    for (first, second) in duplicates {
      try reportDuplicateKey(members[second].key, span(members[first].keyNode), span(members[second].keyNode))
    }
    for (_, second) in duplicates.reversed() { members.remove(at: second) }
  }

  func reportDuplicateKey(_ key: String, _ first: SourceSpan, _ second: SourceSpan) throws(MgmtError) {
    try report(
      Diagnostic(
        "yaml.key.duplicate", "the key \(quoted(key)) is here twice",
        labels: [.init(second, "again"), .init(first, "first")], hint: "keep one of them"))
  }

  private func merge(_ merges: [YAMLNodeID], into members: inout [Member]) throws(MgmtError) {
    var known = Set(members.map(\.key))
    for source in merges {
      var mappings = [source]
      if node(source).kind == .sequence { mappings = Array(children(source)) }
      for mapping in mappings {
        guard node(mapping).kind == .mapping else {
          try report(
            Diagnostic("yaml.merge", "the merge key << needs a map or a list of maps", labels: [.init(span(mapping))]))
          continue
        }
        for member in try self.members(of: mapping) where known.insert(member.key).inserted { members.append(member) }
      }
    }
  }
}

/// The children of a node, one after the other.
struct YAMLChildren: Sequence, IteratorProtocol {
  typealias Element = YAMLNodeID

  private let nodes: [YAMLNode]
  private var upcoming: YAMLNodeID

  init(nodes: [YAMLNode], first: YAMLNodeID) {
    self.nodes = nodes
    upcoming = first
  }

  mutating func next() -> YAMLNodeID? {
    guard nodes.indices.contains(Int(upcoming)) else { return nil }
    defer { upcoming = nodes[Int(upcoming)].next }
    return upcoming
  }
}
