// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

extension FileCheck {
  /// Replaces what is at a name by a new file with this content. `kept`: the status of what is there, where the new file keeps of it
  /// what is not managed.
  func write(
    _ payload: Payload, _ entry: borrowing Entry, _ kept: stat?, _ wanted: Attributes
  ) throws(Failure) {
    var copiedMode: mode_t?
    let path = entry.path
    var file = try NewFile(self, directory: entry.directory, mode: firstMode(kept, wanted), path: path)
    switch payload {
    case .bytes(var content):
      var failure: Failure?
      content.withUTF8 { bytes in
        do throws(Failure) {
          try file.fd.writeAll(UnsafeRawBufferPointer(bytes), path)
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
    case .files(let inputs):
      for input in inputs {
        guard let source = try input.open(payloadField) else { throw input.missing(payloadField) }
        if !spec.source.isEmpty { copiedMode = try source.status(input.path).st_mode & 0o777 }
        try copy(source, input.path, to: file.fd, path)
      }
    }
    var wanted = wanted
    wanted.mode = wanted.mode ?? copiedMode
    try finish(file.fd, entry, kept, wanted)
    try file.commit(as: entry.name)
  }

  /// It gets what everything in its directory gets: nothing is asked for.
  private func isPlain(_ kept: stat?, _ wanted: Attributes) -> Bool {
    kept == nil && wanted.uid == nil && wanted.gid == nil && wanted.mode == nil && spec.source.isEmpty
  }

  /// The mode a new file starts with. Nobody may read a secret before the owner and mode are right; where they are right from
  /// the start, a change of the file's inode is saved.
  private func firstMode(_ kept: stat?, _ wanted: Attributes) -> mode_t {
    if isPlain(kept, wanted) { return 0o666 }
    guard let mode = wanted.mode ?? kept.map({ $0.st_mode & 0o1777 }),
      wanted.uid ?? kept?.st_uid ?? geteuid() == geteuid()
    else { return 0o600 }
    // Its group may still be the wrong one.
    return mode & 0o7000 == 0 && (mode >> 3) & 0o7 & ~mode == 0 ? mode : 0o600
  }

  /// Owner before mode: the kernel clears set-user-id bits with the owner.
  func finish(
    _ file: borrowing FileDescriptor, _ entry: borrowing Entry, _ kept: stat?, _ wanted: Attributes
  ) throws(Failure) {
    let path = entry.path
    var now = try file.status(path)
    let uid = wanted.uid ?? kept?.st_uid ?? now.st_uid
    let gid = wanted.gid ?? kept?.st_gid ?? now.st_gid
    // Its directory may give new files an access list, which would let others do what the mode is about to allow.
    if !isPlain(kept, wanted), AccessList.isThere(file.raw) {
      try AccessList.remove(file.raw, now, path)
      now.st_mode = 0
    }
    if uid != now.st_uid || gid != now.st_gid {
      guard fchown(file.raw, uid, gid) == 0 else {
        throw Failure.system(
          "cannot set the owner of", path, errno, field: wanted.gid != nil && uid == now.st_uid ? "group" : "owner")
      }
      now.st_mode = 0
    }
    if let kept, keepLabels(file, entry, withAccessList: uid == kept.st_uid) { now.st_mode = 0 }
    let mode = wanted.mode ?? kept.map { $0.st_mode & 0o1777 }
    if let mode, mode != now.st_mode & 0o7777 || now.st_mode == 0, fchmod(file.raw, mode) != 0 {
      throw Failure.system("cannot set the mode of", path, errno, field: "mode")
    }
    if let label = wanted.label, !label.isEmpty { try setLabel(file.raw, label) }
  }

  /// What the old file has and a new one would not get by itself: best effort, as file systems without them refuse. An access list is
  /// its owner's, and goes with him.
  /// Whether there was any: setting them can change the mode.
  private func keepLabels(
    _ file: borrowing FileDescriptor, _ entry: borrowing Entry, withAccessList: Bool
  ) -> Bool {
    let old = entry.held.raw
    return withUnsafeTemporaryAllocation(byteCount: AccessList.largest, alignment: 8) { buffer in
      var found = false
      for attribute in withAccessList ? ["security.selinux", AccessList.own] : ["security.selinux"] {
        let count = shim_held_get_attribute(old, attribute, buffer.baseAddress, buffer.count)
        guard count > 0 else { continue }
        _ = shim_held_set_attribute(file.raw, attribute, buffer.baseAddress, count)
        found = true
      }
      return found
    }
  }

  /// All of `source`, inside the kernel where it can.
  func copy(
    _ source: borrowing FileDescriptor, _ sourcePath: String, to target: borrowing FileDescriptor, _ path: String
  ) throws(Failure) {
    while true {
      let count = shim_copy_range(source.raw, target.raw, 16 << 20)
      if count > 0 {
        try checkCancelled(after: count)
        continue
      }
      if count == 0 { break }
      switch errno {
      case EINTR: continue
      case EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EBADF, EPERM: break
      case let reason: throw Failure.system("cannot write", path, reason)
      }
      break
    }
    // What is left: all of it where the kernel cannot copy, nothing otherwise. Files of /proc say they are empty.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 8)
    defer { buffer.deallocate() }
    var since = 0
    while true {
      let count = try source.fill(buffer, sourcePath)
      if count == 0 { return }
      try target.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]), path)
      since += count
      if since >= 16 << 20 {
        try checkCancelled(after: since)
        since = 0
      }
    }
  }

  /// Copies of many gigabytes must not hold up the end of the agent.
  private func checkCancelled(after count: Int) throws(Failure) {
    guard count >= 16 << 20, let fd = call.cancelFD else { return }
    var poll = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    if Glibc.poll(&poll, 1, 0) > 0 { throw .cancelled }
  }
}
