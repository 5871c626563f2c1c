// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph

extension YAMLDecoding {
  static let topLevelKeys = ["graph", "comment", "resources", "edges", "collect", "hostname", "remote"]

  /// The stream: exactly one document, a mapping.
  func readStream() throws(MgmtError) {
    let start = try reader.next()
    guard start.kind == .documentStart else {
      throw MgmtError(
        Diagnostic(
          "yaml.empty", "\(reader.file) is empty", hint: "a graph has at least a name, as `graph: mygraph`"))
    }
    let root = try reader.next()
    if root.kind == .mappingStart {
      try readTopLevel(root)
    } else if root.kind == .scalar, isNull(root) {
      throw MgmtError(
        Diagnostic(
          "yaml.empty", "\(reader.file) holds no graph", labels: [label(root)],
          hint: "a graph has at least a name, as `graph: mygraph`"))
    } else {
      throw MgmtError(
        Diagnostic(
          "yaml.type", "expected a map with the keys of a graph, found \(describe(root))", labels: [label(root)],
          hint: "known keys: " + Self.topLevelKeys.sorted().joined(separator: ", ")))
    }
    _ = try reader.next()  // the end of the document
    let after = try reader.next()
    if after.kind == .documentStart {
      throw MgmtError(
        Diagnostic(
          "yaml.documents", "there is more than one document in the file", labels: [label(after, "the second begins here")],
          hint: "a file holds one graph: put the others into files of their own"))
    }
  }

  private func readTopLevel(_ root: YAMLEvent) throws(MgmtError) {
    try readMapping(root) { (key, name) throws(MgmtError) in
      let value = try reader.next()
      switch name {
      case "graph":
        result.graph.name = try readText(value, "graph") ?? ""
        hasName = true
        if result.graph.name.isEmpty {
          try report(
            Diagnostic("yaml.graph.name", "the graph has no name", labels: [label(key)], hint: "write `graph: mygraph`"))
        }
      case "comment": _ = try readText(value, "comment")
      case "hostname", "remote":
        try skip(value)
        warn(
          Diagnostic(
            "yaml.ignored", severity: .warning, "\(quoted(name)) is read and ignored", labels: [label(key)],
            hint: name == "hostname" ? "use --hostname" : "take the key out"))
      case "resources": try readResources(value)
      case "edges": try readList(value, of: "edges") { (event) throws(MgmtError) in try self.readEdge(event) }
      case "collect": try readList(value, of: "collect") { (event) throws(MgmtError) in try self.readCollect(event, key: key) }
      default:
        try skip(value)
        try report(
          Diagnostic(
            "yaml.key.unknown", "unknown key \(quoted(name))", labels: [label(key)],
            hint: Suggestion.hint(for: name, in: Self.topLevelKeys)))
      }
    }
    if !hasName {
      try report(
        Diagnostic(
          "yaml.graph.name", "the graph has no name",
          labels: [.init(SourceSpan(file: reader.file, start: root.start.position, end: root.start.position))],
          hint: "add `graph: mygraph` at the top"))
    }
  }

  private func readCollect(_ event: YAMLEvent, key: YAMLEvent) throws(MgmtError) {
    let item = try readTree(event)
    defer { reader.forgetText() }
    guard let fields = try mapping(item, "an item of collect", keys: ["kind", "pattern"]) else { return }
    guard let kindNode = fields["kind"], let kind = try string(kindNode, "kind") else {
      return try report(
        Diagnostic("yaml.missing", "an item of collect needs a kind", labels: [.init(span(item))], hint: "as `kind: file`"))
    }
    let pattern = try fields["pattern"].flatMap { (node) throws(MgmtError) in try string(node, "pattern") }
    guard let plan = try plan(of: kind, at: span(kindNode)) else { return }
    result.collects.append(Collect(kind: plan.schema.name, pattern: pattern, origin: span(kindNode)))
    noteStore(span(kindNode))
  }

  /// Says once that exports and collects do not act.
  func noteStore(_ place: SourceSpan) {
    guard !warnings.contains(where: { $0.code == "yaml.store" }) else { return }
    warn(
      Diagnostic(
        "yaml.store", severity: .note, "exported and collected resources need the store", labels: [.init(place)],
        notes: ["This version checks them and does nothing more with them."]))
  }

  // MARK: Shapes

  /// Calls `body` with each key of a mapping that is read event by event; it must read the value.
  func readMapping(_ start: YAMLEvent, _ body: (YAMLEvent, String) throws(MgmtError) -> Void) throws(MgmtError) {
    var seen: [String: YAMLEvent] = [:]
    while true {
      let key = try reader.next()
      if key.kind == .mappingEnd { return }
      guard key.kind == .scalar else {
        try skip(key)
        try skip(try reader.next())
        try report(Diagnostic("yaml.key", "a key must be a plain word or a string", labels: [label(key)]))
        continue
      }
      let name = reader.string(key)
      if name == "<<", key.isPlain {
        try skip(try reader.next())
        try report(
          Diagnostic(
            "yaml.merge", "the merge key << cannot be used here", labels: [label(key)],
            hint: "it works inside a resource or an edge"))
      } else if let first = seen[name] {
        try skip(try reader.next())
        try reportDuplicateKey(name, reader.span(first.start, first.end), reader.span(key.start, key.end))
      } else {
        seen[name] = key
        try body(key, name)
      }
      reader.forgetText()
    }
  }

  /// Calls `body` with the first event of each item; nothing for null.
  func readList(_ start: YAMLEvent, of what: String, _ body: (YAMLEvent) throws(MgmtError) -> Void) throws(MgmtError) {
    if isNull(start) { return }
    guard start.kind == .sequenceStart else {
      try skip(start)
      return try report(
        Diagnostic("yaml.type", "expected a list in \(quoted(what)), found \(describe(start))", labels: [label(start)]))
    }
    while true {
      let event = try reader.next()
      if event.kind == .sequenceEnd { return }
      try body(event)
    }
  }

  /// A text, or nil for null and, after a report, for what is none.
  private func readText(_ event: YAMLEvent, _ what: String) throws(MgmtError) -> String? {
    if isNull(event) { return nil }
    let node = try readTree(event)
    return try string(node, what)
  }

  /// Reads over the node that begins with `event`.
  func skip(_ event: YAMLEvent) throws(MgmtError) {
    guard event.kind == .sequenceStart || event.kind == .mappingStart else { return }
    var level = 1
    while level > 0 {
      switch try reader.next().kind {
      case .sequenceStart, .mappingStart: level += 1
      case .sequenceEnd, .mappingEnd: level -= 1
      default: reader.forgetText()
      }
    }
  }

  func isNull(_ event: YAMLEvent) -> Bool {
    event.kind == .scalar && isNullText(reader.string(event), tag: event.tag, isPlain: event.isPlain)
  }

  func describe(_ event: YAMLEvent) -> String {
    switch event.kind {
    case .mappingStart: "a map"
    case .sequenceStart: "a list"
    default: isNull(event) ? "nothing" : "a value"
    }
  }

  /// Containers begin here; what they hold is not underlined.
  func label(_ event: YAMLEvent, _ text: String = "") -> Diagnostic.Label {
    let end = event.kind == .scalar ? event.end : event.start
    return .init(reader.span(event.start, end), text)
  }
}
