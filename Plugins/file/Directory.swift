// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// A directory itself; what is in it is `DirectoryTree.swift`'s.
extension FileCheck {
  mutating func checkDirectory() throws(Failure) {
    let wants = spec.state == .exists || spec.hasPayload
    guard wants || spec.hasAttributes || spec.purge else { return }
    if try isQuiet(.directory) { return }
    let parent = try Parent(spec, isNeeded: false)
    let entry = try parent.entry()
    if entry.type == nil && !wants { throw missing() }
    if let type = entry.type, type != .directory {
      guard wants, spec.force, type != .other else { throw .inTheWay(spec.path, type, wanted: .directory) }
    }
    guard let existing = entry.status, entry.type == .directory else { return try makeDirectory(parent, entry) }
    let wanted = try wantedAttributes(existing, held: entry.held.raw)
    if try !hasAttributes(wanted, existing, held: entry.held.raw), let doubt = try entry.doubt(wanted) {
      throw entry.refused(doubt, field: spec.attributeField)
    }
    if spec.hasTree { try checkTree(entry.held.raw) }
    try reportAttributes(wanted, existing, held: entry.held.raw)
    if differs && apply { try setAttributes(entry, wanted) }
  }

  /// Where none is, or something that has to go.
  private mutating func makeDirectory(_ parent: borrowing Parent, _ old: borrowing Entry) throws(Failure) {
    let wanted = try newAttributes()
    reportState(was: old.type)
    guard apply else {
      if spec.hasTree { try checkTree(-1) }
      return try reportAttributes(wanted, nil, held: -1)
    }
    if parent.directory.raw >= 0 { return try makeDirectory(parent.entry(), wanted) }
    let parent = try Parent(spec, makeMissing: spec.recurse)
    try makeDirectory(parent.entry(), wanted)
  }

  private mutating func makeDirectory(_ place: borrowing Entry, _ wanted: Attributes) throws(Failure) {
    if let type = place.type, type != .directory, unlinkat(place.directory, place.name, 0) != 0, errno != ENOENT {
      throw Failure.system("cannot replace", spec.path, errno)
    }
    // Nobody may enter before the owner and mode are right.
    let isPlain = wanted.uid == nil && wanted.gid == nil && wanted.mode == nil
    guard mkdirat(place.directory, place.name, isPlain ? 0o777 : 0o700) == 0 || errno == EEXIST else {
      throw Failure.system("cannot make the directory", spec.path, errno)
    }
    let made = try Entry(place.directory, place.name, spec.path)
    guard let status = made.status, made.type == .directory else { throw made.replaced() }
    if !isPlain || !spec.source.isEmpty {
      // Another may have the name by now.
      if let doubt = try made.doubt(wanted) { throw made.refused(doubt, field: spec.attributeField) }
      try AccessList.remove(made.held.raw, status, spec.path)
    }
    if wanted.mode == nil, !spec.source.isEmpty { try copyMode(made) }
    if spec.hasTree { try checkTree(made.held.raw) }
    try reportAttributes(wanted, nil, held: -1)
    try setAttributes(made, wanted)
  }

  /// What the source allows.
  private func copyMode(_ made: borrowing Entry) throws(Failure) {
    var source = stat()
    guard stat(FilePath.c(spec.source), &source) == 0 else { return }
    try setMode(made.held.raw, source.st_mode & 0o777)
  }
}

extension FileSpec {
  fileprivate var hasTree: Bool { !source.isEmpty || purge }
}
