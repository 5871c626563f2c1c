// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph

/// Resources that are one thing: each would undo what the other does.
extension Compiler {
  /// Refuses pairs that ask for different things, and warns of the others.
  func judge(_ pairs: [SameThings.Pair]) throws(MgmtError) {
    var errors: [Diagnostic] = []
    var warnings: [Diagnostic] = []
    for pair in pairs {
      let differences = differences(pair)
      let diagnostic = describe(pair, differences)
      if diagnostic.severity == .error { errors.append(diagnostic) } else { warnings.append(diagnostic) }
      if errors.count >= Self.maximumErrors { break }
    }
    if !errors.isEmpty { throw MgmtError(errors) }
    let rest = warnings.count - Self.maximumErrors
    compiled.warnings += warnings.prefix(Self.maximumErrors)
    if rest > 0 {
      compiled.warnings.append(
        Diagnostic("graph.same", severity: .warning, "\(rest) more resources are there twice", hint: "keep one of each"))
    }
  }

  /// In what they differ, in words; empty: they ask for the same. Values are not named: they may be secret.
  private func differences(_ pair: SameThings.Pair) -> [String] {
    let (first, second) = (compiled.graph.resources[pair.first], compiled.graph.resources[pair.second])
    guard first.id.kind == second.id.kind else { return ["kind"] }
    let parameters = engine.factory.schema(of: first.id.kind)?.parameters ?? []
    var names: [String] = []
    for (parameter, values) in zip(parameters, zip(first.parameters, second.parameters))
    where !parameter.isIdentity && values.0 != values.1 {
      names.append(parameter.name)
    }
    let received = [pair.first, pair.second].map { compiled.receptions[$0] ?? [] }
    if received[0] != received[1] { names += (received[0] + received[1]).map(\.parameterName).filter { !names.contains($0) } }
    // As a file and a directory of one path.
    if names.isEmpty, identities(pair.first) != identities(pair.second) { return ["the way it is spelled"] }
    return names
  }

  private func identities(_ position: Int) -> Set<[[UInt8]]> {
    var found: Set<[[UInt8]]> = []
    instance(position)?.identities { found.insert([Array($0.space), Array($0.key)]) }
    return found
  }

  private func describe(_ pair: SameThings.Pair, _ differences: [String]) -> Diagnostic {
    let (first, second) = (compiled.graph.resources[pair.first], compiled.graph.resources[pair.second])
    let isError = !differences.isEmpty
    var diagnostic = Diagnostic(
      "graph.same", severity: isError ? .error : .warning,
      isError
        ? "\(second.id) and \(first.id) are the same thing and ask for different things"
        : "\(second.id) and \(first.id) are the same thing, twice",
      resource: second.id.description, notes: ["Both are the \(pair.space) \(pair.key)."],
      hint: isError
        ? "keep one of them, with all that is asked for, or let one name another thing"
        : "keep one of them; edges can lead to it from anywhere")
    if isError {
      diagnostic.notes.append("They differ in: \(differences.joined(separator: ", ")).")
      diagnostic.notes.append("Each would undo what the other does.")
    }
    if let origin = second.origin { diagnostic.labels.append(.init(origin, "again")) }
    if let origin = first.origin { diagnostic.labels.append(.init(origin, "first")) }
    return diagnostic
  }
}
