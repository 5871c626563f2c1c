// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// A file under its temporary name. Unless it is committed it is removed again, so a full disk leaves nothing behind.
struct NewFile: ~Copyable {
  var fd: FileDescriptor
  private let directory: Int32
  private let name: CPath
  private var isCommitted = false

  /// `directory` has to stay open meanwhile.
  init(directory: Int32, name: CPath, mode: mode_t, path: String) throws(Failure) {
    let temporary = temporaryName(for: name.dropLast().lazy.map { UInt8(bitPattern: $0) })
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    var raw = openat(directory, temporary, flags, mode)
    if raw < 0 && errno == EEXIST {  // a killed agent left it
      unlinkat(directory, temporary, 0)
      raw = openat(directory, temporary, flags, mode)
    }
    guard raw >= 0 else { throw Failure.system("cannot write", path, errno) }
    fd = FileDescriptor(raw)
    self.directory = directory
    self.name = temporary
  }

  deinit { if !isCommitted { unlinkat(directory, name, 0) } }

  /// Puts it in the place of whatever has that name.
  ///
  /// Without fsync: a crash of the agent leaves the old file or the new one, and after a crash of the machine the next run
  /// finds and mends what is missing, while waiting for the disk would cost milliseconds for each of 10,000 files.
  ///
  /// It is closed before, so that closing is no event of the target; `own`: where to announce the rename, whose event then says
  /// nothing new.
  mutating func commit(as target: CPath, path: String, own: OwnRenames? = nil) throws(Failure) {
    fd.close()
    target.dropLast().withUnsafeBytes { own?.expect($0) }
    guard renameat(directory, name, directory, target) == 0 else {
      let reason = errno
      target.dropLast().withUnsafeBytes { _ = own?.take($0) }
      throw Failure.system("cannot replace", path, reason)
    }
    isCommitted = true
  }
}
