// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Graph
import Reactor
import Synchronization

/// Reversals that are pending: a file `reverse` in the state directory of each resource that has one. Used by the reactor and the
/// workers.
final class ReversalStore: Sendable {
  private struct State {
    /// nil: the disk was not looked at yet.
    var records: [ResourceID: ReversalRecord]?
    var warnings: [Diagnostic] = []
  }

  static let fileName = "reverse"
  private let directory: StateDirectory
  private let state = Mutex<State>(State())

  init(directory: StateDirectory) {
    self.directory = directory
  }

  /// All that are pending, in the order of their names, and what there is to say about those that cannot be read: once.
  func pending() -> (records: [ReversalRecord], warnings: [Diagnostic]) {
    state.withLock { state in
      load(&state)
      defer { state.warnings = [] }
      let records = (state.records ?? [:]).values.sorted { ($0.id.kind, $0.id.name) < ($1.id.kind, $1.id.name) }
      return (records, state.warnings)
    }
  }

  func record(of id: ResourceID) -> ReversalRecord? {
    state.withLock { state in
      load(&state)
      return state.records?[id]
    }
  }

  /// Written whole or not at all, and on disk when this returns.
  func keep(_ record: ReversalRecord) -> StateDirectory.Failure? {
    switch directory.make(kind: record.id.kind, name: record.id.name, sub: "") {
    case .failure(let failure): return failure
    case .success(let path):
      if let failure = write(record.bytes, path) { return failure }
      state.withLock { state in
        load(&state)
        state.records?[record.id] = record
      }
      return nil
    }
  }

  func forget(_ id: ResourceID) {
    state.withLock { state in state.records?[id] = nil }
    unlink("\(directory.root)/\(StateDirectory.component(kind: id.kind, name: id.name))/\(Self.fileName)")
  }

  // MARK: Files

  private func write(_ bytes: [UInt8], _ folder: String) -> StateDirectory.Failure? {
    let temporary = folder + Self.fileName + ".new"
    unlink(temporary)
    let fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard fd >= 0 else { return failure("cannot write \(temporary)") }
    defer { close(fd) }
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress.map { $0 + offset }, $0.count - offset) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return failure("cannot write \(temporary)") }
      offset += count
    }
    guard fsync(fd) == 0, rename(temporary, folder + Self.fileName) == 0 else {
      return failure("cannot write \(folder)\(Self.fileName)")
    }
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
    return nil
  }

  private func failure(_ what: String) -> StateDirectory.Failure { .init(what) }

  private func load(_ state: inout State) {
    guard state.records == nil else { return }
    var records: [ResourceID: ReversalRecord] = [:]
    let root = open(directory.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    if root >= 0, let stream = fdopendir(root) {
      defer { closedir(stream) }
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard name != ".", name != ".." else { continue }
        switch Self.read(root, name) {
        case nil: break
        case .success(let record):
          guard StateDirectory.component(kind: record.id.kind, name: record.id.name) == name else {
            state.warnings.append(Self.corrupt("\(directory.root)/\(name)", "it is in the directory of another resource"))
            continue
          }
          records[record.id] = record
        case .failure(let failure): state.warnings.append(Self.corrupt("\(directory.root)/\(name)", failure.message))
        }
      }
    } else if root >= 0 {
      close(root)
    }
    state.records = records
  }

  /// nil: there is none.
  private static func read(_ root: Int32, _ folder: String) -> Result<ReversalRecord, StateDirectory.Failure>? {
    let fd = openat(root, "\(folder)/\(fileName)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard fd >= 0 else {
      return errno == ENOENT || errno == ENOTDIR ? nil : .failure(.init(message: systemMessage(errno)))
    }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_mode & 0o022 == 0
    else { return .failure(.init(message: "it is no file of mine that only I can write")) }
    let size = Int(status.st_size)
    guard size <= ReversalRecord.maximumBytes else { return .failure(.init(message: "it is larger than I write")) }
    var bytes = [UInt8](repeating: 0, count: size)
    var offset = 0
    while offset < size {
      let count = bytes.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress.map { $0 + offset }, $0.count - offset) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return .failure(.init(message: "it is shorter than it should be")) }
      offset += count
    }
    do throws(ByteError) {
      return .success(try ReversalRecord(bytes))
    } catch {
      return .failure(.init(message: "it is not what I wrote, from byte \(error.offset)"))
    }
  }

  private static func corrupt(_ folder: String, _ what: String) -> Diagnostic {
    Diagnostic(
      "reversal.corrupt", severity: .warning, "the reversal in \(folder)/\(fileName) cannot be used",
      notes: [what, "What its resource had changed is not put back; everything else goes on."],
      hint: "put it back by hand, then remove the file")
  }
}
