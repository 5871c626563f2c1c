// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Values

/// Which parameters are secret: those the kind says, those the graph says (`meta: {secret: …}`), and those that hold something secret
/// another resource sent. Nothing of them leaves the engine, but to views that may show it (`EngineOptions.showsSecrets`).
extension Engine {
  /// nil: nothing is secret. Of most resources.
  func secretMask(of resource: Resource, _ exchange: Exchange? = nil) -> SecretMask? {
    let received = exchange?.secretParameters ?? []
    guard let schema = factory.schema(of: resource.id.kind),
      !schema.secretPositions.isEmpty || !resource.meta.secret.isEmpty || !received.isEmpty
    else { return nil }
    let positions = received.union(schema.secretPositions).union(resource.meta.secret.compactMap(schema.position))
    let parameters = exchange.map { $0.parameters.isEmpty ? resource.parameters : $0.parameters } ?? resource.parameters
    let known = positions.filter { schema.parameters.indices.contains($0) && parameters.indices.contains($0) }
    return SecretMask(parameters: known.map { schema.parameters[$0].name }, values: known.map { parameters[$0] })
  }

  /// Of what a resource sent, the fields that are secret.
  func secretFields(_ sent: SentValues, from part: Part) -> Set<Int> {
    var secret = sent.secret
    guard let schema = factory.schema(of: part.resource.id.kind) else { return secret }
    for (position, field) in schema.sends.enumerated() where sent.fields.indices.contains(position) {
      if field.isSecret || part.resource.meta.secret.contains(field.name) || part.secrets?.isIn(sent.fields[position]) == true {
        secret.insert(position)
      }
    }
    return secret
  }

  /// What it received may have become secret, or not be it any more.
  func updateSecrets(slot: Int, part number: Int) {
    guard let part = entries[slot]?[number] else { return }
    entries[slot]?[number]?.secrets = secretMask(of: part.resource, part.exchange)
  }
}

extension Entry {
  /// The same without what is secret.
  func masking(_ outcome: CheckOutcome) -> CheckOutcome {
    var masked = outcome
    if case .failed(let reason) = outcome.status { masked.status = .failed(masking(reason)) }
    if !outcome.changes.isEmpty { masked.changes = outcome.changes.map(masking) }
    return masked
  }

  func masking(_ text: String) -> String { secrets.reduce(text) { $1.masking($0) } }

  func masking(_ diagnostic: Diagnostic) -> Diagnostic { secrets.reduce(diagnostic) { $1.masking($0) } }

  private var secrets: [SecretMask] {
    if members.isEmpty { return leader.secrets.map { [$0] } ?? [] }
    return ([leader] + members).compactMap(\.secrets)
  }

  /// A leader reports changes of its members as `kind[name]#parameter`.
  private func masking(_ change: Change) -> Change {
    var change = change
    for number in 0..<partCount {
      guard let part = self[number], let secrets = part.secrets else { continue }
      var path = change.path[...]
      let name = part.resource.id.description + "#"
      if path.hasPrefix(name) { path = path.dropFirst(name.count) } else if number > 0 { path = "" }
      change = secrets.masking(change, of: path.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    }
    return change
  }
}
