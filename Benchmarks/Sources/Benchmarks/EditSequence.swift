// SPDX-License-Identifier: Apache-2.0

/// A graph of files and a sequence of edits of it. Each changes the content of one file; in turn every fourth file.
struct EditSequence {
  let count: Int
  let folder: String
  private static let step = 4

  private var changing: Int { count / Self.step }

  /// The file, from 0, that `edit`, from 1, changes.
  func file(of edit: Int) -> Int { (edit - 1) % changing * Self.step }

  /// What file `file` holds after `edit`; 0: at first.
  func content(of file: Int, after edit: Int) -> String {
    guard file.isMultiple(of: Self.step), edit > file / Self.step else { return "This is file \(file)." }
    let turn = file / Self.step + 1
    return "This is file \(file), edit \(edit - (edit - turn) % changing)."
  }

  /// The files whose contents differ after one edit and after a later one.
  func files(changedAfter before: Int, upTo edit: Int) -> Set<Int> {
    edit > before ? Set((max(before + 1, edit - changing + 1)...edit).map(file)) : []
  }

  func contents(after edit: Int) -> [String] { (0..<count).map { content(of: $0, after: edit) } }

  /// The graph bears the number of the edit in its name: events tell which one was taken.
  func graph(after edit: Int) -> String {
    let paths = (1...count).map { "\(folder)/f\($0)" }
    return Graphs.files(named: "edit-\(edit)", at: paths, contents: contents(after: edit))
  }

  static func edit(ofGraph name: String) -> Int? { name.hasPrefix("edit-") ? Int(name.dropFirst(5)) : nil }

  /// Its name in the graph.
  func resource(_ file: Int) -> String { "file[file\(file + 1)]" }

  /// How many files in `folder` do not hold what they should after `edit`.
  func differing(in folder: String, after edit: Int) -> Int {
    (0..<count).filter { (try? Proc.text("\(folder)/f\($0 + 1)")) != content(of: $0, after: edit) }.count
  }
}
