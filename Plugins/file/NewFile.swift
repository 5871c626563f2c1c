// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// A file under a temporary name. Unless it is committed it is removed again, so a full disk leaves nothing behind.
///
/// Others may be able to write to the directory. They can take the name away from it, so what is renamed is compared with what was
/// written, and so is what is there afterwards. It is locked for as long as it has the temporary name: an agent that looks for what
/// killed ones left behind sees that it is in use.
struct NewFile: ~Copyable {
  private(set) var fd: FileDescriptor
  private let directory: Int32
  private let path: String
  private let temporary: Temporary
  private let handle: ResourceHandle
  private let unsettled: Unsettled
  private var isCommitted = false

  private static let attempts = 8

  /// `directory` has to stay open meanwhile.
  init(_ check: borrowing FileCheck, directory: Int32, mode: mode_t, path: String) throws(Failure) {
    let temporaries = check.kind.temporaries
    let place = FilePath.split(path).directory
    temporaries.journal.note(directory, place)
    // The resource itself need not look again at what it wrote, but does at trees, which have more in them.
    let writer = path == check.spec.path ? check.handle : nil
    for _ in 0..<Self.attempts {
      let temporary = Temporary(temporaries, in: place, by: writer)
      let raw = openat(directory, temporary.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
      if raw < 0 && errno == EEXIST { continue }
      guard raw >= 0 else { throw Failure.system("cannot write", path, errno) }
      let fd = FileDescriptor(raw)
      // Before it was locked, another agent may have taken it for a dead one's.
      let isFree = flock(raw, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK
      guard isFree, try fd.status(path).st_nlink > 0 else {
        unlinkat(directory, temporary.name, 0)
        continue
      }
      self.fd = fd
      self.directory = directory
      self.path = path
      self.temporary = temporary
      handle = check.handle
      unsettled = check.kind.unsettled
      return
    }
    throw Failure.replaced(path)
  }

  deinit { if !isCommitted { unlinkat(directory, temporary.name, 0) } }

  /// Puts it in the place of whatever has that name.
  ///
  /// Without fsync: a crash of the agent leaves the old file or the new one, while waiting for the disk would cost milliseconds for each
  /// of 10,000 files. `Unsettled` brings all of them to the disk when all is quiet.
  ///
  /// It is closed before, so that closing is no event of the target. A second descriptor keeps the lock, and the inode's number from
  /// being given to somebody else's file.
  mutating func commit(as target: CPath) throws(Failure) {
    let written = try fd.status(path)
    let kept = try keep(written)
    fd.close()
    temporary.expect(target)
    guard renameat(directory, temporary.name, directory, target) == 0 else {
      if errno == ENOENT { throw replaced() }
      throw Failure.system("cannot replace", path, errno)
    }
    isCommitted = true
    unsettled.note(FilePath.split(path).directory)
    var found = stat()
    guard fstatat(directory, target, &found, AT_SYMLINK_NOFOLLOW) == 0, found.isSameFile(as: written) else { throw replaced() }
    _ = consume kept
  }

  private func keep(_ written: stat) throws(Failure) -> FileDescriptor {
    let flags = O_NOFOLLOW | O_CLOEXEC
    var raw = openat(directory, temporary.name, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags)
    // The agent may not be root, and its own file not readable.
    if raw < 0 && errno == EACCES { raw = openat(directory, temporary.name, shim_o_path | flags) }
    let kept = FileDescriptor(raw)
    guard raw >= 0, try kept.status(path).isSameFile(as: written) else { throw replaced() }
    flock(raw, LOCK_SH | LOCK_NB)
    return kept
  }

  /// What is there now may not be what was asked for, and the event of that may be behind us.
  private func replaced() -> Failure {
    handle.event()
    return Failure.replaced(path)
  }
}

extension Failure {
  static func replaced(_ path: String) -> Failure {
    Failure(
      "\(path) was replaced by somebody else while it was being written", errno: ESTALE,
      hint: "it is checked again; if this goes on, find out who else writes to its directory, and take the permission away")
  }
}
