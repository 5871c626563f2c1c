// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// A symbolic link.
extension FileCheck {
  mutating func checkSymlink() throws(Failure) {
    let wants = spec.state == .exists
    guard wants || spec.hasAttributes else { return }
    let found = try look()
    let type = found.map { FileType($0) }
    if found == nil && !wants { throw missing() }
    if let type, type != .symlink {
      guard wants, spec.force, type != .other else { throw .inTheWay(spec.path, type, wanted: .symlink) }
    }
    let existing = type == .symlink ? found : nil
    let current = existing == nil ? nil : linkText(AT_FDCWD, spec.cPath)
    let wanted = try wantedAttributes(existing)
    var writes = false
    if wants {
      if existing == nil { reportState(was: type) }
      if current.map({ $0.elementsEqual(spec.source.utf8) }) != true {
        writes = true
        report(
          "source", was: current.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .unset, will: .string(spec.source))
      }
    }
    try reportAttributes(wanted, existing)
    guard differs, apply else { return }
    let parent = try Parent(spec)
    if type == .directory && writes { try removeTree(parent.directory.raw, parent.name, spec.path) }
    if writes {
      try makeLink(Array(spec.source.utf8CString), directory: parent.directory.raw, name: parent.name, path: spec.path)
    }
    if let now = try parent.look(), FileType(now) == .symlink { try setAttributes(parent, wanted, now) }
  }

  /// Made under a temporary name, then renamed: at no time is there no link.
  func makeLink(_ target: CPath, directory: Int32, name: CPath, path: String) throws(Failure) {
    let place = FilePath.split(path).directory
    kind.temporaries.journal.note(directory, place)
    let temporary = Temporary(kind.temporaries, in: place, by: nil)
    guard symlinkat(target, directory, temporary.name) == 0 else { throw Failure.system("cannot make the link", path, errno) }
    guard renameat(directory, temporary.name, directory, name) == 0 else {
      let error = errno
      unlinkat(directory, temporary.name, 0)
      throw Failure.system("cannot replace", path, error)
    }
  }
}
