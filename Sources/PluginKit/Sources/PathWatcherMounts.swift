// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI

/// What is mounted where. A mount over a directory, or taken away without ending its file system, is no event of any watch.
struct MountTable {
  /// /proc/self/mountinfo. -1: it is not open.
  var fd: Int32 = -1
  var source: Source?
  /// Changes are looked at together, after a while.
  var timer: Source?
  var delay = Self.shortest
  var lastLook = 0
  /// Mount points by what tells mounts apart; nil: not read yet.
  var known: [UInt64: [UInt8]]?

  static let shortest: UInt64 = 50
  static let longest: UInt64 = 2000
  /// Changes that come closer than these seconds are a burst.
  static let calm = 5
  /// Not at once: short runs do not pay for it.
  static let firstLook: UInt64 = 1000
  static let byteLimit = 16 << 20

  /// nil: it cannot be read.
  func read() -> [UInt64: [UInt8]]? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    guard lseek(fd, 0, SEEK_SET) == 0 else { return nil }
    while bytes.count < Self.byteLimit {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
      if count == 0 { break }
      guard count > 0 else { return nil }
      bytes += chunk[..<count]
    }
    return Self.parse(bytes)
  }

  /// Lines of: number, parent, device, root, mount point and more that may change while it stays mounted.
  static func parse(_ bytes: [UInt8]) -> [UInt64: [UInt8]] {
    var mounts: [UInt64: [UInt8]] = [:]
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
      guard fields.count > 4, let point = fields[4..<5].first else { continue }
      let key = line[..<point.endIndex].withUnsafeBytes(WatchNode.hash)
      mounts[key] = unescaped(point)
    }
    return mounts
  }

  /// Blanks and backslashes are written as `\` and three octal digits.
  private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
    guard text.contains(UInt8(ascii: "\\")) else { return Array(text) }
    var result: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      guard byte == UInt8(ascii: "\\"), digits.count == 3, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      else {
        result.append(byte)
        continue
      }
      result.append(value)
      rest = rest.dropFirst(3)
    }
    return result
  }
}

extension PathWatcher {
  /// Without /proc mounts are not noticed.
  func openMounts() {
    mounts.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
    guard mounts.fd >= 0 else { return }
    listenForMounts()
    startMountTimer(MountTable.firstLook)
  }

  func closeMounts() {
    mounts.source?.delete()
    mounts.timer?.delete()
    if mounts.fd >= 0 { Glibc.close(mounts.fd) }
    mounts = MountTable()
  }

  private func listenForMounts() {
    do throws(Failure) {
      mounts.source = try host.addFD(mounts.fd, events: UInt32(MGMT_FD_ERROR)) { [unowned self] _ in mountsChanged() }
    } catch {
      host.log(.warning, "mounts are not noticed: \(error.message)")
    }
  }

  private func startMountTimer(_ milliseconds: UInt64) {
    mounts.timer?.delete()
    mounts.timer = nil
    do throws(Failure) {
      mounts.timer = try host.addTimer(first: milliseconds) { [unowned self] in lookAtMounts() }
    } catch {
      lookAtMounts()
    }
  }

  /// Not listened to until the look: a machine that mounts all the time wakes the agent once for each look.
  private func mountsChanged() {
    mounts.source?.delete()
    mounts.source = nil
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    mounts.delay =
      now.tv_sec - mounts.lastLook < MountTable.calm ? min(2 * mounts.delay, MountTable.longest) : MountTable.shortest
    mounts.lastLook = now.tv_sec
    startMountTimer(mounts.delay)
  }

  private func lookAtMounts() {
    mounts.timer?.delete()
    mounts.timer = nil
    // What changes from here on is reported again.
    let hasChanged = mounts.source == nil
    if hasChanged { listenForMounts() }
    let before = mounts.known
    mounts.known = mounts.read() ?? before
    guard hasChanged, let now = mounts.known else { return }
    guard let before else { return remount(root) }
    var changed = Set(now.filter { before[$0.key] == nil }.values)
    changed.formUnion(before.filter { now[$0.key] == nil }.values)
    guard !changed.isEmpty else { return }
    for point in changed { mountChanged(at: point) }
    remountLinks(below: root)
  }

  private func mountChanged(at point: [UInt8]) {
    var node = root
    var names = point.split(separator: UInt8(ascii: "/"))[...]
    while let name = names.popFirst() {
      // A single file can be mounted over, too.
      if names.isEmpty {
        if let slot = node.named[name.withUnsafeBytes(WatchNode.hash)] { tell(slot) { $0.event() } }
        tell(node.entries) { $0.event() }
        notifyTrees(node) { $0.event() }
      }
      guard let child = node.children[WatchNode.Name(name)] else {
        if !names.isEmpty { notifyTrees(node) { $0.event() } }
        return
      }
      node = child
    }
    remount(node)
    notify(below: node)
  }

  /// Watches what is there now, and tells those for whom it is something else.
  private func remount(_ node: WatchNode) {
    let before = node.descriptor
    resolve(node, deep: false)
    if node.descriptor != before {
      notify(below: node)
      notifyTrees(node) { $0.event() }
    } else {
      for child in Array(node.children.values) { remount(child) }
    }
  }

  /// A symbolic link may lead to where something was mounted.
  private func remountLinks(below node: WatchNode) {
    for child in Array(node.children.values) { child.isLink ? remount(child) : remountLinks(below: child) }
  }
}
