// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Reactor

/// Watches one file for edits by its directory, since editors replace files by renaming. Where the path is a symbolic link,
/// the directory of what it leads to is watched too.
final class GraphFileWatcher {
  private let path: String
  private let name: String
  private let directory: String
  private let changed: () -> Void
  private let lost: (Diagnostic) -> Void
  private let reactor: Reactor
  private let fd: Int32
  private var source: FDSource?
  private var goneTimer: ReactorTimer?

  /// -1: the directory is gone, and the nearest above it that is there is watched for its return.
  private var directoryWatch: Int32 = -1
  private var ancestorWatch: Int32 = -1
  /// What the link leads to; watch -1: it is no link, or leads to where the first watch looks.
  private var target = (watch: Int32(-1), directory: "", name: "")
  private var isLink = false

  private static let mask = UInt32(
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
  /// Between the removal of a file and its replacement passes some time with editors that do not rename over it.
  private static let goneMilliseconds: UInt64 = 1000

  /// `changed`: the file may be another. `lost`: something for a person to know; the watch goes on as far as it can.
  init(
    path: String, reactor: Reactor, changed: @escaping () -> Void, lost: @escaping (Diagnostic) -> Void
  ) throws(MgmtError) {
    self.path = path
    self.reactor = reactor
    self.changed = changed
    self.lost = lost
    (directory, name) = Self.split(path)
    fd = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
    guard fd >= 0 else { throw Self.failure(path, "inotify_init1", errno) }
    directoryWatch = inotify_add_watch(fd, directory, Self.mask)
    guard directoryWatch >= 0 else {
      let code = errno
      close(fd)
      throw Self.failure(path, directory, code)
    }
    do throws(ReactorError) {
      source = try reactor.addFD(fd, events: FDEvents.readable) { [weak self] _ in self?.readEvents() }
    } catch {
      close(fd)
      throw MgmtError(Diagnostic("yaml.watch", "\(quoted(path)) cannot be watched: \(error.message)"))
    }
    followLink()
  }

  /// It was there, and whether it is gone for good is not known yet.
  var isFileGone: Bool { goneTimer != nil }

  func stop() {
    goneTimer?.cancel()
    source?.cancel()
    if source != nil { close(fd) }
    source = nil
  }

  /// Looks where the path leads now.
  func followLink() {
    guard source != nil else { return }
    var status = stat()
    isLink = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    var found = (directory: "", name: "")
    if isLink, let resolved = realpath(path, nil) {
      found = Self.split(String(cString: resolved))
      free(resolved)
    }
    guard found != (target.directory, target.name) else { return }
    if target.watch >= 0, target.watch != directoryWatch { inotify_rm_watch(fd, target.watch) }
    let watch = found.name.isEmpty ? -1 : inotify_add_watch(fd, found.directory, Self.mask)
    target = (watch, found.directory, found.name)
  }

  private static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let name = String(path[path.utf8.index(after: slash)...])
    return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
  }

  private static func failure(_ path: String, _ what: String, _ code: Int32) -> MgmtError {
    var hint: String?
    if code == ENOSPC { hint = "raise the limit: sysctl fs.inotify.max_user_watches" }
    if code == EMFILE { hint = "raise the limit: sysctl fs.inotify.max_user_instances" }
    return MgmtError(
      Diagnostic("yaml.watch", "\(quoted(path)) cannot be watched: \(what): \(systemMessage(code))", hint: hint))
  }

  // MARK: Events

  private func readEvents() {
    var isChanged = false
    var isGone = false
    withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 8) { buffer in
      while true {
        let count = read(fd, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        var offset = 0
        let header = MemoryLayout<inotify_event>.size
        while offset + header <= count {
          let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
          let nameStart = offset + header
          let next = nameStart + Int(event.len)
          guard next <= count else { return }
          let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[nameStart..<next])
          let name = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
          switch meaning(event, name) {
          case .none: break
          case .changed: (isChanged, isGone) = (true, false)
          case .gone: isGone = true
          }
          offset = next
        }
      }
    }
    if isGone || isChanged {
      goneTimer?.cancel()
      goneTimer = nil
    }
    if isChanged { changed() } else if isGone { startGoneTimer() }
  }

  private enum Meaning { case none, changed, gone }

  private func meaning(_ event: inotify_event, _ name: String) -> Meaning {
    if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return .changed }
    if event.wd == ancestorWatch { return findDirectory() ? .changed : .none }
    if event.mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT) != 0 {
      return event.wd == directoryWatch ? directoryIsGone() : .changed
    }
    let isPath = event.wd == directoryWatch && (name == self.name || isLink)
    let isTarget = event.wd == target.watch && name == target.name
    guard isPath || isTarget else { return .none }
    if event.mask & UInt32(IN_CLOSE_WRITE | IN_MOVED_TO) != 0 { return .changed }
    if event.mask & UInt32(IN_CREATE) != 0 { return isCompleteAtCreation() ? .changed : .none }
    return .gone
  }

  private func directoryIsGone() -> Meaning {
    inotify_rm_watch(fd, directoryWatch)
    directoryWatch = -1
    if findDirectory() { return .changed }
    lost(
      Diagnostic(
        "yaml.watch", severity: .warning, "the directory \(quoted(directory)) of the graph was moved or removed",
        notes: ["The graph goes on as it is."], hint: "put it back: then edits count again"))
    return .gone
  }

  /// Watches the directory again, or else the nearest above it. Whether it is back.
  private func findDirectory() -> Bool {
    var armed = ""
    while true {
      var place = directory
      var watch = inotify_add_watch(fd, place, Self.mask)
      while watch < 0, place != "/", place != "." {
        place = Self.split(place).directory
        watch = inotify_add_watch(fd, place, Self.mask)
      }
      let isBack = place == directory && watch >= 0
      let unused = ancestorWatch
      (directoryWatch, ancestorWatch) = isBack ? (watch, -1) : (-1, watch)
      if unused >= 0, unused != watch, unused != target.watch { inotify_rm_watch(fd, unused) }
      if isBack { return true }
      // A nearer one may have come before this was watched.
      if place == armed { return false }
      armed = place
    }
  }

  /// A new file is written to and closed, which is the event to wait for; links are there at once.
  private func isCompleteAtCreation() -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFLNK || status.st_nlink > 1
  }

  private func startGoneTimer() {
    goneTimer = reactor.addTimer(afterMilliseconds: Self.goneMilliseconds) { [weak self] in
      guard let self else { return }
      goneTimer = nil
      // It may be back by a way that makes no event, or the link may lead elsewhere: reading tells.
      changed()
    }
  }
}
