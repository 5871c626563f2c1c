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

  func changeOwner(of status: stat) -> Bool {
    uid.map { $0 != status.st_uid } ?? false || gid.map { $0 != status.st_gid } ?? false
  }

  /// Labels apart.
  func differ(from status: stat) -> Bool {
    changeOwner(of: status) || mode.map { $0 != status.st_mode & 0o7777 } ?? false
  }
}

extension FileCheck {
  /// What a new thing gets.
  func newAttributes() throws(Failure) -> Attributes {
    var wanted = try wantedAccounts()
    let usual = (spec.isDirectory ? 0o777 : 0o666) & ~kind.umask
    if let mode = spec.mode {
      wanted.mode = mode.applied(to: usual)
    } else if wanted.uid != nil || wanted.gid != nil, spec.source.isEmpty {
      // It starts as nobody else's to read, so the mode has to be set.
      wanted.mode = usual
    }
    return wanted
  }

  /// What `current` gets, or what takes its place. `held`: a descriptor of it; -1 where only differences count.
  ///
  /// Rights of set-user-id and set-group-id are for the owner and contents they were given to: they stay with neither unless the
  /// resource asks for them. A directory's mean something else.
  func wantedAttributes(_ current: stat, isReplaced: Bool = false, held: Int32 = -1) throws(Failure) -> Attributes {
    var wanted = try wantedAccounts()
    let type = FileType(current)
    guard type != .symlink else { return wanted }
    let bits = current.st_mode & 0o7777
    var kept = bits
    if isReplaced || wanted.changeOwner(of: current), type != .directory { kept &= ~0o6000 }
    if wanted.uid.map({ $0 != current.st_uid }) ?? false, held >= 0, let rights = AccessList.groupRights(held) {
      kept = kept & ~0o070 | rights << 3
    }
    wanted.mode = spec.mode?.applied(to: kept) ?? (kept == bits || (isReplaced && !spec.source.isEmpty) ? nil : kept)
    return wanted
  }

  /// What a new file gets in the place of one that is in doubt: nothing of that but rights it does not give.
  func attributesInstead(of current: stat) throws(Failure) -> Attributes {
    var wanted = try wantedAccounts()
    wanted.uid = wanted.uid ?? geteuid()
    wanted.gid = wanted.gid ?? getegid()
    let kept = current.st_mode & 0o777 & ~kind.umask
    wanted.mode = spec.mode?.applied(to: kept) ?? (spec.source.isEmpty ? kept : nil)
    return wanted
  }

  private func wantedAccounts() throws(Failure) -> Attributes {
    var wanted = Attributes(label: spec.selinux)
    if !spec.owner.isEmpty { wanted.uid = try account(.user, spec.owner, "owner") }
    if !spec.group.isEmpty { wanted.gid = try account(.group, spec.group, "group") }
    return wanted
  }

  private func account(_ space: Accounts.Space, _ name: String, _ field: String) throws(Failure) -> UInt32? {
    if let number = kind.accounts.number(space, name) { return number }
    // Without apply an earlier resource may be about to make it.
    guard apply else { return nil }
    let what = space == .user ? "user" : "group"
    throw Failure("there is no \(what) \"\(name)\"", field: field, hint: "make the \(what) first, or correct the name")
  }

  /// Whether `current` has all that is asked for. `held` nil: its label is looked at by path.
  func hasAttributes(_ wanted: Attributes, _ current: stat, held: Int32?) throws(Failure) -> Bool {
    if wanted.differ(from: current) { return false }
    if !spec.owner.isEmpty && wanted.uid == nil || !spec.group.isEmpty && wanted.gid == nil { return false }
    guard let label = wanted.label else { return true }
    return try currentLabel(held) ?? "" == label
  }

  /// Reports each attribute that differs. `current` nil: it will be made.
  mutating func reportAttributes(_ wanted: Attributes, _ current: stat?, held: Int32) throws(Failure) {
    reportAccount(.user, spec.owner, wanted.uid, current?.st_uid)
    reportAccount(.group, spec.group, wanted.gid, current?.st_gid)
    if let mode = wanted.mode, current.map({ $0.st_mode & 0o7777 }) != mode {
      report("mode", was: current.map { .string(octal($0.st_mode)) } ?? .unset, will: .string(octal(mode)))
    }
    if let wantedLabel = wanted.label {
      let present = current == nil ? nil : try currentLabel(held)
      if (present ?? "") != wantedLabel {
        report("selinux", was: present.map(Value.string) ?? .unset, will: wantedLabel.isEmpty ? .unset : .string(wantedLabel))
      }
    }
  }

