// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// `mgmt graph yaml`: compiles, prints, changes nothing.
  @Suite struct GraphCommand {
    private static let graph = """
      graph: my "graph"
      resources:
        noop:
        - name: b
        - name: a
        file:
        - name: f
          path: /nonexistent/f
          content: x
      edges:
      - name: second
        from: {kind: noop, name: b}
        to: {kind: file, name: f}
      - name: first
        from: {kind: noop, name: a}
        to: {kind: noop, name: b}
        notify: true

      """

    private func graph(_ options: String...) throws -> Finished {
      let folder = try TemporaryFolder()
      try folder.write("g.yaml", Self.graph)
      return try Mgmt.run(["graph", "yaml", "g.yaml"] + options, in: folder)
    }

    @Test("text is sorted lines")
    func text() throws {
      let expected = """
        Vertex: file[f]
        Vertex: noop[a]
        Vertex: noop[b]
        Edge: noop[a] -> noop[b]
        Edge: noop[b] -> file[f]

        """
      for finished in [try graph(), try graph("--format", "text")] {
        #expect(finished.status == 0)
        #expect(finished.out == expected)
        #expect(finished.err.isEmpty)
      }
    }

    @Test("dot is what Graphviz reads")
    func dot() throws {
      let finished = try graph("--format=dot")
      #expect(finished.status == 0)
      #expect(
        finished.out == """
          digraph "my \\"graph\\"" {
          \tlabel="my \\"graph\\"";
          \tnewrank=true;
          \t"file[f]";
          \t"noop[a]";
          \t"noop[b]";
          \t"noop[a]" -> "noop[b]" [label="first",style=bold];
          \t"noop[b]" -> "file[f]" [label="second"];
          }

          """)
      guard FileManager.default.isExecutableFile(atPath: "/usr/bin/dot") else { return }
      let folder = try TemporaryFolder()
      let read = try Mgmt.command(["/usr/bin/dot", "-Tplain", try folder.write("g.dot", finished.out)])
      #expect(read.status == 0 && read.err.isEmpty, "\(read.err)")
    }

    @Test("json is one object")
    func json() throws {
      let flag = try graph("--json")
      let format = try graph("--format", "json")
      #expect(flag.status == 0)
      #expect(flag.out == format.out)
      #expect(
        flag.out == """
          {"name":"my \\"graph\\"","vertices":[{"kind":"file","name":"f"},{"kind":"noop","name":"a"},{"kind":"noop","name":"b"}],\
          "edges":[{"from":"noop[a]","to":"noop[b]","name":"first","notify":true},\
          {"from":"noop[b]","to":"file[f]","name":"second","notify":false}]}

          """)
      #expect(try JSONSerialization.jsonObject(with: Data(flag.out.utf8)) is [String: Any])
    }

    @Test("errors are the frontend's; nothing is printed")
    func errors() throws {
      let folder = try TemporaryFolder()
      try folder.write("g.yaml", "graph: g\nresources:\n  noop:\n  - name: a\n    comnt: x\n")
      for format in ["text", "dot", "json"] {
        let finished = try Mgmt.run(["graph", "yaml", "--format", format, "g.yaml"], in: folder)
        #expect(finished.status == 1)
        #expect(finished.out.isEmpty)
        #expect(finished.err.contains("g.yaml:5:5") && finished.err.contains("has no parameter \"comnt\""), "\(finished.err)")
      }
    }

    @Test("a graph of the examples is printed", arguments: ["graph8", "files"])
    func examples(_ name: String) throws {
      let file = "\(Mgmt.repository)/examples/yaml/\(name).yaml"
      guard FileManager.default.fileExists(atPath: file) else { return }
      let finished = try Mgmt.run(["graph", "yaml", file])
      #expect(finished.status == 0, "\(finished.err)")
      #expect(finished.out.hasPrefix("Vertex: "))
    }
  }
}
