// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Values

extension ResourceGraph {
  private static var maximumSecretErrors: Int { 20 }

  /// What the meta parameter `secret` names that its kind does not have: nothing would be masked. Empty: it all exists. Kinds `catalog`
  /// does not know are left to those who look them up.
  public func checkSecrets(catalog: any KindCatalog) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    for resource in resources where !resource.meta.secret.isEmpty {
      guard let schema = catalog.schema(of: resource.id.kind) else { continue }
      let known = schema.parameters.map(\.name) + schema.sends.map(\.name)
      for name in resource.meta.secret where !known.contains(name) {
        diagnostics.append(
          Diagnostic(
            "meta.secret", "\(resource.id) has no parameter \(Value.quote(name)), and sends none, that could be secret",
            resource: resource.id.description, labels: resource.origin.map { [.init($0)] } ?? [],
            hint: Suggestion.hint(for: name, in: known)))
        if diagnostics.count >= Self.maximumSecretErrors { return diagnostics }
      }
    }
    return diagnostics
  }
}
