// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Values

extension YAMLDecoding {
  private static let metaTypes = Dictionary(uniqueKeysWithValues: MetaParameters.schema.map { ($0.name, $0.type) })

  /// In any case.
  func isMetaParameter(_ name: String) -> Bool { Self.metaTypes[lowercased(name)] != nil }

  func lowercased(_ text: String) -> String {
    let isLowercase = text.utf8.allSatisfy { $0 < 0x80 && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    return isLowercase ? text : text.lowercased()
  }

  func readMeta(_ id: YAMLNodeID, into resource: inout Resource) throws(MgmtError) {
    if isNull(id) { return }
    guard node(id).kind == .mapping else {
      return try report(
        Diagnostic(
          "yaml.type", "expected a map in \"meta\", found \(describe(id))", labels: [.init(headSpan(id))],
          hint: "as `meta: {noop: true}`"))
    }
    let members = try metaMembers(of: id)
    let errorsBefore = errors.count
    for member in members {
      guard let type = Self.metaTypes[member.key] else {
        try report(
          Diagnostic(
            "yaml.meta", "there is no meta parameter \(quoted(member.key))", resource: resource.id.description,
            labels: [.init(span(member.keyNode))],
            hint: Suggestion.hint(for: member.key, in: MetaParameters.schema.map(\.name))))
        continue
      }
      guard let value = try value(member.value, type, quoted(member.key)), !value.isUnset else { continue }
      try set(member, to: value, in: &resource)
    }
    if let problem = resource.meta.problem {
      let place = members.first { $0.key == problem.name }.map { span($0.value) } ?? headSpan(id)
      // It may only come of what was reported already.
      if errors.count == errorsBefore { try report(problem, at: place, resource.id) }
      // Said once is enough: the check of the whole graph would say it again.
      resource.meta.limit = .infinity
    }
    if !resource.meta.export.isEmpty, let member = members.first(where: { $0.key == "export" }) {
      noteStore(headSpan(member.value))
    }
  }

  /// What `meta` says is secret. Before the parameters are read: an error about one of them must not show its line.
  func secretNames(_ members: [Member]) throws(MgmtError) -> [String] {
    guard let meta = members.first(where: { $0.key == "meta" })?.value, node(meta).kind == .mapping else { return [] }
    guard let list = try self.members(of: meta).first(where: { lowercased($0.key) == "secret" })?.value,
      node(list).kind == .sequence
    else { return [] }
    return children(list).compactMap { node($0).kind == .scalar ? text($0) : nil }
  }

  /// The members with their keys in lower case; of those that only differ in case the first.
  private func metaMembers(of id: YAMLNodeID) throws(MgmtError) -> [Member] {
    var result: [Member] = []
    for var member in try members(of: id) {
      let key = member.key
      member.key = lowercased(key)
      guard let first = result.first(where: { $0.key == member.key }) else {
        result.append(member)
        continue
      }
      // What a merge key brought gives way to what the map has itself.
      if children(id).contains(member.keyNode) { try reportDuplicateKey(key, span(first.keyNode), span(member.keyNode)) }
    }
    return result
  }

  private func set(_ member: Member, to value: Value, in resource: inout Resource) throws(MgmtError) {
    do throws(MetaParameters.Problem) {
      try resource.meta.set(member.key, to: value)
      return
    } catch {
      guard case .list(let items) = value else { return try report(error, at: span(member.value), resource.id) }
      for (item, child) in zip(items, children(member.value)) {
        var single = MetaParameters()
        do throws(MetaParameters.Problem) {
          try single.set(member.key, to: .list([item]))
        } catch {
          try report(error, at: span(child), resource.id)
        }
      }
    }
  }

  private func report(_ problem: MetaParameters.Problem, at place: SourceSpan, _ id: ResourceID) throws(MgmtError) {
    try report(
      Diagnostic(
        problem.name == "sema" ? "yaml.sema" : "yaml.meta.value", "\(problem.name): \(problem.message)",
        resource: id.description, labels: [.init(place)], hint: problem.hint))
  }
}
