// SPDX-License-Identifier: Apache-2.0

import Engine
import PluginHost

/// What happened to the plugins while the agent runs, in words.
struct PluginNews {
  private var known: [String: PluginEntry] = [:]

  init(_ entries: [PluginEntry]) {
    for entry in entries { known[entry.path] = entry }
  }

  /// At the start: what of the search path is not used, and why; with --allow-override also what takes the place of what.
  static func refusals(_ entries: [PluginEntry]) -> [(level: LogLevel, text: String)] {
    var lines: [(level: LogLevel, text: String)] = []
    for entry in entries {
      if case .refused = entry.state { lines.append(PluginNews([]).line(entry)) }
      for shadow in entry.shadows {
        lines.append((.info, "plugin \(entry.path): its kind \"\(shadow.kind)\" comes from \(shadow.by) (--allow-override)"))
      }
    }
    return lines
  }

  /// A line for each plugin that is not as it was when this was asked last.
  mutating func update(_ entries: [PluginEntry]) -> [(level: LogLevel, text: String)] {
    var lines: [(level: LogLevel, text: String)] = []
    let before = known
    self = PluginNews(entries)
    for entry in entries where before[entry.path] != entry { lines.append(line(entry)) }
    for path in before.keys.sorted() where known[path] == nil { lines.append((.info, "plugin \(path) is gone")) }
    return lines
  }

  private func line(_ entry: PluginEntry) -> (level: LogLevel, text: String) {
    if let notice = entry.notice { return (.warning, "plugin \(entry.path): \(notice)") }
    switch entry.state {
    case .refused(let diagnostic):
      let subject = diagnostic.code == "plugin.directory" ? "" : "plugin "
      return (.warning, subject + diagnostic.title + (diagnostic.hint.map { "; hint: \($0)" } ?? ""))
    case .shadowed: return (.info, "plugin \(entry.path): its kinds come from other plugins")
    case .usable: return (.info, "plugin \(entry.path): \(entry.kinds.joined(separator: ", "))")
    }
  }
}
