// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Values

/// What is said about plugins that are not used. The codes are listed in docs/diagnostics.md.
enum PluginDiagnostics {
  static let author = "the author of the plugin has to mend this"

  static func untrusted(_ path: String, _ reason: String, mend: String?) -> Diagnostic {
    Diagnostic(
      "plugin.untrusted", "\(path) is not used: \(reason)",
      notes: ["plugins run with the rights of the agent: only their owner may be able to change them"], hint: mend)
  }

  static func unreadable(_ path: String, _ reason: String, hint: String? = nil) -> Diagnostic {
    Diagnostic("plugin.unreadable", "\(path) cannot be opened: \(reason)", hint: hint)
  }

  static func format(_ path: String, _ reason: String, hint: String?) -> Diagnostic {
    Diagnostic("plugin.format", "\(path) is not a plugin for this machine: \(reason)", hint: hint)
  }

  static func notLoadable(_ path: String, _ reason: String) -> Diagnostic {
    Diagnostic(
      "plugin.load", "\(path) cannot be loaded: \(reason)", hint: missingLibrary(reason) ?? "rebuild the plugin for this system"
    )
  }

  /// Debian's packages of the libraries the program's own plugins need.
  private static let packages = ["libdbus-1.so.3": "libdbus-1-3", "libsystemd.so.0": "libsystemd0"]

  /// What to do when the loader's words are about a library that is not there.
  private static func missingLibrary(_ reason: String) -> String? {
    guard let end = reason.firstRange(of: ": cannot open shared object file") else { return nil }
    let library = String(reason[..<end.lowerBound].split(separator: " ").last ?? "")
    if let package = packages[library] { return "install \(library): apt install \(package), on Debian" }
    return
      "install \(library) (on Debian, apt-file search \(shellWord(library)) names its package), or put it where the plugin's run path "
      + "looks for it ($ORIGIN is the plugin's directory)"
  }

  static func override(_ path: String, _ kind: String, by other: String) -> Diagnostic {
    Diagnostic(
      "plugin.override", "\(path) is not used: its kind \"\(kind)\" is that of \(other)",
      notes: ["A plugin is used as a whole or not at all."],
      hint: "give its kind another name; or, to use the first in the search path, --allow-override")
  }

  static func noSymbol(_ path: String) -> Diagnostic {
    Diagnostic(
      "plugin.symbol", "\(path) is not a plugin: it does not export mgmt_plugin_v1",
      hint: "keep other libraries out of this directory; in a plugin, declare the function with MGMT_EXPORT")
  }

  static func problem(_ path: String, _ problem: DescriptorProblem) -> Diagnostic {
    switch problem.kind {
    case .version:
      Diagnostic(
        "plugin.abi", "\(path) does not fit this mgmt: \(problem.message)",
        hint: "upgrade mgmt, or rebuild the plugin against the header of this one")
    case .content: Diagnostic("plugin.descriptor", "\(path) describes itself wrongly: \(problem.message)", hint: author)
    }
  }

  static func scanEnded(_ path: String, _ how: String) -> Diagnostic {
    Diagnostic(
      "plugin.crash", "\(path) \(how) while its description was read",
      notes: ["it was tried in a process of its own and is not loaded"],
      hint: "\(author); to have it tried again: touch \(shellWord(path))")
  }

  static func scanHung(_ path: String, milliseconds: UInt64) -> Diagnostic {
    Diagnostic(
      "plugin.hang", "\(path) did not describe itself within \(seconds(milliseconds))",
      notes: ["it was tried in a process of its own and is not loaded"],
      hint: "\(author); to have it tried again: touch \(shellWord(path))")
  }

  static func scanImpossible(_ path: String, _ reason: String) -> Diagnostic {
    Diagnostic("plugin.scan", "\(path) could not be examined: \(reason)")
  }

  static func changed(_ path: String) -> Diagnostic {
    Diagnostic(
      "plugin.changed", "\(path) was replaced while it was being read", hint: "wait until it is complete and try again")
  }

  static func needsRestart(_ path: String) -> Diagnostic {
    Diagnostic(
      "plugin.restart", "\(path) was replaced after the agent had loaded it", hint: "restart mgmt to use the new file")
  }

  private static func seconds(_ milliseconds: UInt64) -> String {
    milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
  }
}

/// A word of a shell command, quoted where it has to be.
func shellWord(_ text: String) -> String {
  let plain = text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: ":"): true
    default: false
    }
  }
  guard !plain || text.isEmpty else { return text }
  var quoted = "'"
  for scalar in text.unicodeScalars {
    if scalar == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(scalar) }
  }
  return quoted + "'"
}

/// One line of foreign text: control characters become spaces, runs of them one.
func cleanLine(_ text: String, limit: Int = 1024) -> String {
  var result = ""
  var lastIsSpace = true
  for scalar in text.unicodeScalars.prefix(limit) {
    let isSpace = scalar.value <= 0x20
    if !isSpace { result.unicodeScalars.append(Visible.scalar(scalar)) } else if !lastIsSpace { result += " " }
    lastIsSpace = isSpace
  }
  while result.last == " " { result.removeLast() }
  return result
}
