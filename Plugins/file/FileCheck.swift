// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// One run of `check_apply`: looks, reports every difference, and mends it if it may. The stages are in extensions, one file
/// for each form a resource can have.
struct FileCheck: ~Copyable {
  let spec: FileSpec
  let kind: FileKind
  let handle: ResourceHandle
  let call: Call
  let flags: CheckFlags
  private(set) var differs = false

  init(spec: FileSpec, kind: FileKind, handle: ResourceHandle, call: Call, flags: CheckFlags) {
    self.spec = spec
    self.kind = kind
    self.handle = handle
    self.call = call
    self.flags = flags
  }

  var apply: Bool { flags.contains(.apply) }
  var wantDiff: Bool { flags.contains(.wantDiff) }

  mutating func run() throws(Failure) {
    if spec.state == .absent {
      try checkAbsent()
    } else if spec.symlink {
      try checkSymlink()
    } else if spec.isDirectory {
      try checkDirectory()
    } else {
      try checkFile()
    }
  }

  /// Always before the difference is mended.
  mutating func report(_ what: String, was: Value, will: Value, isSecret: Bool = false) {
    differs = true
    call.change(what, was: was, will: will, isSecret: isSecret)
  }

  mutating func reportState(was type: FileType?) {
    report("state", was: .string(type.map { $0 == .regular ? "exists" : $0.rawValue } ?? "absent"), will: .string("exists"))
  }

  /// Whether all is as asked, by looks at the path alone. Nearly all checks end here; nothing is changed on its word.
  func isQuiet(_ type: FileType) throws(Failure) -> Bool {
    guard let found = try look(), FileType(found) == type, spec.source.isEmpty, spec.fragments.isEmpty, !spec.purge,
      try hasAttributes(wantedAttributes(found), found, held: nil)
    else { return false }
    guard let content = spec.content else { return true }
    guard found.st_size == content.utf8.count else { return false }
    return content.isEmpty ? true : try isSame(content, openByPath())
  }

  /// -1: it has been replaced by something that is not a regular file.
  private func openByPath() throws(Failure) -> FileDescriptor {
    let raw = open(spec.cPath, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard raw >= 0 else {
      if errno == ENOENT || errno == ELOOP { return FileDescriptor(-1) }
      throw Failure.system("cannot open", spec.path, errno)
    }
    let fd = FileDescriptor(raw)
    return FileType(try fd.status(spec.path)) == .regular ? fd : FileDescriptor(-1)
  }

  /// What is at the path; nil: nothing. The last part is not followed if it is a symbolic link.
  func look() throws(Failure) -> stat? {
    var status = stat()
    if lstat(spec.cPath, &status) == 0 { return status }
    guard errno == ENOENT || (errno == ENOTDIR && spec.state == .absent) else {
      throw Failure.system("cannot look at", spec.path, errno)
    }
    return nil
  }

  func missing() -> Failure { spec.missing() }
}

extension FileSpec {
  /// The first parameter about attributes; "": there is none.
  var attributeField: String {
    !owner.isEmpty ? "owner" : !group.isEmpty ? "group" : mode != nil ? "mode" : selinux != nil ? "selinux" : ""
  }

  /// Something was asked of it, but nothing says that it should be made.
  func missing() -> Failure {
    let field = attributeField.isEmpty ? "purge" : attributeField
    return Failure(
      "\(path) does not exist, so " + (field == "purge" ? "it cannot be purged" : "its \(field) cannot be set"),
      errno: ENOENT, field: field,
      hint: "set state: exists to make it, or have another resource make it before this one")
  }
}
