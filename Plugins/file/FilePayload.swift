// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// Contents beyond this are summarised in reports.
private let reportLimit = 65536

/// Where the contents of a file come from.
enum Payload {
  case bytes(String)
  /// Joined in this order.
  case files([Input])

  struct Input {
    var path: String
    /// Named by a person: then a symbolic link is asked for. What is found in a directory is not followed.
    var isNamed: Bool
  }
}

extension Payload.Input {
  /// nil: it is not there.
  func open(_ field: String) throws(Failure) -> FileDescriptor? {
    let cPath = FilePath.c(path)
    var status = stat()
    guard fstatat(AT_FDCWD, cPath, &status, isNamed ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return nil }
      throw Failure.system("cannot look at", path, errno, field: field)
    }
    // Before opening: that alone can rewind a tape or wake the writer of a pipe.
    guard FileType(status) == .regular else { throw notRegular(status, field) }
    let raw = Glibc.open(cPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (isNamed ? 0 : O_NOFOLLOW))
    guard raw >= 0 else { throw Failure.system("cannot open", path, errno, field: field) }
    let fd = FileDescriptor(raw)
    let opened = try fd.status(path)
    guard FileType(opened) == .regular else { throw notRegular(opened, field) }
    return fd
  }

  private func notRegular(_ status: stat, _ field: String) -> Failure {
    let hint =
      FileType(status) == .directory ? "end it with \"/\" to mean the directory" : "name the file it stands for, or remove it"
    return Failure("\(path) is a \(FileType(status).rawValue), not a file", field: field, hint: hint)
  }

  func missing(_ field: String) -> Failure {
    Failure(
      "no such file: \(path)", errno: ENOENT, field: field,
      hint: "make it first, for example with a file resource that comes before this one")
  }
}

extension FileCheck {
  /// The parameter at fault when an input cannot be read.
  var payloadField: String { spec.content != nil ? "content" : spec.fragments.isEmpty ? "source" : "fragments" }

