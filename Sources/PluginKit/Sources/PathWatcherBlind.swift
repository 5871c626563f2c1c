// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Directories in watched trees that the kernel does not let us watch, or list. They are looked at by time until it does.
struct BlindDirectories {
  var nodes: [ObjectIdentifier: WatchNode] = [:]
  var timer: Source?
  var milliseconds = Self.first
  /// How many were named in the log.
  var named = 0

  static let first: UInt64 = 10_000
  static let last: UInt64 = 60_000
  static let namedAtMost = 16
  static let triedAtOnce = 1000
}

extension PathWatcher {
  func isBlind(_ node: WatchNode) -> Bool { !blind.nodes.isEmpty && blind.nodes[ObjectIdentifier(node)] != nil }

  /// It is watched, or no longer there, or in no tree any more.
  func sees(_ node: WatchNode) {
    if !blind.nodes.isEmpty { blind.nodes[ObjectIdentifier(node)] = nil }
  }

  func becomeBlind(_ node: WatchNode, _ failure: Failure) {
    guard blind.nodes.updateValue(node, forKey: ObjectIdentifier(node)) == nil else { return }
    name(failure)
    if blind.timer == nil { startLooking() }
  }

  private func name(_ failure: Failure) {
    blind.named += 1
    guard blind.named <= BlindDirectories.namedAtMost else {
      if blind.named == BlindDirectories.namedAtMost + 1 {
        host.log(.warning, "more directories cannot be watched; they are not named")
      }
      return
    }
    let words = strerror(failure.errno).map { ": " + String(cString: $0) } ?? ""
    let hint = failure.hint.isEmpty ? "" : "; " + failure.hint
    host.log(
      .warning,
      "\(failure.message)\(words). Until it can be watched it is looked at every \(BlindDirectories.first / 1000) to "
        + "\(BlindDirectories.last / 1000) seconds\(hint)")
  }

  private func startLooking() {
    blind.timer?.delete()
    blind.timer = nil
    do throws(Failure) {
      blind.timer = try host.addTimer(first: blind.milliseconds) { [unowned self] in lookAgain() }
    } catch {
      host.log(.error, "directories that cannot be watched are not looked at: \(error.message)")
    }
  }

  /// Tries to watch them again, and tells the resources whose trees they are in.
  private func lookAgain() {
    let nodes = Array(blind.nodes.values)
    var trees: [ObjectIdentifier: WatchNode] = [:]
    var passed: Set<ObjectIdentifier> = []
    for node in nodes { collectTrees(node, &trees, &passed) }
    // Where no watch is left, one try is enough.
    var tries = BlindDirectories.triedAtOnce
    for node in nodes where tries > 0 {
      tries -= 1
      if tryAgain(node) == ENOSPC { tries = 0 }
    }
    for node in trees.values { tell(node.tree) { $0.event() } }
    if blind.nodes.isEmpty {
      blind.timer?.delete()
      blind = BlindDirectories()
      host.log(.info, "every directory is watched again")
    } else {
      blind.milliseconds = min(2 * blind.milliseconds, BlindDirectories.last)
      startLooking()
    }
  }

  /// The error, or 0.
  private func tryAgain(_ node: WatchNode) -> Int32 {
    guard node.isInTree else {
      sees(node)
      return 0
    }
    do throws(Failure) {
      try watch(node)
    } catch {
      return error.errno
    }
    if node.descriptor >= 0 { scan(node) } else { prune(node) }
    return 0
  }

  /// Before any is tried: nodes that turn out to be gone are dropped.
  private func collectTrees(
    _ node: WatchNode, _ trees: inout [ObjectIdentifier: WatchNode], _ passed: inout Set<ObjectIdentifier>
  ) {
    var next: WatchNode? = node
    while let node = next, passed.insert(ObjectIdentifier(node)).inserted {
      if node.tree >= 0 { trees[ObjectIdentifier(node)] = node }
      next = node.parent
    }
  }
}
