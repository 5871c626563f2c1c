// SPDX-License-Identifier: Apache-2.0

import Values

extension PluginListing {
  /// A page of the reference in Markdown, all of it from the descriptor. nil: there is no such kind.
  public static func showMarkdown(_ kind: String, _ registry: PluginRegistry) -> String? {
    guard let (kind, entry) = registry.description(of: kind), let plugin = entry.descriptor else { return nil }
    return Visible.lines(KindPage(kind: kind, plugin: plugin).text)
  }
}

/// The page of one kind.
struct KindPage {
  let kind: PluginDescriptor.Kind
  let plugin: PluginDescriptor

  var text: String {
    let documentation = KindDocumentation(kind.schema.documentation)
    var parts = ["# \(kind.schema.name)\n"]
    if !documentation.introduction.isEmpty { parts.append(documentation.introduction + "\n") }
    parts += documentation.examples.map(section)
    parts += [parameters, sends, traits].filter { !$0.isEmpty }
    parts += documentation.others.map(section)
    parts.append(origin)
    return parts.joined(separator: "\n")
  }

  private func section(_ section: KindDocumentation.Section) -> String { "## \(section.title)\n\n\(section.body)\n" }

  private var parameters: String {
    guard !kind.schema.parameters.isEmpty else { return "## Parameters\n\nThere are none.\n" }
    let rows = kind.schema.parameters.map { parameter in
      [Markdown.code(parameter.name), Markdown.code(parameter.type.description), standard(parameter), meaning(parameter)]
    }
    return "## Parameters\n\n" + Markdown.table(["parameter", "type", "default", "meaning"], rows)
  }

  private func standard(_ parameter: KindSchema.Parameter) -> String {
    if parameter.isRequired { return "required" }
    if parameter.isName { return "the resource's name" }
    if parameter.defaultValue.isUnset { return "undefined" }
    return parameter.isSecret ? "(hidden)" : Markdown.code(parameter.defaultValue.written)
  }

  private func meaning(_ parameter: KindSchema.Parameter) -> String {
    var meaning = parameter.documentation
    if !parameter.choices.isEmpty {
      meaning += " One of " + parameter.choices.map { Markdown.code(Value.quote($0)) }.joined(separator: ", ") + "."
    }
    if parameter.isSecret { meaning += " A secret: it is never shown." }
    return meaning
  }

  private var sends: String {
    guard !kind.schema.sends.isEmpty else { return "" }
    let rows = kind.schema.sends.map { [Markdown.code($0.name), Markdown.code($0.type.description), $0.documentation] }
    return "## Sends\n\n" + Markdown.table(["field", "type", "meaning"], rows)
  }

  private var traits: String {
    func row(_ name: String, _ isSo: Bool, _ yes: String, _ no: String) -> [String] {
      [name, isSo ? "yes" : "no", isSo ? yes : no]
    }
    let can = kind.abilities
    return "## Traits\n\n"
      + Markdown.table(
        ["trait", "", "meaning"],
        [
          row(
            "watch", can.contains(.watch), "it waits for changes, and each leads to a check",
            "nothing tells of changes: set the meta parameter `poll`"),
          row(
            "refresh", kind.schema.isRefreshable, "a notification makes it do something",
            "a notification does nothing"),
          row(
            "identities", can.contains(.identities), "others can come after it, or before it, by themselves",
            "others come after it, or before it, only where an edge is written"),
          row(
            "automatic edges", can.contains(.automaticEdges), "it looks for others to come after, or before",
            "it does not look for others to come after, or before"),
          row(
            "grouping", can.contains(.grouping), "several can be watched and checked as one", "each is checked by itself"),
          row(
            "update", can.contains(.update), "received values are taken over in place",
            "with received values it is made anew"),
          row(
            "reverse", can.contains(.reverse), "with the meta parameter `reverse`, what it changed is put back",
            "what it changed stays: the meta parameter `reverse` does nothing"),
          row(
            "sends", !kind.schema.sends.isEmpty, "others can receive the fields above", "there is nothing to receive from it"),
        ])
  }

  private var origin: String {
    let license = plugin.license.isEmpty ? "" : ", \(plugin.license)"
    return "---\n\nPlugin \(plugin.name) \(plugin.version)\(license), ABI \(plugin.abi). This page is what"
      + " `mgmt plugins show \(kind.schema.name) --markdown` prints.\n"
  }
}
