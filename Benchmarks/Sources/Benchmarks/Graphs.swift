// SPDX-License-Identifier: Apache-2.0

/// The graphs the agent is given, as YAML.
enum Graphs {
  /// `count` managed files in `folder`; `bench.h` has the same names and contents.
  static func files(_ count: Int, in folder: String, changed: Int? = nil) -> String {
    var text = "graph: files\nresources:\n  file:\n"
    for index in 1...count {
      let line =
        index == changed ? "This is file \(index). Its content is changed." : "This is file \(index). Its content is managed."
      text += "  - name: file\(index)\n    path: \"\(folder)/f\(index)\"\n    content: \"\(line)\\n\"\n    state: exists\n"
    }
    return text
  }

  /// Files of the given contents; contents need no escapes.
  static func files(named name: String, at paths: [String], contents: [String]) -> String {
    var text = "graph: \(name)\nresources:\n  file:\n"
    for (index, (path, content)) in zip(paths, contents).enumerated() {
      text += "  - name: file\(index + 1)\n    path: \"\(path)\"\n    content: \"\(content)\"\n    state: exists\n"
    }
    return text
  }

  /// `count` paths of a tree below `root`: in every directory eight files and two directories, level by level. Directories end
  /// with a slash and come before what is in them.
  static func tree(_ count: Int, in root: String) -> [String] {
    var paths: [String] = []
    var directories = [root + "/"]
    while paths.count < count {
      var below: [String] = []
      for directory in directories {
        paths.append(directory)
        paths += (1...8).map { directory + "f\($0)" }
        below += (1...2).map { directory + "d\($0)/" }
      }
      directories = below
    }
    return Array(paths.prefix(count))
  }

  /// The files and directories `paths`, without an edge.
  static func tree(_ paths: [String]) -> String {
    var text = "graph: tree\nresources:\n  file:\n"
    for path in paths {
      text += "  - name: \"\(path)\"\n    state: exists\n" + (path.hasSuffix("/") ? "" : "    content: managed\n")
    }
    return text
  }

  /// `count` different pairs of vertices, the first before the second, chosen by a seeded generator.
  static func pairs(_ count: Int, of vertices: Int) -> [(from: Int, to: Int)] {
    var generator = SplitMix64(state: 3)
    var seen: Set<Int> = []
    var pairs: [(from: Int, to: Int)] = []
    while pairs.count < count {
      let (one, other) = (Int.random(in: 0..<vertices, using: &generator), Int.random(in: 0..<vertices, using: &generator))
      let (from, to) = (min(one, other), max(one, other))
      if from != to, seen.insert(from * vertices + to).inserted { pairs.append((from, to)) }
    }
    return pairs
  }

  /// Vertices that do nothing; their names sort as their numbers do.
  static func noops(_ names: [String], edges: [(from: Int, to: Int)]) -> String {
    var text = "graph: groups\nresources:\n  noop:\n"
    for name in names { text += "  - name: \(name)\n" }
    text += "edges:\n"
    for (number, edge) in edges.enumerated() {
      text += "- {name: e\(number), from: {kind: noop, name: \(names[edge.from])}, to: {kind: noop, name: \(names[edge.to])}}\n"
    }
    return text
  }

  /// f1, f2 and f3 managed, "unwanted" absent.
  static func repair(in folder: String) -> String {
    files(3, in: folder) + "  - name: unwanted\n    path: \"\(folder)/unwanted\"\n    state: absent\n"
  }

  /// Services that are to run.
  static func services(_ units: [String]) -> String {
    "graph: services\nresources:\n  svc:\n" + units.map { "  - name: \($0)\n    state: running\n" }.joined()
  }

  /// Packages that are to be installed.
  static func packages(_ names: [String]) -> String {
    "graph: packages\nresources:\n  pkg:\n" + names.map { "  - name: \($0)\n    state: installed\n" }.joined()
  }

  /// `count` commands, none after another.
  static func execs(_ count: Int, command: String) -> String {
    var text = "graph: execs\nresources:\n  exec:\n"
    for index in 1...count { text += "  - name: exec\(index)\n    cmd: \(command)\n" }
    return text
  }

  /// `count` vertices that do nothing, each after three earlier ones (as far as there are three) chosen by a seeded
  /// generator: the same graph in every run.
  static func noops(_ count: Int) -> String {
    var generator = SplitMix64(state: 2)
    var text = "graph: growth\nresources:\n  noop:\n"
    for index in 0..<count { text += "  - name: n\(index)\n" }
    text += "edges:\n"
    for index in 1..<max(count, 2) where count > 1 {
      var earlier: Set<Int> = []
      while earlier.count < min(3, index) { earlier.insert(Int.random(in: 0..<index, using: &generator)) }
      for (number, from) in earlier.sorted().enumerated() {
        text += "- {name: e\(index)_\(number), from: {kind: noop, name: n\(from)}, to: {kind: noop, name: n\(index)}}\n"
      }
    }
    return count > 1 ? text : "graph: growth\nresources:\n  noop:\n  - name: n0\n"
  }
}

/// A small generator with a known sequence (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
