// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Reactor
import Synchronization

/// A file descriptor, timer or child a plugin asked the host to look after.
final class PluginSource: @unchecked Sendable {
  // Made on any thread; everything mutable is touched on the reactor's thread only.
  let context: PluginContext
  let user: UnsafeMutableRawPointer?
  var fd: FDSource?
  var timer: ReactorTimer?
  var child: Child?
  var isDeleted = false
  /// Only for children: what to start, and whom to tell.
  var request: SpawnRequest?
  var output: mgmt_output_fn?
  var exit: mgmt_exit_fn?

  init(context: PluginContext, user: UnsafeMutableRawPointer?) {
    self.context = context
    self.user = user
  }

  /// Starts the child, on the reactor.
  func start(on reactor: Reactor) {
    guard let request, !isDeleted else { return }
    child = reactor.spawn(
      request,
      output: { [unowned self] fd, bytes in
        guard let output, let start = bytes.baseAddress else { return }
        context.onReactor("an output callback") {
          output(user, fd, start.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
      },
      exit: { [unowned self] how, timedOut in tellExit(how, timedOut) })
  }

  private func tellExit(_ how: ChildExit, _ timedOut: Bool) {
    guard let exit else { return }
    var (kind, code, text) = (MGMT_EXIT_EXITED, Int32(0), "")
    switch how {
    case .exited(let status): code = status
    case .signalled(let number): (kind, code) = (MGMT_EXIT_SIGNALLED, number)
    case .notStarted(let errno, let step): (kind, code, text) = (MGMT_EXIT_NOT_STARTED, errno, step)
    }
    text.withABI { text in
      var report = mgmt_exit(
        size: UInt32(MemoryLayout<mgmt_exit>.size), how: Int32(kind), code: code, timed_out: timedOut ? 1 : 0, text: text)
      context.onReactor("an exit callback") { exit(user, &report) }
    }
  }

  func delete() {
    isDeleted = true
    fd?.cancel()
    timer?.cancel()
    child?.abandon()
    (fd, timer, child) = (nil, nil, nil)
  }
}

/// The sources of all plugins, by number.
final class SourceTable: Sendable {
  private struct Table {
    var next: UInt = 1
    var sources: [UInt: PluginSource] = [:]
  }
  private let table = Mutex<Table>(Table())

  func add(_ source: PluginSource) -> OpaquePointer? {
    table.withLock { table in
      let id = table.next
      table.next &+= 1
      table.sources[id] = source
      return UInt(id)
    }.pointer
  }

  func source(_ id: UInt) -> PluginSource? { table.withLock { $0.sources[id] } }

  func remove(_ id: UInt) -> PluginSource? { table.withLock { $0.sources.removeValue(forKey: id) } }

  /// Deletes what a plugin left behind. Returns how many there were.
  func removeAll(of context: PluginContext) -> Int {
    let left = table.withLock { table in
      let left = table.sources.filter { $0.value.context === context }
      for id in left.keys { table.sources[id] = nil }
      return Array(left.values)
    }
    for source in left { source.delete() }
    return left.count
  }
}

extension UInt {
  /// Handles given to plugins are numbers in the shape of pointers.
  var pointer: OpaquePointer? { OpaquePointer(bitPattern: self) }
}
