// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// A regular file.
extension FileCheck {
  mutating func checkFile() throws(Failure) {
    let wants = spec.state == .exists || spec.hasPayload
    guard wants || spec.hasAttributes else { return }
    if try isQuiet(.regular) { return }
    let parent = try Parent(spec, isNeeded: false)
    let entry = try parent.entry()
    let inPlace: Bool  // what is there stays, or is replaced by something that keeps its attributes
    switch entry.type {
    case .regular: inPlace = true
    case .other where !spec.hasPayload: inPlace = true
    case nil where wants: inPlace = false
    case nil: throw missing()
    case .some(let other):
      guard spec.force, wants, other != .other else { throw .inTheWay(spec.path, other, wanted: .regular) }
      inPlace = false
    }
    let payload = try payload()
    guard inPlace, let existing = entry.status else { return try makeFile(parent, entry, payload ?? .bytes("")) }
    let contentDiffers = if let payload { try differs(payload, entry) } else { false }
    var wanted = try wantedAttributes(existing, isReplaced: contentDiffers, held: entry.held.raw)
    var writes = contentDiffers
    var kept: stat? = existing
    let mends = contentDiffers ? true : try !hasAttributes(wanted, existing, held: entry.held.raw)
    if mends {
      if let doubt = try entry.doubt(wanted) {
        guard payload != nil else { throw entry.refused(doubt, field: spec.attributeField) }
        wanted = try attributesInstead(of: existing)
        writes = true
        kept = nil
      } else if payload != nil, existing.st_uid != geteuid(), let uid = wanted.uid, uid != existing.st_uid {
        // Whoever has it open for writing would have the new owner's file.
        writes = true
      }
    }
    if contentDiffers, let payload { try reportContent(payload, entry, wanted) }
    try reportAttributes(wanted, existing, held: entry.held.raw)
    guard differs, apply else { return }
    if writes, let payload { return try write(payload, entry, kept, wanted) }
    try setAttributes(entry, wanted)
  }

  /// Where nothing is, or something that has to go.
  private mutating func makeFile(
    _ parent: borrowing Parent, _ entry: borrowing Entry, _ payload: Payload
  ) throws(Failure) {
    let wanted = try newAttributes()
    reportState(was: entry.type)
    if spec.hasPayload { try reportContent(payload, entry, wanted) }
    try reportAttributes(wanted, nil, held: -1)
    guard apply else { return }
    try parent.need()
    if entry.type == .directory { try removeTree(entry.directory, entry.name, spec.path) }
    try write(payload, entry, nil, wanted)
  }

  /// Removed, whatever it is: a link itself, never what it points to.
  mutating func checkAbsent() throws(Failure) {
    guard try look() != nil else { return }
    let parent = try Parent(spec, isNeeded: false, mayBeFile: true)
    let entry = try parent.entry()
    guard let type = entry.type else { return }
    if spec.isDirectory && type != .directory && !spec.force { throw .inTheWay(spec.path, type, wanted: .directory) }
    report("state", was: .string(type == .regular ? "exists" : type.rawValue), will: .string("absent"))
    guard apply else { return }
    if type == .directory && spec.recurse { return try removeTree(entry.directory, entry.name, spec.path) }
    guard unlinkat(entry.directory, entry.name, type == .directory ? AT_REMOVEDIR : 0) != 0 else { return }
    switch errno {
    case ENOENT: return
    case ENOTEMPTY, EEXIST:
      throw Failure(
        "\(spec.path) is not empty", errno: ENOTEMPTY, field: "recurse",
        hint: "set recurse: true to remove it with all its contents")
    case let reason: throw Failure.system("cannot remove", spec.path, reason)
    }
  }
}
