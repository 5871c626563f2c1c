// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Values

extension ResourceGraph {
  /// So many errors are named.
  private static var maximumTransferErrors: Int { 20 }

  /// What of `ResourceEdge.transfers` cannot be: a hidden sender, a parameter or a field that does not exist, types that do not
  /// fit, a parameter that is received twice. Empty: every transfer can be tried, and only what `any` let through is left
  /// to look at when a value comes. Linear in edges and transfers.
  ///
  /// Edges from or to nothing are left to `check()`, kinds `catalog` does not know to those who look them up.
  public func checkTransfers(catalog: any KindCatalog) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    var first: [Receiver: (sender: Int, place: SourceSpan?)] = [:]
    for edge in edges where !edge.transfers.isEmpty {
      guard resources.indices.contains(edge.from), resources.indices.contains(edge.to) else { continue }
      for transfer in edge.transfers {
        if let diagnostic = problem(of: transfer, on: edge, catalog) { diagnostics.append(diagnostic) }
        let receiver = Receiver(resource: edge.to, parameter: transfer.parameter)
        let place = transfer.origin ?? edge.origin
        if let earlier = first[receiver] {
          diagnostics.append(
            Diagnostic(
              "transfer.duplicate", "\(Value.quote(transfer.parameter)) of \(resources[edge.to].id) is received twice",
              resource: resources[edge.to].id.description,
              labels: [
                place.map { .init($0, "again, from \(resources[edge.from].id)") },
                earlier.place.map { .init($0, "first, from \(resources[earlier.sender].id)") },
              ].compactMap { $0 }, hint: "keep one of them"))
        } else {
          first[receiver] = (edge.from, place)
        }
        if diagnostics.count >= Self.maximumTransferErrors { return Array(diagnostics.prefix(Self.maximumTransferErrors)) }
      }
    }
    return diagnostics
  }

  private struct Receiver: Hashable {
    var resource: Int
    var parameter: String
  }

  /// The ends of `edge` are resources.
  private func problem(of transfer: Transfer, on edge: ResourceEdge, _ catalog: any KindCatalog) -> Diagnostic? {
    let (sender, receiver) = (resources[edge.from], resources[edge.to])
    let labels = (transfer.origin ?? edge.origin).map { [Diagnostic.Label($0)] } ?? []
    if sender.meta.hidden {
      return Diagnostic(
        "transfer.hidden", "\(sender.id) is hidden, so it sends nothing", resource: receiver.id.description,
        labels: labels + (sender.origin.map { [.init($0, "the hidden resource")] } ?? []),
        notes: ["A hidden resource is never checked; what is sent is made by a check."],
        hint: "receive from another resource, or take `hidden` out")
    }
    guard let sends = catalog.schema(of: sender.id.kind)?.sends, let schema = catalog.schema(of: receiver.id.kind) else {
      return nil
    }
    let field = sends.first { $0.name == transfer.field }
    guard let parameter = schema.position(of: transfer.parameter).map({ schema.parameters[$0] }) else {
      let isReversed = schema.position(of: transfer.field) != nil && sends.contains { $0.name == transfer.parameter }
      let nearest = Suggestion.nearest(to: transfer.parameter, in: schema.parameters.map(\.name))
        .map { "did you mean \(Value.quote($0))?" }
      return Diagnostic(
        "transfer.parameter", "\(receiver.id) has no parameter \(Value.quote(transfer.parameter))",
        resource: receiver.id.description, labels: labels,
        hint: isReversed
          ? "the parameter of the receiver comes first: `\(transfer.field): \(transfer.parameter)`"
          : nearest ?? "`mgmt plugins show \(receiver.id.kind)` lists them")
    }
    guard let field else {
      let nearest = Suggestion.nearest(to: transfer.field, in: sends.map(\.name))
      return Diagnostic(
        "transfer.field", "\(sender.id) does not send \(Value.quote(transfer.field))", resource: receiver.id.description,
        labels: labels, notes: [Self.list(sends, of: sender.id.kind)],
        hint: nearest.map { "did you mean \(Value.quote($0))?" })
    }
    guard !parameter.type.accepts(field.type) else { return nil }
    let fitting = sends.filter { parameter.type.accepts($0.type) }.map(\.name)
    return Diagnostic(
      "transfer.type",
      "\(Value.quote(parameter.name)) of \(receiver.id) is of type \(parameter.type), "
        + "\(Value.quote(field.name)) of \(sender.id) of type \(field.type)",
      resource: receiver.id.description, labels: labels, notes: [Self.list(sends, of: sender.id.kind)],
      hint: fitting.isEmpty ? nil : "of type \(parameter.type): " + fitting.joined(separator: ", "))
  }

  private static func list(_ sends: [KindSchema.Parameter], of kind: String) -> String {
    guard !sends.isEmpty else { return "The kind \(kind) sends nothing." }
    return "The kind \(kind) sends " + sends.map { "\($0.name) (\($0.type))" }.joined(separator: ", ") + "."
  }
}