  private mutating func reportAccount(_ space: Accounts.Space, _ asked: String, _ wanted: UInt32?, _ current: UInt32?) {
    if asked.isEmpty && (wanted == nil || wanted == current) { return }
    if current != nil && wanted == current { return }
    let (field, what) = space == .user ? ("owner", "user") : ("group", "group")
    if wanted == nil { handle.log(.warning, "there is no \(what) \"\(asked)\" yet") }
    let will = asked.isEmpty ? wanted.map { Accounts.name(space, $0) } : asked
    report(field, was: accountValue(space, current, asked), will: will.map(Value.string) ?? .unset)
  }

  private func accountValue(_ space: Accounts.Space, _ number: UInt32?, _ wanted: String) -> Value {
    guard let number else { return .unset }
    let numeric = !wanted.isEmpty && wanted.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
    return .string(numeric ? String(number) : Accounts.name(space, number))
  }

  /// `held` nil: by path.
  private func currentLabel(_ held: Int32?) throws(Failure) -> String? {
    let (count, text, error) = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer -> (Int, String, Int32) in
      let count =
        held.map { shim_held_get_attribute($0, label, buffer.baseAddress, buffer.count) }
        ?? shim_get_attribute(spec.cPath, label, buffer.baseAddress, buffer.count)
      guard count > 0 else { return (count, "", errno) }
      return (count, String(decoding: buffer[..<count].prefix { $0 != 0 }, as: UTF8.self), 0)
    }
    if count >= 0 { return text }
    switch error {
    case ENODATA, ENOENT: return nil
    case EOPNOTSUPP where spec.selinux == "": return nil
    case EOPNOTSUPP:
      throw Failure(
        "the file system of \(spec.path) has no SELinux labels", errno: EOPNOTSUPP, field: "selinux",
        hint: "remove selinux, or mount the file system with labels (mount -o context=…)")
    default: throw Failure.system("cannot read the label of", spec.path, error, field: "selinux")
    }
  }

  /// Mends what differs. What the old owner may have allowed is gone before anybody gains by it.
  func setAttributes(_ entry: borrowing Entry, _ wanted: Attributes) throws(Failure) {
    guard let found = entry.status else { return }
    let fd = entry.held.raw
    let type = FileType(found)
    var now = found
    if wanted.changeOwner(of: found) {
      if type != .directory && type != .symlink && found.st_mode & 0o6000 != 0 { try setMode(fd, found.st_mode & 0o1777) }
      let uid = wanted.uid.flatMap { $0 == found.st_uid ? nil : $0 }
      guard shim_held_chown(fd, uid ?? uid_t.max, wanted.gid ?? gid_t.max) == 0 else {
        throw Failure.system("cannot change the owner of", spec.path, errno, field: uid != nil ? "owner" : "group")
      }
      // Its owner could still change the mode until now.
      now = try entry.held.status(spec.path)
      if uid != nil && type != .symlink {
        try AccessList.remove(fd, now, spec.path)
        now = try entry.held.status(spec.path)
      }
    }
    if type != .symlink {
      let bits = now.st_mode & 0o7777
      let mode = wanted.mode ?? (type == .directory || !wanted.changeOwner(of: found) ? bits : bits & ~0o6000)
      if mode != bits { try setMode(fd, mode) }
    }
    if let label = wanted.label, try currentLabel(fd) ?? "" != label { try setLabel(fd, label) }
  }

  func setMode(_ fd: Int32, _ mode: mode_t) throws(Failure) {
    guard shim_held_chmod(fd, mode) == 0 else {
      throw Failure.system("cannot change the mode of", spec.path, errno, field: spec.mode == nil ? "" : "mode")
    }
  }

  func setLabel(_ fd: Int32, _ wanted: String) throws(Failure) {
    let status =
      wanted.isEmpty
      ? shim_held_remove_attribute(fd, label) : shim_held_set_attribute(fd, label, wanted, wanted.utf8.count + 1)
    guard status == 0 || (wanted.isEmpty && (errno == ENODATA || errno == EOPNOTSUPP)) else { throw labelFailure(errno) }
  }

  private func labelFailure(_ error: Int32) -> Failure {
    error == EINVAL
      ? Failure(
        "the system's policy does not know the label \"\(spec.selinux ?? "")\"", errno: error, field: "selinux",
        hint: "list known ones with: seinfo -t")
      : Failure.system("cannot set the label of", spec.path, error, field: "selinux")
  }
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
