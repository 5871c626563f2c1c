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

  /// f1, f2 and f3 managed, "unwanted" absent.
  static func repair(in folder: String) -> String {
    files(3, in: folder) + "  - name: unwanted\n    path: \"\(folder)/unwanted\"\n    state: absent\n"
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
