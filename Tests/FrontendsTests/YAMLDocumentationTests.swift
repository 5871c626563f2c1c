// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Frontends
import Graph
import Testing
import Values

@Suite("YAML documentation")
struct YAMLDocumentationTests {
  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test("docs/yaml.md lists the meta parameters as the schema has them")
  func metaParameters() throws {
    let text = try String(contentsOf: Self.repository.appendingPathComponent("docs/yaml.md"), encoding: .utf8)
    let table =
      ["| meta parameter | type | |", "|---|---|---|"]
      + MetaParameters.schema.map { "| `\($0.name)` | \($0.type) | \($0.documentation) |" }
    let wanted = "\n" + table.joined(separator: "\n") + "\n\n"
    #expect(text.contains(wanted), "it should be:\n\(wanted)")
  }

  @Test("each graph in docs/yaml.md can be decoded")
  func snippets() throws {
    let text = try String(contentsOf: Self.repository.appendingPathComponent("docs/yaml.md"), encoding: .utf8)
    let snippets = text.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first
    }
    #expect(snippets.count == 3)
    for snippet in snippets {
      var graph = snippet.hasPrefix(" ") ? "resources:\n\(snippet)" : snippet
      if !graph.contains("graph: ") { graph = "graph: g\n\(graph)" }
      expectGraph(Array(graph.utf8), "docs/yaml.md")
    }
  }

  @Test("the examples can be decoded", arguments: ["autoedges", "autogroup", "meta", "reverse", "send", "notify", "files"])
  func examples(_ name: String) throws {
    let file = Self.repository.appendingPathComponent("examples/yaml/\(name).yaml")
    expectGraph(Array(try Data(contentsOf: file)), file.lastPathComponent)
  }

  private func expectGraph(_ bytes: [UInt8], _ file: String) {
    switch YAMLGraphDecoder.decode(bytes: bytes, file: file, catalog: TestCatalog()) {
    case .success(let result): #expect(result.warnings.isEmpty && !result.graph.resources.isEmpty)
    case .failure(let error): Issue.record("\(TextRenderer().render(error.diagnostics))")
    }
  }
}
