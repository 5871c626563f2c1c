// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit

/// Directories are walked by recursion with two descriptors a level; nothing real is deeper.
private let deepest = 200

/// One directory on both sides, as open descriptors. -1: there is none, because the target is not there yet (or only
/// predicted), or nothing is copied.
private struct Level {
  var source: Int32
  var target: Int32
  /// Below the resource's path: "" or "/a/b".
  var relative: String
  var depth = 0
}

/// What is in a directory: copied from a source directory, purged of what nobody manages.
extension FileCheck {
  private var root: String { spec.path == "/" ? "" : FilePath.withoutSlash(spec.path) }
  private var sourceRoot: String { spec.source == "/" ? "" : FilePath.withoutSlash(spec.source) }

  /// `held`: a descriptor of the directory; -1: it is not there yet.
  mutating func checkTree(_ held: Int32) throws(Failure) {
    let protected = kind.managed.below(FilePath.withoutSlash(spec.path))
    let source = FileDescriptor(
      spec.source.isEmpty ? -1 : open(FilePath.c(spec.source), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    if !spec.source.isEmpty && source.raw < 0 {
      let error = errno
      // Without apply an earlier resource may be about to make it.
      if error == ENOENT && !apply {
        return report("source", was: .unset, will: .string("a copy of \(spec.source), which is not there yet"))
      }
      throw Failure.system("cannot open the directory", spec.source, error, field: "source")
    }
    let target = FileDescriptor(held < 0 ? -1 : openat(held, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    if held >= 0 && target.raw < 0 { throw Failure.system("cannot open the directory", spec.path, errno) }
    try walk(Level(source: source.raw, target: target.raw, relative: ""), protected)
  }

  private mutating func walk(_ level: Level, _ protected: Protected) throws(Failure) {
    guard level.depth < deepest else {
      throw Failure(
        "\(root)\(level.relative) is more than \(deepest) directories deep", errno: ELOOP, hint: "copy or purge a part of it")
    }
    var wanted: Set<CPath> = []
    if level.source >= 0 {
      let names = try list(level.source, sourceRoot + level.relative) { !kind.temporaries.isHidden(level.source, $0) }
      wanted = Set(names)
      for name in names { try copyEntry(level, name, protected) }
    }
    guard level.target >= 0 else { return }
    for name in try list(level.target, root + level.relative) where !wanted.contains(name) {
      try purgeEntry(level, name, protected)
    }
  }

  private func entry(_ directory: Int32, _ name: CPath, _ path: String) throws(Failure) -> stat? {
    guard directory >= 0 else { return nil }
    var status = stat()
    if fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
    guard errno == ENOENT else { throw Failure.system("cannot look at", path, errno) }
    return nil
  }

  // MARK: copying

  private mutating func copyEntry(_ level: Level, _ name: CPath, _ protected: Protected) throws(Failure) {
    let relative = "\(level.relative)/\(text(name))"
    let path = root + relative
    if protected.owned(path) { return }
    guard let source = try entry(level.source, name, sourceRoot + relative) else { return }
    let type = FileType(source)
    if protected.keeps(path) && type != .directory { return }
    if type == .other {
      return handle.log(.warning, "not copied: \(sourceRoot)\(relative) is a \(type.rawValue)")
    }
    var target = try entry(level.target, name, path)
    if let found = target, FileType(found) != type {
      guard spec.force, !protected.keeps(path) else { throw .inTheWay(path, FileType(found), wanted: type) }
      report("\(relative)#state", was: .string(FileType(found).rawValue), will: .string(type.rawValue))
      if apply { try removeTree(level.target, name, path) }
      target = nil
    }
    switch type {
    case .directory: try copyDirectory(level, name, relative, source, target, protected)
    case .symlink: try copyLink(level, name, relative, isThere: target != nil)
    default: try copyFile(level, name, relative, target)
    }
  }

  private mutating func copyDirectory(
    _ level: Level, _ name: CPath, _ relative: String, _ source: stat, _ target: stat?, _ protected: Protected
  ) throws(Failure) {
    let path = root + relative
    var isNew = false
    if target == nil {
      report("\(relative)#state", was: .string("absent"), will: .string("directory"))
      if apply, mkdirat(level.target, name, 0o700) == 0 {
        isNew = true
      } else if apply && errno != EEXIST {
        throw Failure.system("cannot make the directory", path, errno)
      }
    }
    let below = FileDescriptor(openat(level.source, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
    guard below.raw >= 0 else {
      throw Failure.system("cannot open the directory", sourceRoot + relative, errno, field: "source")
    }
    let isThere = level.target >= 0 && (target != nil || apply)
    let there = FileDescriptor(isThere ? try openDirectory(level.target, name, path) : -1)
    if isNew { try setNewMode(there, source.st_mode & 0o777, path) }
    let next = Level(source: below.raw, target: there.raw, relative: relative, depth: level.depth + 1)
    try walk(next, protected)
  }

  /// Another may have the name by now, whose contents are not to be opened to anybody.
  private func setNewMode(_ made: borrowing FileDescriptor, _ mode: mode_t, _ path: String) throws(Failure) {
    let status = try made.status(path)
    guard status.st_uid == geteuid(), isEmptyDirectory(made.raw) else {
      throw Failure("\(path) was replaced while it was being made", errno: ESTALE, hint: "it is checked again")
    }
    try AccessList.remove(made.raw, status, path)
    guard fchmod(made.raw, mode) == 0 else { throw Failure.system("cannot change the mode of", path, errno) }
  }

  private func openDirectory(_ parent: Int32, _ name: CPath, _ path: String) throws(Failure) -> Int32 {
    let raw = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard raw >= 0 else { throw Failure.system("cannot open the directory", path, errno) }
    return raw
  }

  private mutating func copyLink(_ level: Level, _ name: CPath, _ relative: String, isThere: Bool) throws(Failure) {
    guard let wanted = linkText(level.source, name) else { return }
    let current = isThere ? linkText(level.target, name) : nil
    if current == wanted { return }
    report(
      "\(relative)#source", was: current.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .unset,
      will: .string(String(decoding: wanted, as: UTF8.self)))
    guard apply else { return }
    try makeLink(wanted.map { CChar(bitPattern: $0) } + [0], directory: level.target, name: name, path: root + relative)
  }

  private mutating func copyFile(_ level: Level, _ name: CPath, _ relative: String, _ target: stat?) throws(Failure) {
    let path = root + relative
    let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    let source = FileDescriptor(openat(level.source, name, flags))
    guard source.raw >= 0 else { throw Failure.system("cannot open", sourceRoot + relative, errno, field: "source") }
    let status = try source.status(sourceRoot + relative)
    guard FileType(status) == .regular else { return }
    if let target, target.st_size == status.st_size {
      if target.st_ino == status.st_ino && target.st_dev == status.st_dev { return }
      let old = FileDescriptor(openat(level.target, name, flags))
      if old.raw >= 0, try isPrefix(source, sourceRoot + relative, of: old) { return }
      lseek(source.raw, 0, SEEK_SET)
    }
    report(
      "\(relative)#content", was: target.map { .string("\($0.st_size) bytes") } ?? .unset,
      will: .string("\(status.st_size) bytes"), isSecret: status.st_mode & (target?.st_mode ?? 0o666) & 0o004 == 0)
    guard apply else { return }
    let entry = try Entry(level.target, name, path)
    guard entry.type == nil || entry.type == .regular else { throw entry.replaced() }
    let attributes = Attributes(mode: status.st_mode & 0o777)
    let doubt = try entry.doubt(attributes)
    let kept = doubt == nil ? entry.status : nil
    var file = try NewFile(self, directory: level.target, mode: 0o600, path: path)
    try copy(source, sourceRoot + relative, to: file.fd, path)
    try finish(file.fd, entry, kept, attributes)
    try file.commit(as: name)
  }

  // MARK: removing

  private mutating func purgeEntry(_ level: Level, _ name: CPath, _ protected: Protected) throws(Failure) {
    let relative = "\(level.relative)/\(text(name))"
    let path = root + relative
    if kind.temporaries.isBeingWritten(level.target, name) { return }
    if protected.keeps(path) {
      if protected.owned(path) { return }
      guard let found = try entry(level.target, name, path), FileType(found) == .directory else { return }
      let below = FileDescriptor(try openDirectory(level.target, name, path))
      return try walk(Level(source: -1, target: below.raw, relative: relative, depth: level.depth + 1), protected)
    }
    guard let found = try entry(level.target, name, path) else { return }
    let type = FileType(found)
    report("\(relative)#state", was: .string(type == .regular ? "exists" : type.rawValue), will: .string("absent"))
    if apply { try removeTree(level.target, name, path) }
  }
}
