// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// Contents beyond this are not remembered: they would have to be kept with the agent's state.
private let largestContent = 8 << 20

private let withoutReversal = "set reverse: false for it"

/// What undoes a resource, from what it asks for and what is there before it is applied. [worker]
///
/// It leads back to what was there: a file that was there before is not removed, and one that was not is. It is asked for once, before
/// the first change; after a restart of the agent the host keeps what it has.
extension FileSpec {
  typealias Reversal = [(name: String, value: Value)]

  /// nil: there is nothing to undo.
  func reversal() throws(Failure) -> Reversal? {
    if isDirectory {
      throw Failure(
        "a directory cannot be reversed: what was in it is not remembered", field: "path", hint: withoutReversal)
    }
    if symlink { return try symlinkReversal() }
    if !source.isEmpty {
      throw Failure(
        "a file with a source cannot be reversed", field: "source", hint: "use content or fragments, or \(withoutReversal)")
    }
    switch state {
    case .exists:
      guard try isThere() else { return result("absent") }
      return hasPayload || hasAttributes ? try fileReversal(state: "exists", withContent: hasPayload) : nil
    case .absent: return try isThere() ? try fileReversal(state: "exists", withContent: true) : nil
    case .undefined: return hasPayload || hasAttributes ? try fileReversal(state: nil, withContent: hasPayload) : nil
    }
  }

  private func result(_ state: String?, _ more: Reversal = []) -> Reversal {
    var result: Reversal = [("path", .string(path))]
    if let state { result.append(("state", .string(state))) }
    return result + more
  }

  private func isThere() throws(Failure) -> Bool {
    let parent = try openParent()
    return try parent.entry().status != nil
  }

  private func fileReversal(state: String?, withContent: Bool) throws(Failure) -> Reversal? {
    let parent = try openParent()
    let entry = try parent.entry()
    guard let type = entry.type else {
      // Nothing is there. Contents alone make the file.
      if withContent { return result("absent") }
      throw missing()
    }
    guard type == .regular || (type == .other && !withContent) else {
      throw Failure(
        "\(path) is a \(type.rawValue): it cannot be reversed", field: "path", hint: "remove it first, or \(withoutReversal)")
    }
    guard withContent else { return result(state, try attributes(entry)) }
    return result(state, [("content", .string(try content(entry)))] + (try attributes(entry, all: parent.othersMayWrite())))
  }

  private func content(_ entry: borrowing Entry) throws(Failure) -> String {
    guard let fd = try entry.open() else { throw entry.replaced() }
    let status = try fd.status(path)
    guard status.st_size <= largestContent else { throw tooLarge() }
    // One more than it has: a file that grows is noticed, and those of /proc say they are empty.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: largestContent + 1, alignment: 8)
    defer { buffer.deallocate() }
    let count = try fd.fill(buffer, path)
    guard count <= largestContent else { throw tooLarge() }
    guard let content = String(validating: buffer[..<count], as: UTF8.self) else {
      throw Failure(
        "\(path) cannot be reversed: what is in it is not text (UTF-8)", field: "content", hint: withoutReversal)
    }
    return content
  }

  private func tooLarge() -> Failure {
    Failure(
      "\(path) cannot be reversed: it has more than \(largestContent >> 20) MiB", field: "content", hint: withoutReversal)
  }

  private func symlinkReversal() throws(Failure) -> Reversal? {
    guard state != .undefined || hasAttributes else { return nil }
    let parent = try openParent()
    let entry = try parent.entry()
    guard let type = entry.type else {
      switch state {
      case .exists: return result("absent")
      case .absent: return nil
      case .undefined: throw missing()
      }
    }
    guard let bytes = entry.linkText else {
      throw Failure(
        "\(path) is a \(type.rawValue), not a symbolic link: it cannot be reversed", field: "path",
        hint: "remove it first, or \(withoutReversal)")
    }
    let kept = try attributes(entry)
    if state == .undefined { return result(nil, [("symlink", .bool(true))] + kept) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        "\(path) cannot be reversed: the link's text is not UTF-8", field: "source", hint: withoutReversal)
    }
    return result("exists", [("symlink", .bool(true)), ("source", .string(text))] + kept)
  }

  /// Without a descriptor where there is none: then there is nothing at the path either.
  private func openParent() throws(Failure) -> Parent {
    try Parent(self, isNeeded: false, mayBeFile: state == .absent)
  }

  /// What is there now of what is managed, with numbers for accounts: names may be gone when it is put back. `all`: contents are put
  /// back where others may have put something else by then, which shall not lend them its owner and mode.
  ///
  /// Rights of set-user-id are not put back: they come from those who ask for them only.
  private func attributes(_ entry: borrowing Entry, all: Bool = false) throws(Failure) -> Reversal {
    guard let status = entry.status else { return [] }
    var result: Reversal = []
    if all || !owner.isEmpty { result.append(("owner", .string(String(status.st_uid)))) }
    if all || !group.isEmpty { result.append(("group", .string(String(status.st_gid)))) }
    if all || mode != nil { result.append(("mode", .string(octal(status.st_mode & 0o1777)))) }
    if selinux != nil { result.append(("selinux", .string(try label(of: entry)))) }
    return result
  }

  /// "": it has none.
  private func label(of entry: borrowing Entry) throws(Failure) -> String {
    let held = entry.held.raw
    let (label, error) = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer -> (String, Int32) in
      let count = shim_held_get_attribute(held, "security.selinux", buffer.baseAddress, buffer.count)
      guard count >= 0 else { return ("", errno) }
      return (String(decoding: buffer[..<count].prefix { $0 != 0 }, as: UTF8.self), 0)
    }
    if error == 0 || error == ENODATA || error == EOPNOTSUPP { return label }
    throw Failure.system("cannot read the label of", self.path, error, field: "selinux")
  }
}
