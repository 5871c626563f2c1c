// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A folder of our own on a real disk, removed in the end.
struct Scratch: Sendable {
  let path: String

  init(under parent: String) throws {
    var template = Array((parent + "/mgmt-bench.XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure.system("\(parent): cannot make a scratch folder") }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Makes the folder `name` (and removes what was there).
  func folder(_ name: String) throws -> String {
    let folder = path + "/" + name
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// Writes `text` to the file `name` by rename, as an editor does, and returns its path.
  @discardableResult func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)), options: .atomic)
    return file(name)
  }

  /// Removes it, also when a process just killed was still writing there.
  func remove() {
    for _ in 0..<20 where access(path, F_OK) == 0 {
      if (try? FileManager.default.removeItem(atPath: path)) == nil { usleep(50_000) }
    }
  }
}