  /// nil: contents are not managed.
  func payload() throws(Failure) -> Payload? {
    if let content = spec.content { return .bytes(content) }
    if !spec.source.isEmpty { return .files([.init(path: spec.source, isNamed: true)]) }
    guard !spec.fragments.isEmpty else { return nil }
    var inputs: [Payload.Input] = []
    for fragment in spec.fragments {
      guard FilePath.isDirectory(fragment) else {
        inputs.append(.init(path: fragment, isNamed: true))
        continue
      }
      let fd = open(FilePath.c(fragment), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if fd < 0 && errno == ENOENT && !apply {
        inputs.append(.init(path: fragment, isNamed: true))
        continue
      }
      guard fd >= 0 else { throw Failure.system("cannot open the directory", fragment, errno, field: "fragments") }
      let directory = FileDescriptor(fd)
      for name in try list(directory.raw, fragment, where: { !kind.temporaries.isHidden(fd, $0) }) {
        var status = stat()
        guard fstatat(directory.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
        if FileType(status) != .directory { inputs.append(.init(path: fragment + text(name), isNamed: false)) }
      }
    }
    return .files(inputs)
  }

  /// Whether the file contains something else.
  func differs(_ payload: Payload, _ entry: borrowing Entry) throws(Failure) -> Bool {
    guard let status = entry.status else { return true }
    switch payload {
    case .bytes(let content):
      guard status.st_size == content.utf8.count else { return true }
      if content.isEmpty { return false }
      guard let fd = try entry.open() else { return true }
      return try !isSame(content, fd)
    case .files(let inputs): return try differs(inputs, entry, status)
    }
  }

  /// Whether a file of the same size contains this. The path 10,000 quiet files take: no allocation but the buffer.
  func isSame(_ content: String, _ fd: borrowing FileDescriptor) throws(Failure) -> Bool {
    guard fd.raw >= 0 else { return false }
    let count = content.utf8.count
    var failure: Failure?
    var content = content  // contiguous already: it came from the host's bytes
    let equal = content.withUTF8 { wanted in
      withUnsafeTemporaryAllocation(byteCount: min(count, 65536), alignment: 8) { buffer in
        do throws(Failure) {
          var offset = 0
          while offset < count {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, count - offset)])
            guard try fd.fill(part, spec.path) == part.count, let have = part.baseAddress, let want = wanted.baseAddress,
              memcmp(have, want + offset, part.count) == 0
            else { return false }
            offset += part.count
          }
          return true
        } catch {
          failure = error
          return false
        }
      }
    }
    if let failure { throw failure }
    return equal
  }

  private func differs(_ inputs: [Payload.Input], _ entry: borrowing Entry, _ status: stat) throws(Failure) -> Bool {
    guard let target = try entry.open() else { return true }
    for input in inputs {
      guard let fd = try input.open(payloadField) else {
        if apply { throw input.missing(payloadField) }
        return true
      }
      let source = try fd.status(input.path)
      if inputs.count == 1, source.st_ino == status.st_ino, source.st_dev == status.st_dev { return false }
      guard try isPrefix(fd, input.path, of: target) else { return true }
    }
    return try withBuffer(1) { buffer throws(Failure) in try target.fill(buffer, spec.path) > 0 }
  }

  /// Whether all that is left in `source` is what comes next in `target`.
  func isPrefix(
    _ source: borrowing FileDescriptor, _ path: String, of target: borrowing FileDescriptor
  ) throws(Failure) -> Bool {
    var failure: Failure?
    let equal = withUnsafeTemporaryAllocation(byteCount: 131_072, alignment: 8) { buffer in
      do throws(Failure) {
        while true {
          let ours = UnsafeMutableRawBufferPointer(rebasing: buffer[..<65536])
          let count = try source.fill(ours, path)
          if count == 0 { return true }
          let theirs = UnsafeMutableRawBufferPointer(rebasing: buffer[65536..<65536 + count])
          guard try target.fill(theirs, spec.path) == count, let left = ours.baseAddress, let right = theirs.baseAddress,
            memcmp(left, right, count) == 0
          else { return false }
        }
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    return equal
  }

  // MARK: what reports show

  /// Contents that others may not read, before or after, are a secret: they do not even leave the plugin.
  mutating func reportContent(_ payload: Payload, _ entry: borrowing Entry, _ wanted: Attributes) throws(Failure) {
    let before = entry.type == .regular ? entry.status?.st_mode : nil
    let after = wanted.mode ?? before ?? (spec.source.isEmpty ? 0o666 & ~kind.umask : 0o666)
    var isSecret = (before ?? 0o666) & after & 0o004 == 0
    let will = try willValue(payload, &isSecret)
    report("content", was: try wasValue(entry, isSecret: isSecret), will: will, isSecret: isSecret)
  }

  private func willValue(_ payload: Payload, _ isSecret: inout Bool) throws(Failure) -> Value {
    switch payload {
    case .bytes(let content):
      if !wantDiff || isSecret { return .string("\(content.utf8.count) bytes") }
      return content.utf8.count <= reportLimit ? .string(content) : .string(summary(Array(content.utf8)))
    case .files(let inputs):
      var bytes: [UInt8] = []
      var total = 0
      for input in inputs {
        guard let fd = try input.open(payloadField) else {
          return .string("the contents of \(input.path), which is not there yet")
        }
        let status = try fd.status(input.path)
        if status.st_mode & 0o004 == 0 { isSecret = true }
        total += Int(status.st_size)
        if wantDiff && !isSecret && bytes.count <= reportLimit {
          bytes += try contents(fd, input.path, limit: reportLimit + 1 - bytes.count)
        }
      }
      return isSecret ? .string("\(total) bytes") : shown(bytes, total: total)
    }
  }

  private func wasValue(_ entry: borrowing Entry, isSecret: Bool) throws(Failure) -> Value {
    guard entry.type == .regular, let status = entry.status else { return .unset }
    guard wantDiff, !isSecret, status.st_size <= reportLimit, let fd = try entry.open() else {
      return .string("\(status.st_size) bytes")
    }
    return shown(try contents(fd, entry.path, limit: reportLimit + 1), total: status.st_size)
  }

  private func shown(_ bytes: [UInt8], total: Int) -> Value {
    guard wantDiff, bytes.count == total, total <= reportLimit else { return .string("\(total) bytes") }
    return .string(String(validating: bytes, as: UTF8.self) ?? summary(bytes))
  }

  private func summary(_ bytes: [UInt8]) -> String { "sha256:\(SHA256.hex(of: bytes)) (\(bytes.count) bytes)" }

  private func contents(_ fd: borrowing FileDescriptor, _ path: String, limit: Int) throws(Failure) -> [UInt8] {
    try withBuffer(limit) { buffer throws(Failure) in
      let count = try fd.fill(buffer, path)
      return Array(buffer[..<count])
    }
  }

  private func withBuffer<Result>(
    _ count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
    defer { buffer.deallocate() }
    return try body(buffer)
  }
}
