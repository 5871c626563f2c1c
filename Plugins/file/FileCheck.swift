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
  mutating func report(_ what: String, was: Value, will: Value) {
    differs = true
    call.change(what, was: was, will: will)
  }

  mutating func reportState(was type: FileType?) {
    report("state", was: .string(type.map { $0 == .regular ? "exists" : $0.rawValue } ?? "absent"), will: .string("exists"))
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
  /// Something was asked of it, but nothing says that it should be made.
  func missing() -> Failure {
    let field =
      !owner.isEmpty ? "owner" : !group.isEmpty ? "group" : mode != nil ? "mode" : selinux != nil ? "selinux" : "purge"
    return Failure(
      "\(path) does not exist, so " + (field == "purge" ? "it cannot be purged" : "its \(field) cannot be set"),
      errno: ENOENT, field: field,
      hint: "set state: exists to make it, or have another resource make it before this one")
  }
}
