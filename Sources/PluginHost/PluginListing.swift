// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Values

/// What `mgmt plugins` prints, as text for people and as JSON for programs.
public enum PluginListing {
  // MARK: mgmt plugins list

  /// A line per plugin in the order of the search path; below it why it is refused and what to do.
  public static func listText(_ registry: PluginRegistry) -> String {
    guard !registry.entries.isEmpty else {
      let places = registry.discovery.searchPath.directories.map { "  " + cleanLine($0.path) + "\n" }.joined()
      return "no plugins were found in\n\(places)"
    }
    var rows = [["KIND", "PLUGIN", "VERSION", "ABI", "STATE", "PATH"]]
    for entry in registry.entries {
      let kinds = entry.descriptor?.kinds.map(\.schema.name).joined(separator: ",") ?? ""
      rows.append(
        [
          kinds, entry.descriptor?.name ?? "", entry.descriptor?.version ?? "", entry.descriptor?.abi ?? "", entry.state.word,
          cleanLine(entry.path),
        ].map { $0.isEmpty ? "-" : $0 })
    }
    var lines = table(rows)
    var text = lines.removeFirst() + "\n"
    for (entry, line) in zip(registry.entries, lines) {
      text += line + "\n"
      for remark in remarks(entry) { text += "    \(remark)\n" }
    }
    return Visible.lines(text)
  }

  private static func remarks(_ entry: PluginEntry) -> [String] {
    var remarks: [String] = []
    if case .refused(let diagnostic) = entry.state {
      remarks.append("\(diagnostic.code): \(cleanLine(diagnostic.title, limit: 4096))")
      for note in diagnostic.notes { remarks.append("note: \(cleanLine(note, limit: 4096))") }
      if let hint = diagnostic.hint { remarks.append("hint: \(cleanLine(hint, limit: 4096))") }
    }
    for shadow in entry.shadows { remarks.append("note: kind \"\(shadow.kind)\" comes from \(cleanLine(shadow.by))") }
    if let notice = entry.notice { remarks.append("note: \(notice)") }
    return remarks
  }

  /// One object: `abi` of this host and `plugins`, each with path, state, and what is known of it.
  public static func listJSON(_ registry: PluginRegistry) -> String {
    var json = JSONWriter()
    json.object { json in
      json.member("abi", PluginDescriptor.hostABI)
      json.array("plugins") { json in
        for entry in registry.entries { json.object { write(entry, to: &$0) } }
      }
    }
    json.newline()
    return json.text
  }

  private static func write(_ entry: PluginEntry, to json: inout JSONWriter) {
    json.member("path", entry.path)
    json.member("state", entry.state.word)
    if let descriptor = entry.descriptor {
      json.member("plugin", descriptor.name)
      json.member("version", descriptor.version)
      json.member("license", descriptor.license)
      json.member("documentation", descriptor.documentation)
      json.member("abi", descriptor.abi)
      json.array("kinds") { json in for kind in descriptor.kinds { json.value(kind.schema.name) } }
      json.array("functions") { json in
        for function in descriptor.functions {
          json.object { json in
            json.member("name", function.name)
            json.member("signature", function.signature)
            json.member("documentation", function.documentation)
          }
        }
      }
    }
    if !entry.shadows.isEmpty {
      json.array("shadowed") { json in
        for shadow in entry.shadows {
          json.object { json in
            json.member("kind", shadow.kind)
            json.member("by", shadow.by)
          }
        }
      }
    }
    if case .refused(let diagnostic) = entry.state {
      json.object("reason") { json in
        json.member("code", diagnostic.code)
        json.member("title", diagnostic.title)
        json.array("notes") { json in for note in diagnostic.notes { json.value(note) } }
        if let hint = diagnostic.hint { json.member("hint", hint) }
      }
    }
    if let notice = entry.notice { json.member("notice", notice) }
  }

  // MARK: mgmt plugins show

