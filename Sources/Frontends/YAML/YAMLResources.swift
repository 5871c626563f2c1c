// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Values

/// A kind with what every resource of it begins with.
struct KindPlan {
  var schema: KindSchema
  var defaults: [Value]
  /// Positions of parameters that must be given.
  var required: [Int]

  init(_ schema: KindSchema) {
    self.schema = schema
    defaults = schema.parameters.map(\.defaultValue)
    required = schema.parameters.indices.filter { position in
      let parameter = schema.parameters[position]
      return parameter.isRequired && !parameter.isName && parameter.defaultValue.isUnset
    }
  }
}

/// A required parameter that was not given.
struct MissingParameter {
  /// In `ResourceGraph.resources`.
  var resource: Int
  var id: ResourceID
  var name: String
  var type: ValueType
  var place: SourceSpan
}

struct ReceivedParameter: Hashable {
  var resource: Int
  var name: String
}

extension YAMLDecoding {
  /// The kind of this name, in any case; nil after a report.
  func plan(of kind: String, at place: SourceSpan) throws(MgmtError) -> KindPlan? {
    if let plan = kinds[kind] { return plan }
    let name = kind.lowercased()
    if let schema = catalog.schema(of: name) {
      let plan = KindPlan(schema)
      kinds[kind] = plan
      return plan
    }
    guard unknownKinds.insert(name).inserted else { return nil }
    var diagnostic = Diagnostic("yaml.kind", "unknown kind \(quoted(kind))", labels: [.init(place)])
    if let absence = catalog.absentKinds[name] {
      (diagnostic.notes, diagnostic.hint) = ([absence.reason], absence.hint)
    } else if let note = ReservedKinds.note(on: name) {
      diagnostic.notes = [note]
    } else {
      diagnostic.notes = ["`mgmt plugins list` shows the kinds there are, and the plugins that were refused."]
      diagnostic.hint = Suggestion.hint(for: name, in: catalog.kindNames)
    }
    try report(diagnostic)
    return nil
  }

  func readResources(_ event: YAMLEvent) throws(MgmtError) {
    if isNull(event) { return }
    guard event.kind == .mappingStart else {
      try skip(event)
      return try report(
        Diagnostic(
          "yaml.type", "expected a map of kinds in \"resources\", found \(describe(event))", labels: [label(event)],
          hint: "as `file:` with a list of resources"))
    }
    try readMapping(event) { (key, kind) throws(MgmtError) in
      let plan = try plan(of: kind, at: reader.span(key.start, key.end))
      let value = try reader.next()
      guard let plan else { return try skip(value) }
      try readList(value, of: kind) { (event) throws(MgmtError) in
        try readResource(event, plan)
        reader.forgetText()
      }
    }
  }

  private func readResource(_ event: YAMLEvent, _ plan: KindPlan) throws(MgmtError) {
    let kind = plan.schema.name
    let root = try readTree(event)
    guard node(root).kind == .mapping else {
      return try report(
        Diagnostic(
          "yaml.type", "expected a map with the parameters of a \(kind), found \(describe(root))",
          labels: [.init(headSpan(root))],
          hint: "as `- name: …`"))
    }
    let members = try members(of: root)
    var name = ""
    var place = headSpan(root)
    if let member = members.first(where: { $0.key == "name" }), !isNull(member.value) {
      guard let text = try string(member.value, "name") else { return }
      name = text
      place = span(member.value)
    }
    guard !name.isEmpty, name != "@@" else {
      return try report(
        Diagnostic("yaml.name", "a \(kind) has no name", labels: [.init(place)], hint: "add `name: …`"))
    }
    let isExport = name.hasPrefix("@@")
    if isExport { name.removeFirst(2) }
    var resource = Resource(id: ResourceID(kind: kind, name: name), parameters: plan.defaults, origin: place)
    var isWhole = true
    let secrets = try secretNames(members)
    for member in members where member.key != "name" {
      if let position = plan.schema.position(of: member.key) {
        guard
          let value = try parameter(
            plan.schema.parameters[position], member, resource.id, isMarked: secrets.contains(member.key))
        else {
          isWhole = false
          continue
        }
        if !value.isUnset { resource.parameters[position] = value }
      } else if member.key == "meta" {
        try readMeta(member.value, into: &resource)
      } else {
        try reportUnknownParameter(member, plan.schema, resource.id)
      }
    }
    if isWhole {
      for position in plan.required where resource.parameters[position].isUnset {
        let parameter = plan.schema.parameters[position]
        let missing = MissingParameter(
          resource: result.graph.resources.count, id: resource.id, name: parameter.name, type: parameter.type, place: place)
        // Another resource may send it; nothing is sent to those of other hosts.
        if isExport { try report(missing) } else { missingParameters.append(missing) }
      }
    }
    if isExport {
      result.exports.append(Export(resource: resource))
      noteStore(place)
    } else {
      result.graph.resources.append(resource)
    }
  }

