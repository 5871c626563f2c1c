// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc
import PluginKit
import Synchronization

/// The file systems that were written to and may not have brought that to the disk yet. Used from several threads.
final class Unsettled: Sendable {
  private struct State {
    var directories: Set<String> = []
    /// One descriptor of each file system, by its device.
    var systems: [dev_t: Int32] = [:]
  }

  private let state = Mutex(State())
  /// So many names are kept; then it is looked up which file systems they are on.
  private static let maximumNames = 1024

  deinit {
    for (_, fd) in state.withLock(\.systems) { close(fd) }
  }

  var isEmpty: Bool { state.withLock { $0.directories.isEmpty && $0.systems.isEmpty } }

  /// Something was written in this directory.
  func note(_ directory: String) {
    let names = state.withLock { state -> Set<String> in
      guard state.directories.insert(directory).inserted, state.directories.count >= Self.maximumNames else { return [] }
      defer { state.directories = [] }
      return state.directories
    }
    for name in names { find(name) }
  }

  /// Brings all of it to the disk. Fails with the first file system that could not; the others are brought there nevertheless.
  func settle() throws(Failure) {
    let names = state.withLock { state in
      defer { state.directories = [] }
      return state.directories
    }
    for name in names { find(name) }
    let systems = state.withLock { state in
      defer { state.systems = [:] }
      return state.systems
    }
    var failure: Failure?
    for (_, fd) in systems {
      if shim_syncfs(fd) != 0, failure == nil { failure = Self.failure(fd, errno) }
      close(fd)
    }
    if let failure { throw failure }
  }

  /// A directory that is gone was on the file system of one above it.
  private func find(_ directory: String) {
    var path = directory
    var fd: Int32 = -1
    while true {
      fd = open(FilePath.c(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)
      guard fd < 0, errno == ENOENT || errno == ENOTDIR, let parent = FilePath.parent(path) else { break }
      path = parent
    }
    guard fd >= 0 else { return }
    var status = stat()
    let isNew =
      fstat(fd, &status) == 0
      && state.withLock { state in
        guard state.systems[status.st_dev] == nil else { return false }
        state.systems[status.st_dev] = fd
        return true
      }
    if !isNew { close(fd) }
  }

  private static func failure(_ fd: Int32, _ error: Int32) -> Failure {
    let path = linkText(AT_FDCWD, FilePath.c("/proc/self/fd/\(fd)")).map { String(decoding: $0, as: UTF8.self) } ?? "?"
    return Failure(
      "what was written to the file system of \(path) may not be on its disk", errno: error,
      hint: "look at the kernel's log (dmesg); what is missing after a power cut is written again by the next run")
  }
}
