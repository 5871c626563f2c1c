// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// A directory itself; what is in it is `DirectoryTree.swift`'s.
extension FileCheck {
  mutating func checkDirectory() throws(Failure) {
    let wants = spec.state == .exists || spec.hasPayload
    guard wants || spec.hasAttributes || spec.purge else { return }
    let found = try look()
    let type = found.map { FileType($0) }
    if found == nil && !wants { throw missing() }
    if let type, type != .directory {
      guard wants, spec.force, type != .other else { throw .inTheWay(spec.path, type, wanted: .directory) }
    }
    let existing = type == .directory ? found : nil
    let wanted = try wantedAttributes(existing)
    if existing == nil { reportState(was: type) }
    if existing == nil && apply { try makeDirectory(replacing: type, wanted) }
    if !spec.source.isEmpty || spec.purge { try checkTree(isThere: existing != nil || apply) }
    try reportAttributes(wanted, existing)
    guard differs, apply else { return }
    let parent = try Parent(spec)
    guard let now = try parent.look(), FileType(now) == .directory else {
      throw Failure("\(spec.path) was replaced while it was being checked", errno: ESTALE, hint: "it is checked again")
    }
    try setAttributes(parent, wanted, now)
  }

  private func makeDirectory(replacing type: FileType?, _ wanted: Attributes) throws(Failure) {
    let parent = try Parent(spec, makeMissing: spec.recurse)
    if type != nil, unlinkat(parent.directory.raw, parent.name, 0) != 0, errno != ENOENT {
      throw Failure.system("cannot replace", spec.path, errno)
    }
    // Nobody may enter before the owner and mode are right.
    let isPlain = wanted.uid == nil && wanted.gid == nil && wanted.mode == nil
    guard mkdirat(parent.directory.raw, parent.name, isPlain ? 0o777 : 0o700) == 0 || errno == EEXIST else {
      throw Failure.system("cannot make the directory", spec.path, errno)
    }
    guard wanted.mode == nil else { return }  // set with the other attributes
    var source = stat()
    if !spec.source.isEmpty, stat(FilePath.c(spec.source), &source) == 0 {
      try setMode(parent, source.st_mode & 0o777)
    } else if !isPlain {
      try setMode(parent, 0o777 & ~currentUmask())
    }
  }

  private func setMode(_ parent: borrowing Parent, _ mode: mode_t) throws(Failure) {
    guard fchmodat(parent.directory.raw, parent.name, mode, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw Failure.system("cannot change the mode of", spec.path, errno)
    }
  }
}
