// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Plugins in C, compiled as their authors would.
enum CPlugin {
  static let note = Mgmt.repository + "/examples/plugins/c/note.c"
  static let rogue = Mgmt.repository + "/Tests/Fixtures/plugins/rogue.c"
  static let vault = Mgmt.repository + "/Tests/Fixtures/plugins/vault.c"
  static let busy = Mgmt.repository + "/Tests/Fixtures/plugins/busy.c"
  static let slow = Mgmt.repository + "/Tests/Fixtures/plugins/slow.c"
  static let header = Mgmt.stage + "/include"
  static let hasCompiler = ["/usr/bin/cc", "/usr/bin/c++"].allSatisfy(FileManager.default.isExecutableFile)

  /// Compiles against the header of the installed tree; warnings are errors.
  static func compile(_ source: String, to path: String, _ defines: [String] = [], libraries: [String] = []) throws {
    let finished = try Mgmt.command(
      [
        "/usr/bin/cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fPIC", "-shared", "-fvisibility=hidden",
        "-pthread",
        "-I", header,
      ] + defines.map { "-D" + $0 } + ["-o", path + ".new", source] + libraries)
    guard finished.status == 0 else { throw HarnessError("cc \(source): \(finished.err)") }
    chmod(path + ".new", 0o755)
    guard rename(path + ".new", path) == 0 else { throw HarnessError("rename: \(errno)") }
  }
}

/// A directory of plugins.
struct PluginFolder {
  let folder: TemporaryFolder
  var path: String { folder["plugins"] }

  init(_ folder: TemporaryFolder) throws {
    self.folder = folder
    try folder.makeFolder("plugins")
    chmod(path, 0o755)
    try folder.makeFolder("state")
  }

  func rogue(_ name: String, _ defines: String...) throws {
    try CPlugin.compile(CPlugin.rogue, to: path + "/\(name).so", defines)
  }

  /// `mgmt plugins list --json`, by file name.
  func list() throws -> [String: [String: Any]] {
    let finished = try Mgmt.run(["plugins", "list", "--json", "--plugin-path", path], environment: environment)
    #expect(finished.status == 0, "\(finished.err)")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(finished.out.utf8)) as? [String: Any])
    var entries: [String: [String: Any]] = [:]
    for entry in try #require(object["plugins"] as? [[String: Any]]) {
      let path = try #require(entry["path"] as? String)
      entries[(path as NSString).lastPathComponent] = entry
    }
    return entries
  }

  /// `mgmt plugins list` as a person sees it.
  func listText() throws -> String {
    let finished = try Mgmt.run(["plugins", "list", "--plugin-path", path], environment: environment)
    #expect(finished.status == 0, "\(finished.err)")
    return finished.out
  }

  /// No cache is shared with what else runs on the machine.
  var environment: [String: String] { ["MGMT_PREFIX": folder["state"]] }
}

extension AgentProcess {
  /// Warnings that say which plugin broke which rule.
  func misbehaviour(_ plugin: String) -> [String] {
    events.compactMap { event in
      guard event.name == "log", event.members["level"] as? String == "warning", let text = event.members["text"] as? String,
        text.hasPrefix("plugin \"\(plugin)\" broke a rule of the ABI")
      else { return nil }
      return text
    }
  }

  /// Writes another graph beside the file and renames.
  func replaceGraph(_ text: String) throws {
    try folder.write("graph.new", text)
    guard rename(folder["graph.new"], folder["graph.yaml"]) == 0 else { throw HarnessError("rename: \(errno)") }
  }
}