  private func report(_ missing: MissingParameter) throws(MgmtError) {
    try report(
      Diagnostic(
        "yaml.missing", "the parameter \(quoted(missing.name)) is missing", resource: missing.id.description,
        labels: [.init(missing.place)], hint: "add `\(missing.name): …`, a value of type \(missing.type)"))
  }

  /// After the edges were resolved: what a resource receives need not be given.
  func reportMissingParameters() throws(MgmtError) {
    guard !missingParameters.isEmpty else { return }
    for edge in result.graph.edges { noteReceived(edge) }
    for missing in missingParameters
    where !received.contains(ReceivedParameter(resource: missing.resource, name: missing.name)) { try report(missing) }
  }

  func noteReceived(_ edge: ResourceEdge) {
    for transfer in edge.transfers { received.insert(ReceivedParameter(resource: edge.to, name: transfer.parameter)) }
  }

  private func parameter(
    _ parameter: KindSchema.Parameter, _ member: Member, _ id: ResourceID, isMarked: Bool
  ) throws(MgmtError) -> Value? {
    let isSecret = parameter.isSecret || isMarked
    if isSecret {
      secretLines.append(Int(node(member.keyNode).start.line) + 1...Int(node(member.value).end.line) + 1)
      hideTree(member.value)
    }
    guard let value = try value(member.value, parameter.type, "\(quoted(parameter.name)) of \(quoted(id.description))") else {
      return nil
    }
    guard !parameter.choices.isEmpty, case .string(let text) = value, value != parameter.defaultValue,
      !parameter.choices.contains(text)
    else { return value }
    let shown = isSecret ? "this value" : quoted(text)
    try report(
      Diagnostic(
        "yaml.choice", "\(shown) is not one of the choices for \(quoted(parameter.name))", resource: id.description,
        labels: [.init(span(member.value))],
        notes: ["choices: " + parameter.choices.map(quoted).joined(separator: ", ")],
        hint: Suggestion.nearest(to: text, in: parameter.choices).map { "did you mean \(quoted($0))?" }))
    return nil
  }

  /// A container's own end is where its first line ends: the lines of its contents must not be shown either.
  private func hideTree(_ id: YAMLNodeID) {
    for child in children(id) {
      secretLines.append(Int(node(child).start.line) + 1...max(Int(node(child).start.line), Int(node(child).end.line)) + 1)
      hideTree(child)
    }
  }

  private func reportUnknownParameter(_ member: Member, _ schema: KindSchema, _ id: ResourceID) throws(MgmtError) {
    let isMeta = isMetaParameter(member.key)
    let hint = Suggestion.hint(for: member.key, in: schema.parameters.map(\.name) + ["name", "meta"])
    try report(
      Diagnostic(
        "yaml.parameter", "a \(schema.name) has no parameter \(quoted(member.key))", resource: id.description,
        labels: [.init(span(member.keyNode))],
        hint: isMeta
          ? "it is a meta parameter: write it under `meta:`" : hint ?? "`mgmt plugins show \(schema.name)` lists them"))
  }
}
