// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// A regular file.
extension FileCheck {
  mutating func checkFile() throws(Failure) {
    let wants = spec.state == .exists || spec.hasPayload
    guard wants || spec.hasAttributes else { return }
    let found = try look()
    let type = found.map { FileType($0) }
    let inPlace: Bool  // what is there stays, or is replaced by something that keeps its attributes
    switch type {
    case .regular: inPlace = true
    case .other where !spec.hasPayload: inPlace = true
    case nil where wants: inPlace = false
    case nil: throw missing()
    case .some(let other):
      guard spec.force, wants, other != .other else { throw .inTheWay(spec.path, other, wanted: .regular) }
      inPlace = false
    }
    let existing = inPlace ? found : nil
    let payload = try payload()
    let wanted = try wantedAttributes(existing)
    if existing == nil { reportState(was: type) }
    var writes = existing == nil
    if let payload {
      let differs =
        if let existing { try differs(payload, existing) } else { true }
      if differs {
        writes = true
        report("content", was: try wasValue(existing), will: try willValue(payload))
      }
    }
    try reportAttributes(wanted, existing)
    guard differs, apply else { return }
    let parent = try Parent(spec)
    if type == .directory && writes { try removeTree(parent.directory.raw, parent.name, spec.path) }
    if writes {
      try write(
        payload ?? .bytes(""), directory: parent.directory.raw, name: parent.name, path: spec.path, existing: existing, wanted)
    } else if let existing {
      try setAttributes(parent, wanted, existing)
    }
  }

  /// Removed, whatever it is: a link itself, never what it points to.
  mutating func checkAbsent() throws(Failure) {
    guard let found = try look() else { return }
    let type = FileType(found)
    if spec.isDirectory && type != .directory && !spec.force { throw .inTheWay(spec.path, type, wanted: .directory) }
    report("state", was: .string(type == .regular ? "exists" : type.rawValue), will: .string("absent"))
    guard apply else { return }
    let parent = try Parent(spec)
    if type == .directory && spec.recurse { return try removeTree(parent.directory.raw, parent.name, spec.path) }
    let flags = type == .directory ? AT_REMOVEDIR : 0
    if unlinkat(parent.directory.raw, parent.name, flags) == 0 || errno == ENOENT { return }
    if errno == ENOTEMPTY || errno == EEXIST {
      throw Failure(
        "\(spec.path) is not empty", errno: errno, field: "recurse",
        hint: "set recurse: true to remove it with all its contents")
    }
    throw Failure.system("cannot remove", spec.path, errno)
  }
}
