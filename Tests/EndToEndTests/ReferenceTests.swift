// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// docs/reference, which is made from what the plugins say about themselves.
  @Suite struct Reference {
    private static let pages = Mgmt.repository + "/docs/reference"

    private func names(_ folder: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test("the pages are what the plugins say; if not, run `make docs`")
    func upToDate() throws {
      let folder = try TemporaryFolder()
      let made = try Mgmt.command(
        [Mgmt.repository + "/scripts/reference", Mgmt.stage, folder["pages"]], environment: ["MGMT_PREFIX": folder["state"]])
      try #require(made.status == 0, "\(made.err)")
      #expect(try names(folder["pages"]) == names(Self.pages), "run `make docs`")
      for name in try names(folder["pages"]) {
        let stored = try? String(contentsOfFile: Self.pages + "/" + name, encoding: .utf8)
        #expect(folder.read("pages/" + name) == stored, "docs/reference/\(name) is stale: run `make docs`")
      }
    }

    @Test("every kind has a page with an example, and each example is a graph")
    func examples() throws {
      let folder = try TemporaryFolder()
      let plugins = try names(Mgmt.stage + "/lib/mgmt/resources")
      for kind in plugins.map({ $0.split(separator: ".")[0] }) + ["meta"] {
        let page = try String(contentsOfFile: "\(Self.pages)/\(kind).md", encoding: .utf8)
        let examples = page.components(separatedBy: "```yaml\n").dropFirst().compactMap {
          $0.components(separatedBy: "```\n").first
        }
        #expect(!examples.isEmpty, "\(kind)")
        for example in examples {
          try folder.write("graph.yaml", example)
          let graph = try Mgmt.run(["graph", "yaml", "--prefix", folder["state"], folder["graph.yaml"]])
          #expect(graph.status == 0 && graph.err.isEmpty, "\(kind): \(example)\n\(graph.err)")
          #expect(kind == "meta" || graph.out.contains("Vertex: \(kind)["), "\(kind)")
        }
      }
    }

    @Test("a description is printed as text, JSON or Markdown")
    func formats() throws {
      let text = try Mgmt.run(["plugins", "show", "timer"])
      #expect(text.status == 0 && text.out.contains("\nExample\n") && !text.out.contains("```"), "\(text.out)")
      let both = try Mgmt.run(["plugins", "show", "--json", "--markdown", "timer"])
      #expect(both.status == 1 && both.err.contains("--markdown"), "\(both.err)")
      let meta = try Mgmt.run(["plugins", "meta", "--json"])
      let object = try JSONSerialization.jsonObject(with: Data(meta.out.utf8)) as? [String: [[String: Any]]]
      #expect(object?["metaParameters"]?.count == 19)
    }
  }
}
