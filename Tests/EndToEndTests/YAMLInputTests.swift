// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Bad graph files: an error that says where, what and what to do, exit status 1, and nothing done.
  @Suite struct YAMLInput {
    let folder: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      try folder.makeFolder("work")
    }

    /// Compiles and runs the file; both have to fail with `words`, and the working directory stays empty.
    private func expectRefused(
      _ file: String, _ words: String..., prefixCommand: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      for arguments in [
        ["graph", "yaml", file],
        ["run", "--prefix", folder["state"], "--no-watch", "--converged-timeout=0", "yaml", file],
        ["run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", file],
      ] {
        let finished = try Mgmt.command(prefixCommand + [Mgmt.binary] + arguments, in: folder, bound: 30)
        #expect(finished.status == 1, "\(arguments)", sourceLocation: sourceLocation)
        #expect(finished.out.isEmpty, sourceLocation: sourceLocation)
        #expect(finished.err.contains("error: "), "\(finished.err.prefix(2000))", sourceLocation: sourceLocation)
        for word in words {
          #expect(finished.err.contains(word), "no \(word) in:\n\(finished.err.prefix(2000))", sourceLocation: sourceLocation)
        }
      }
      let made = try FileManager.default.contentsOfDirectory(atPath: folder["work"])
      #expect(made.isEmpty, "\(made)", sourceLocation: sourceLocation)
    }

    /// The text comes after a graph of one file resource that would be made.
    private func expectRefused(
      text: String, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      try folder.write("g.yaml", text.replacingOccurrences(of: "WORK", with: folder["work"]))
      for word in words { try expectRefused("g.yaml", word, sourceLocation: sourceLocation) }
    }

    // MARK: Files

    @Test("a file that is missing")
    func missing() throws {
      try expectRefused("none.yaml", "\"none.yaml\" cannot be found", "No such file or directory")
      try expectRefused("none/none.yaml", "\"none/none.yaml\" cannot be")
    }

    @Test(
      "a file that the user may not read",
      .enabled(if: !Mgmt.isRoot || FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv"), "there is no setpriv"))
    func unreadable() throws {
      try folder.write("g.yaml", "graph: g\n")
      chmod(folder["g.yaml"], 0)
      try folder.makeFolder("state")
      chmod(folder["state"], 0o777)
      let nobody = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
      try expectRefused(
        "g.yaml", "\"g.yaml\" cannot be opened: Permission denied", "permission to read it",
        prefixCommand: Mgmt.isRoot ? nobody : [])
    }

    @Test("things that are not files", arguments: ["directory", "named pipe", "device"])
    func notFiles(_ what: String) throws {
      var path = "g.yaml"
      switch what {
      case "directory": try folder.makeFolder(path)
      case "named pipe": #expect(mkfifo(folder[path], 0o644) == 0)
      default: path = "/dev/zero"
      }
      try expectRefused(path, "is a \(what)", "name a regular file")
    }

    @Test("a link that leads nowhere, or in a ring")
    func links() throws {
      #expect(symlink("none.yaml", folder["g.yaml"]) == 0)
      try expectRefused("g.yaml", "\"g.yaml\" cannot be found")
      #expect(symlink("ring.yaml", folder["ring.yaml"]) == 0)
      try expectRefused("ring.yaml", "\"ring.yaml\" cannot be found", "symbolic link")
    }

    @Test("a file of 100 MB is not read")
    func large() throws {
      try folder.write("g.yaml", "graph: g\n")
      #expect(truncate(folder["g.yaml"], 100 << 20) == 0)
      try expectRefused("g.yaml", "too large for a graph: 104857600 bytes", "67108864")
    }

    // MARK: Text

    @Test("an empty file, and one that holds nothing")
    func empty() throws {
      try expectRefused(text: "", "g.yaml is empty", "graph: mygraph")
      try expectRefused(text: "# nothing\n", "graph: mygraph")
      try expectRefused(text: "---\n", "holds no graph")
      try expectRefused(text: "- a\n- b\n", "expected a map", "g.yaml:1:1")
    }

    @Test(
      "bytes that are not UTF-8",
      arguments: [[0xff, 0xfe, 0x0a], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]])
    func encoding(_ bytes: [UInt8]) throws {
      try Data("graph: g\ncomment: ".utf8 + bytes).write(to: URL(filePath: folder["g.yaml"]))
      try expectRefused("g.yaml", "not UTF-8", "g.yaml:2:1", "save it as UTF-8")
    }

    @Test("text that is not YAML")
    func syntax() throws {
      try expectRefused(text: "graph: g\nresources: {\n", "g.yaml:3:1")
      try expectRefused(text: "graph: \"g\n", "g.yaml:")
      try expectRefused(text: "graph: g\n\tresources: {}\n", "g.yaml:2:1")
      try expectRefused(text: "graph: g\n--- \ngraph: h\n", "g.yaml:")
    }

    @Test("a bomb of aliases")
    func bomb() throws {
      var text = "graph: g\nresources:\n  noop:\n  - name: a\n    comment:\n      a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
      for level in 1...12 {
        text += "      a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ","))]\n"
      }
      try expectRefused(text: text, "the aliases up to here expand to too much", "g.yaml:")
      try expectRefused(text: "graph: &a g\nresources: &b {noop: *b}\n", "g.yaml:2")
    }

    @Test("a bomb of depth", arguments: ["[", "{a: "])
    func depth(_ opening: String) throws {
      try expectRefused(text: "graph: g\ncomment: " + String(repeating: opening, count: 100_000), "g.yaml:2:")
    }

    // MARK: Graphs

    @Test("values of another type")
    func types() throws {
      let start = "graph: g\nresources:\n  file:\n  - name: a\n    path: WORK/a\n"
      try expectRefused(
        text: start + "    content: [x]\n", "wrong type for \"content\"", "expected str, found a list", "g.yaml:6:14")
      try expectRefused(text: start + "    force: maybe\n", "wrong type for \"force\"", "expected bool", "g.yaml:6:12")
      try expectRefused(text: start + "    fragments: x\n", "wrong type for \"fragments\"", "expected []str", "g.yaml:6:16")
      try expectRefused(text: "graph: g\nresources: 3\n", "g.yaml:2:12")
      try expectRefused(text: "graph: g\nresources:\n  file: {name: a}\n", "g.yaml:3:")
    }

    @Test("kinds and parameters that are not there come with a suggestion; what is right is not done either")
    func unknown() throws {
      let good = "graph: g\nresources:\n  file:\n  - name: a\n    path: WORK/a\n    content: x\n"
      try expectRefused(text: good + "  fiel:\n  - name: b\n", "unknown kind \"fiel\"", "did you mean \"file\"?", "g.yaml:7:3")
      try expectRefused(
        text: good + "  - name: b\n    path: WORK/b\n    contnet: x\n", "a file has no parameter \"contnet\"",
        "did you mean \"content\"?", "g.yaml:9:5")
      try expectRefused(
        text: good + "resuorces: {}\n", "unknown key \"resuorces\"", "did you mean \"resources\"?", "g.yaml:7:1")
    }

    @Test("what the plugin refuses is said with the place in the file; what is right is not done either")
    func validation() throws {
      try folder.write(
        "g.yaml",
        "graph: g\nresources:\n  file:\n  - name: a\n    path: \(folder["work"])/a\n    content: x\n  - name: b\n    path: relative/b\n"
      )
      let finished = try Mgmt.run(
        ["run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", "g.yaml"], in: folder, bound: 30)
      #expect(finished.status == 1)
      #expect(finished.err.contains("path: \"relative/b\" is not an absolute path"), "\(finished.err)")
      #expect(finished.err.contains("g.yaml:7:11"), "\(finished.err)")
      #expect(!folder.exists("work/a"))
    }

    @Test("names that are there twice")
    func duplicates() throws {
      try expectRefused(
        text: "graph: g\nresources:\n  file:\n  - name: WORK/a\n    content: x\n  - name: WORK/a\n    content: y\n",
        "is here twice", "g.yaml:6:11", "g.yaml:4:11", "again", "first")
    }

    @Test("edges to nothing")
    func edges() throws {
      let start = "graph: g\nresources:\n  file:\n  - name: WORK/a\n    content: x\n  noop:\n  - name: b\nedges:\n- name: e\n"
      try expectRefused(
        text: start + "  from: {kind: noop, name: b}\n  to: {kind: noop, name: c}\n", "there is no noop[c] in this graph",
        "g.yaml:11:26",
        "did you mean noop[b]?")
      try expectRefused(text: start + "  from: {kind: noop, name: b}\n", "g.yaml:9")
      try expectRefused(
        text: start + "  from: {kind: noop, name: b}\n  to: {kind: noop, name: b}\n", "noop[b] has an edge to itself",
        "g.yaml:9")
    }

    @Test("a cycle is printed with the place of each edge")
    func cycle() throws {
      var text = "graph: g\nresources:\n  file:\n  - name: WORK/a\n    content: x\n  noop:\n"
      for name in ["x", "y", "z", "tail"] { text += "  - name: \(name)\n" }
      text += "edges:\n"
      for (from, to) in [("x", "y"), ("y", "z"), ("z", "x"), ("tail", "x")] {
        text += "- {name: \(from)\(to), from: {kind: noop, name: \(from)}, to: {kind: noop, name: \(to)}}\n"
      }
      try expectRefused(
        text: text, "the edges form a cycle: noop[x] -> noop[y] -> noop[z] -> noop[x]", "g.yaml:12:10", "g.yaml:13:10",
        "g.yaml:14:10")
    }

    @Test("the file of a good graph is never written")
    func untouched() throws {
      let text = "graph: g\nresources:\n  file:\n  - name: WORK/a\n    content: x\n    contnet: y\n"
      try expectRefused(text: text, "contnet")
      #expect(folder.read("g.yaml") == text.replacingOccurrences(of: "WORK", with: folder["work"]))
    }
  }
}