  /// nil: there is no such kind.
  public static func showText(_ kind: String, _ registry: PluginRegistry) -> String? {
    guard let (kind, entry) = registry.description(of: kind), let plugin = entry.descriptor else { return nil }
    let documentation = KindDocumentation(kind.schema.documentation)
    var text = kind.schema.name + "\n" + indented(KindDocumentation.plain(documentation.introduction), by: 2)
    let license = plugin.license.isEmpty ? "" : " (\(plugin.license))"
    text += "\nPlugin: \(plugin.name) \(plugin.version)\(license), ABI \(plugin.abi), \(cleanLine(entry.path))\n"
    let abilities = names(of: kind)
    text += "Can: \(abilities.isEmpty ? "check, apply" : "check, apply, " + abilities.joined(separator: ", "))\n"
    text += sections(documentation.examples)
    if !kind.schema.parameters.isEmpty { text += "\nParameters\n" }
    for parameter in kind.schema.parameters {
      text += "  \(parameter.name)  \(parameter.type)\(remarks(parameter))\n" + indented(parameter.documentation, by: 6)
    }
    if !kind.schema.sends.isEmpty { text += "\nSends\n" }
    for field in kind.schema.sends { text += "  \(field.name)  \(field.type)\n" + indented(field.documentation, by: 6) }
    text += sections(documentation.others)
    return Visible.lines(text)
  }

  private static func sections(_ sections: [KindDocumentation.Section]) -> String {
    sections.map { "\n\($0.title)\n" + indented(KindDocumentation.plain($0.body), by: 2) }.joined()
  }

  private static func names(of kind: PluginDescriptor.Kind) -> [String] {
    PluginDescriptor.Abilities.known.filter { kind.abilities.contains($0.ability) }.map(\.name)
      + (kind.schema.isRefreshable ? ["refresh"] : [])
  }

  private static func remarks(_ parameter: KindSchema.Parameter) -> String {
    var remarks: [String] = []
    if parameter.isRequired { remarks.append("required") }
    if parameter.isSecret { remarks.append("secret") }
    if parameter.isName { remarks.append("default: the resource's name") }
    if !parameter.defaultValue.isUnset {
      remarks.append("default: " + (parameter.isSecret ? "(hidden)" : cleanLine(parameter.defaultValue.description)))
    }
    if !parameter.choices.isEmpty { remarks.append("one of " + parameter.choices.map(Value.quote).joined(separator: ", ")) }
    return remarks.isEmpty ? "" : "  (" + remarks.joined(separator: "; ") + ")"
  }

  /// nil: there is no such kind.
  public static func showJSON(_ kind: String, _ registry: PluginRegistry) -> String? {
    guard let (kind, entry) = registry.description(of: kind), let plugin = entry.descriptor else { return nil }
    var json = JSONWriter()
    json.object { json in
      json.member("kind", kind.schema.name)
      json.member("documentation", kind.schema.documentation)
      json.object("plugin") { json in
        json.member("name", plugin.name)
        json.member("version", plugin.version)
        json.member("license", plugin.license)
        json.member("abi", plugin.abi)
        json.member("path", entry.path)
      }
      json.array("abilities") { json in for name in names(of: kind) { json.value(name) } }
      json.array("parameters") { json in
        for parameter in kind.schema.parameters { json.object { write(parameter, to: &$0) } }
      }
      json.array("sends") { json in
        for field in kind.schema.sends {
          json.object { json in
            json.member("name", field.name)
            json.member("type", field.type.description)
            json.member("documentation", field.documentation)
          }
        }
      }
    }
    json.newline()
    return json.text
  }

  private static func write(_ parameter: KindSchema.Parameter, to json: inout JSONWriter) {
    json.member("name", parameter.name)
    json.member("type", parameter.type.description)
    // null: stays undefined.
    if !parameter.isSecret { json.member("default", parameter.defaultValue) }
    json.member("required", parameter.isRequired)
    json.member("secret", parameter.isSecret)
    json.member("takesName", parameter.isName)
    json.array("choices") { json in for choice in parameter.choices { json.value(choice) } }
    json.member("documentation", parameter.documentation)
  }

  // MARK: Layout

  /// Columns as wide as their widest cell, two spaces between them.
  private static func table(_ rows: [[String]]) -> [String] {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
      }
      return line
    }
  }

  private static func indented(_ text: String, by depth: Int) -> String {
    guard !text.isEmpty else { return "" }
    let margin = String(repeating: " ", count: depth)
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "\n" : "\(margin)\($0)\n" }.joined()
  }
}

extension PluginEntry.State {
  fileprivate var word: String {
    switch self {
    case .usable: "usable"
    case .refused: "refused"
    case .shadowed: "shadowed"
    }
  }
}
