// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// The names in an open directory that are wanted, sorted by their bytes, each with a NUL at its end.
func list(_ directory: Int32, _ path: String, where isWanted: (CPath) -> Bool = { _ in true }) throws(Failure) -> [CPath] {
  // A descriptor of its own, because closedir closes it and its position is shared otherwise.
  let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard copy >= 0 else { throw Failure.system("cannot list", path, errno) }
  guard let stream = fdopendir(copy) else {
    let error = errno
    close(copy)
    throw Failure.system("cannot list", path, error)
  }
  defer { closedir(stream) }
  var names: [CPath] = []
  let dot = CChar(UInt8(ascii: "."))
  while true {
    errno = 0
    guard let entry = readdir(stream) else { break }
    let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer -> CPath in
      pointer.withMemoryRebound(to: CChar.self, capacity: 256) { start -> CPath in
        Array(UnsafeBufferPointer(start: start, count: strnlen(start, 255))) + [0]
      }
    }
    if name == [dot, 0] || name == [dot, dot, 0] || !isWanted(name) { continue }
    names.append(name)
  }
  guard errno == 0 else { throw Failure.system("cannot list", path, errno) }
  names.sort { left, right in
    left.lazy.map { UInt8(bitPattern: $0) }.lexicographicallyPrecedes(right.lazy.map { UInt8(bitPattern: $0) })
  }
  return names
}

private struct Frame {
  var name: CPath
  var device: dev_t
  var inode: ino_t
  var pending: [CPath]
}

/// Removes whatever a name in an open directory stands for, with all that is below. Follows no symbolic link and enters no
/// other file system. However deep the tree is, two descriptors are open: the way up is "..", checked by inode.
func removeTree(_ parent: Int32, _ name: CPath, _ path: String) throws(Failure) {
  if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
  try needDirectory(errno, parent, name, path)
  var current = try openForRemoval(parent, name, path)
  var frames = [try frame(current, name, path)]
  while let top = frames.last {
    if let next = top.pending.last {
      frames[frames.count - 1].pending.removeLast()
      let below = try openForRemoval(current.raw, next, path)
      frames.append(try frame(below, next, path))
      current = below
      continue
    }
    frames.removeLast()
    guard let above = frames.last else { break }
    let up = FileDescriptor(openat(current.raw, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
    let status = try up.status(path)
    guard status.st_dev == above.device, status.st_ino == above.inode else {
      throw Failure(
        "\(path) changed while it was being removed", errno: ESTALE,
        hint: "something else moves directories there: stop it first")
    }
    try removeEmpty(up.raw, top.name, path)
    current = up
  }
  try removeEmpty(parent, name, path)
}

/// What could not be unlinked has to be a directory. EPERM is told of directories by some file systems, and of all that is immutable.
private func needDirectory(_ reason: Int32, _ parent: Int32, _ name: CPath, _ path: String) throws(Failure) {
  if reason == EISDIR { return }
  var status = stat()
  if reason == EPERM, fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0, FileType(status) == .directory { return }
  throw Failure.system("cannot remove", path, reason)
}

private func openForRemoval(_ parent: Int32, _ name: CPath, _ path: String) throws(Failure) -> FileDescriptor {
  let raw = shim_open_subdirectory(parent, name)
  guard raw >= 0 else {
    if errno == EXDEV {
      throw Failure(
        "cannot remove \(path): another file system is mounted at \(text(name))", errno: EBUSY, hint: "unmount it first")
    }
    throw Failure.system("cannot remove", path, errno)
  }
  return FileDescriptor(raw)
}

/// Removes all that is not a directory, and remembers the directories.
private func frame(_ directory: borrowing FileDescriptor, _ name: CPath, _ path: String) throws(Failure) -> Frame {
  let status = try directory.status(path)
  var pending: [CPath] = []
  for entry in try list(directory.raw, path) {
    if unlinkat(directory.raw, entry, 0) == 0 || errno == ENOENT { continue }
    try needDirectory(errno, directory.raw, entry, "\(path): \(text(entry))")
    pending.append(entry)
  }
  return Frame(name: name, device: status.st_dev, inode: status.st_ino, pending: pending)
}

private func removeEmpty(_ parent: Int32, _ name: CPath, _ path: String) throws(Failure) {
  guard unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
    throw Failure.system("cannot remove", path, errno)
  }
}
