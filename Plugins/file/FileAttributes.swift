// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

private let label = "security.selinux"

/// Owner, group, mode and label as they shall be. nil: not managed.
struct Attributes {
  var uid: uid_t?
  var gid: gid_t?
  var mode: mode_t?
  var label: String?
}

extension FileCheck {
  /// `current` nil: it will be made, with what the kernel gives new files or directories.
  func wantedAttributes(_ current: stat?) throws(Failure) -> Attributes {
    var wanted = Attributes(label: spec.selinux)
    if !spec.owner.isEmpty { wanted.uid = try account(.user, spec.owner, "owner") }
    if !spec.group.isEmpty { wanted.gid = try account(.group, spec.group, "group") }
    if let mode = spec.mode {
      switch mode {
      case .octal(let bits): wanted.mode = bits
      case .symbolic: wanted.mode = mode.applied(to: current?.st_mode ?? (spec.isDirectory ? 0o777 : 0o666) & ~currentUmask())
      }
    }
    return wanted
  }

  private func account(_ space: Accounts.Space, _ name: String, _ field: String) throws(Failure) -> UInt32? {
    if let number = kind.accounts.number(space, name) { return number }
    let what = space == .user ? "user" : "group"
    // Without apply an earlier resource may be about to make it.
    guard apply else {
      handle.log(.warning, "there is no \(what) \"\(name)\" yet")
      return nil
    }
    throw Failure("there is no \(what) \"\(name)\"", field: field, hint: "make the \(what) first, or correct the name")
  }

  /// Reports each attribute that differs. `current` nil: it will be made.
  mutating func reportAttributes(_ wanted: Attributes, _ current: stat?) throws(Failure) {
    if !spec.owner.isEmpty, current == nil || wanted.uid != current?.st_uid {
      report("owner", was: accountValue(.user, current?.st_uid, spec.owner), will: .string(spec.owner))
    }
    if !spec.group.isEmpty, current == nil || wanted.gid != current?.st_gid {
      report("group", was: accountValue(.group, current?.st_gid, spec.group), will: .string(spec.group))
    }
    if let mode = wanted.mode, current.map({ $0.st_mode & 0o7777 }) != mode {
      report("mode", was: current.map { .string(octal($0.st_mode)) } ?? .unset, will: .string(octal(mode)))
    }
    if let wantedLabel = wanted.label {
      let present = current == nil ? nil : try currentLabel()
      if (present ?? "") != wantedLabel {
        report("selinux", was: present.map(Value.string) ?? .unset, will: wantedLabel.isEmpty ? .unset : .string(wantedLabel))
      }
    }
  }

  private func accountValue(_ space: Accounts.Space, _ number: UInt32?, _ wanted: String) -> Value {
    guard let number else { return .unset }
    let numeric = wanted.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
    return .string(numeric ? String(number) : Accounts.name(space, number))
  }

  private func currentLabel() throws(Failure) -> String? {
    let result = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer -> (Int, String) in
      let count = shim_get_attribute(spec.cPath, label, buffer.baseAddress, buffer.count)
      guard count > 0 else { return (count, "") }
      return (count, String(decoding: buffer[..<count].prefix { $0 != 0 }, as: UTF8.self))
    }
    if result.0 >= 0 { return result.1 }
    switch errno {
    case ENODATA, ENOENT: return nil
    case EOPNOTSUPP where spec.selinux == "": return nil
    case EOPNOTSUPP:
      throw Failure(
        "the file system of \(spec.path) has no SELinux labels", errno: EOPNOTSUPP, field: "selinux",
        hint: "remove selinux, or mount the file system with labels (mount -o context=…)")
    case let error: throw Failure.system("cannot read the label of", spec.path, error, field: "selinux")
    }
  }

  /// Mends what differs from `current` at a name in an open directory. A symbolic link that appears there is not followed.
  func setAttributes(_ parent: borrowing Parent, _ wanted: Attributes, _ current: stat) throws(Failure) {
    let uid = wanted.uid.flatMap { $0 == current.st_uid ? nil : $0 }
    let gid = wanted.gid.flatMap { $0 == current.st_gid ? nil : $0 }
    let bits = current.st_mode & 0o7777
    var mode = wanted.mode.flatMap { $0 == bits ? nil : $0 }
    if uid != nil || gid != nil {
      guard fchownat(parent.directory.raw, parent.name, uid ?? uid_t.max, gid ?? gid_t.max, AT_SYMLINK_NOFOLLOW) == 0 else {
        throw Failure.system("cannot change the owner of", spec.path, errno, field: uid != nil ? "owner" : "group")
      }
      // The kernel clears these two bits with the owner.
      if bits & 0o6000 != 0 && !spec.symlink { mode = wanted.mode ?? bits }
    }
    if let mode, fchmodat(parent.directory.raw, parent.name, mode, AT_SYMLINK_NOFOLLOW) != 0 {
      throw Failure.system("cannot change the mode of", spec.path, errno, field: "mode")
    }
    if let wantedLabel = wanted.label, try currentLabel() ?? "" != wantedLabel {
      let path = procPath(parent.directory.raw, parent.name)
      let status =
        wantedLabel.isEmpty
        ? shim_remove_attribute(path, label) : shim_set_attribute(path, label, wantedLabel, wantedLabel.utf8.count + 1)
      guard status == 0 || (wantedLabel.isEmpty && errno == ENODATA) else { throw labelFailure(errno) }
    }
  }

  /// For a file that is not yet under its name.
  func setLabel(_ fd: borrowing FileDescriptor, _ wanted: String) throws(Failure) {
    guard !wanted.isEmpty, shim_fd_set_attribute(fd.raw, label, wanted, wanted.utf8.count + 1) != 0 else { return }
    throw labelFailure(errno)
  }

  private func labelFailure(_ error: Int32) -> Failure {
    error == EINVAL
      ? Failure(
        "the system's policy does not know the label \"\(spec.selinux ?? "")\"", errno: error, field: "selinux",
        hint: "list known ones with: seinfo -t")
      : Failure.system("cannot set the label of", spec.path, error, field: "selinux")
  }
}

/// A name in an open directory as a path, for calls that have no variant with a directory.
func procPath(_ directory: Int32, _ name: CPath) -> CPath {
  "/proc/self/fd/\(directory)/".utf8.map { CChar(bitPattern: $0) } + name
}

/// The mask of the process, read rather than set: setting it would show to other threads. 0022 without /proc.
func currentUmask() -> mode_t {
  let fd = FileDescriptor(open("/proc/self/status", O_RDONLY | O_CLOEXEC))
  return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
    let count = read(fd.raw, buffer.baseAddress, buffer.count)
    guard count > 0 else { return 0o022 }
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Umask:") }) else { return 0o022 }
    return mode_t(line.dropFirst(6).drop { $0 == "\t" || $0 == " " }, radix: 8) ?? 0o022
  }
}
