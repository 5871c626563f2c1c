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
    guard let parent = try openParent() else { return false }
    return try parent.look() != nil
  }

  private func fileReversal(state: String?, withContent: Bool) throws(Failure) -> Reversal? {
    guard let parent = try openParent(), let found = try parent.look() else {
      // Nothing is there. Contents alone make the file.
      if withContent { return result("absent") }
      throw missing()
    }
    switch FileType(found) {
    case .regular: break
    case .other where !withContent: return result(state, try attributes(parent, found))
    case let type:
      throw Failure(
        "\(path) is a \(type.rawValue): it cannot be reversed", field: "path", hint: "remove it first, or \(withoutReversal)")
    }
    guard withContent else { return result(state, try attributes(parent, found)) }
    let (content, status) = try content(parent)
    return result(state, [("content", .string(content))] + (try attributes(parent, status)))
  }

  /// The bytes of the file, and the status they belong to.
  private func content(_ parent: borrowing Parent) throws(Failure) -> (String, stat) {
    let raw = openat(
      parent.directory.raw, parent.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard raw >= 0 else { throw Failure.system("cannot open", path, errno) }
    let fd = FileDescriptor(raw)
    let status = try fd.status(path)
    guard FileType(status) == .regular else {
      throw Failure("\(path) was replaced while it was being read", errno: ESTALE, hint: "it is tried again")
    }
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
    return (content, status)
  }

  private func tooLarge() -> Failure {
    Failure(
      "\(path) cannot be reversed: it has more than \(largestContent >> 20) MiB", field: "content", hint: withoutReversal)
  }

  private func symlinkReversal() throws(Failure) -> Reversal? {
    guard state != .undefined || hasAttributes else { return nil }
    guard let parent = try openParent(), let found = try parent.look() else {
      switch state {
      case .exists: return result("absent")
      case .absent: return nil
      case .undefined: throw missing()
      }
    }
    let type = FileType(found)
    guard type == .symlink, let bytes = linkText(parent.directory.raw, parent.name) else {
      throw Failure(
        "\(path) is a \(type.rawValue), not a symbolic link: it cannot be reversed", field: "path",
        hint: "remove it first, or \(withoutReversal)")
    }
    let kept = try attributes(parent, found)
    if state == .undefined { return result(nil, [("symlink", .bool(true))] + kept) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        "\(path) cannot be reversed: the link's text is not UTF-8", field: "source", hint: withoutReversal)
    }
    return result("exists", [("symlink", .bool(true)), ("source", .string(text))] + kept)
  }

  /// nil: there is none, so there is nothing at the path either.
  private func openParent() throws(Failure) -> Parent? {
    do throws(Failure) {
      return try Parent(self)
    } catch {
      if error.errno == ENOENT || (error.errno == ENOTDIR && state == .absent) { return nil }
      throw error
    }
  }

  /// What is there now of what is managed, with numbers for accounts: names may be gone when it is put back.
  private func attributes(_ parent: borrowing Parent, _ status: stat) throws(Failure) -> Reversal {
    var result: Reversal = []
    if !owner.isEmpty { result.append(("owner", .string(String(status.st_uid)))) }
    if !group.isEmpty { result.append(("group", .string(String(status.st_gid)))) }
    if mode != nil { result.append(("mode", .string(octal(status.st_mode)))) }
    if selinux != nil { result.append(("selinux", .string(try label(of: parent)))) }
    return result
  }

  /// "": it has none.
  private func label(of parent: borrowing Parent) throws(Failure) -> String {
    let path = procPath(parent.directory.raw, parent.name)
    let (label, error) = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer -> (String, Int32) in
      let count = shim_get_attribute(path, "security.selinux", buffer.baseAddress, buffer.count)
      guard count >= 0 else { return ("", errno) }
      return (String(decoding: buffer[..<count].prefix { $0 != 0 }, as: UTF8.self), 0)
    }
    if error == 0 || error == ENODATA || error == EOPNOTSUPP { return label }
    throw Failure.system("cannot read the label of", self.path, error, field: "selinux")
  }
}
