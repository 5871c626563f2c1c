// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// A symbolic link.
extension FileCheck {
  mutating func checkSymlink() throws(Failure) {
    let wants = spec.state == .exists
    guard wants || spec.hasAttributes else { return }
    if try isQuietLink() { return }
    let parent = try Parent(spec, isNeeded: false)
    let entry = try parent.entry()
    if entry.type == nil && !wants { throw missing() }
    if let type = entry.type, type != .symlink {
      guard wants, spec.force, type != .other else { throw .inTheWay(spec.path, type, wanted: .symlink) }
    }
    let existing = entry.type == .symlink ? entry.status : nil
    let current = entry.linkText
    let wanted = if let existing { try wantedAttributes(existing) } else { try newAttributes() }
    var writes = wants && current.map({ $0.elementsEqual(spec.source.utf8) }) != true
    if let existing, !writes, try !hasAttributes(wanted, existing, held: entry.held.raw), let doubt = try entry.doubt(wanted) {
      guard wants else { throw entry.refused(doubt, field: spec.attributeField) }
      writes = true
    }
    if wants && existing == nil { reportState(was: entry.type) }
    if wants && current.map({ $0.elementsEqual(spec.source.utf8) }) != true {
      report(
        "source", was: current.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .unset, will: .string(spec.source))
    }
    try reportAttributes(wanted, existing, held: entry.held.raw)
    guard differs, apply else { return }
    guard writes else { return try setAttributes(entry, wanted) }
    try parent.need()
    if entry.type == .directory { try removeTree(entry.directory, entry.name, spec.path) }
    try makeLink(
      Array(spec.source.utf8CString), directory: entry.directory, name: entry.name, path: spec.path, wanted)
  }

  private func isQuietLink() throws(Failure) -> Bool {
    guard let found = try look(), FileType(found) == .symlink, try hasAttributes(wantedAttributes(found), found, held: nil)
    else { return false }
    return spec.state != .exists || linkText(AT_FDCWD, spec.cPath)?.elementsEqual(spec.source.utf8) == true
  }

  /// Made under a temporary name, then renamed: at no time is there no link.
  func makeLink(
    _ target: CPath, directory: Int32, name: CPath, path: String, _ wanted: Attributes = Attributes()
  ) throws(Failure) {
    let place = FilePath.split(path).directory
    kind.temporaries.journal.note(directory, place)
    let temporary = Temporary(kind.temporaries, in: place, by: nil)
    guard symlinkat(target, directory, temporary.name) == 0 else { throw Failure.system("cannot make the link", path, errno) }
    do throws(Failure) {
      if wanted.uid != nil || wanted.gid != nil || wanted.label != nil {
        let made = try Entry(directory, temporary.name, path)
        // Another may have the name by now.
        guard made.linkText?.elementsEqual(target.dropLast().lazy.map { UInt8(bitPattern: $0) }) == true else {
          throw made.replaced()
        }
        try setAttributes(made, wanted)
      }
      guard renameat(directory, temporary.name, directory, name) == 0 else {
        throw Failure.system("cannot replace", path, errno)
      }
    } catch {
      unlinkat(directory, temporary.name, 0)
      throw error
    }
  }
}
