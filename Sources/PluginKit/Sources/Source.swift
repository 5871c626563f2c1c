// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Synchronization

/// A file descriptor, a timer or a child process the host looks after. Keep it to delete it; an abandoned one stays alive.
public final class Source: @unchecked Sendable {
  // Its closures are set before `start` and run on the reactor only. `state` is locked because a child started from a
  // worker may end, on the reactor, before `start` returns.
  private let host: Host
  private let state = Mutex<State>(State())
  var onEvents: ((UInt32) -> Void)?
  var onTimer: (() -> Void)?
  var onOutput: ((Int32, UnsafeBufferPointer<UInt8>) -> Void)?
  var onExit: ((Exit) -> Void)?

  private struct State {
    /// The host's source, as an address: pointers do not cross threads by themselves.
    var address: UInt?
    var retained: Unmanaged<Source>?
  }

  init(host: Host) {
    self.host = host
  }

  private var pointer: OpaquePointer? {
    state.withLock { $0.address }.flatMap(OpaquePointer.init(bitPattern:))
  }

  var isActive: Bool { state.withLock { $0.address != nil } }

  func start(_ add: (UnsafeMutableRawPointer) -> OpaquePointer?) {
    let retained = Unmanaged.passRetained(self)
    let started = state.withLock { state in
      guard let pointer = add(retained.toOpaque()) else { return false }
      state.address = UInt(bitPattern: pointer)
      state.retained = retained
      return true
    }
    if !started { retained.release() }
  }

  static func from(_ user: UnsafeMutableRawPointer?) -> Source? {
    user.map { Unmanaged<Source>.fromOpaque($0).takeUnretainedValue() }
  }

  /// [reactor] For file descriptors.
  public func modify(events: UInt32) {
    guard let pointer else { return }
    host.table.pointee.fd_modify(pointer, events)
  }

  /// [reactor] For children: the stop signal now, SIGKILL after the grace time.
  public func stop() {
    guard let pointer else { return }
    host.table.pointee.source_stop(pointer)
  }

  /// [reactor] Afterwards no closure runs. A child that still runs is killed with its group. A child's source is deleted
  /// by itself after `exit`.
  public func delete() {
    let taken = state.withLock { state in
      defer { state = State() }
      return state
    }
    guard let address = taken.address else { return }
    host.table.pointee.source_delete(OpaquePointer(bitPattern: address))
    onEvents = nil
    onTimer = nil
    onOutput = nil
    onExit = nil
    taken.retained?.release()
  }
}

/// A program to start.
public struct Command: Sendable {
  /// The first without "/" is looked up along the agent's PATH; no shell is involved.
  public var arguments: [String]
  /// "NAME=value"; the child sees nothing else.
  public var environment: [String]
  /// "": the agent's.
  public var directory: String
  /// Name or number; "": the agent's.
  public var user: String
  public var group: String
  /// 0: SIGTERM.
  public var stopSignal: Int32
  /// 0: 5000 ms, then SIGKILL.
  public var stopGraceMilliseconds: UInt32
  /// 0: none.
  public var timeoutMilliseconds: UInt64

  public init(
    _ arguments: [String], environment: [String] = [], directory: String = "", user: String = "", group: String = "",
    stopSignal: Int32 = 0, stopGraceMilliseconds: UInt32 = 0, timeoutMilliseconds: UInt64 = 0
  ) {
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.user = user
    self.group = group
    self.stopSignal = stopSignal
    self.stopGraceMilliseconds = stopGraceMilliseconds
    self.timeoutMilliseconds = timeoutMilliseconds
  }

  func withABI(_ body: (mgmt_spawn) -> Void) {
    Value.list(arguments.map(Value.string)).withStrings { argv in
      Value.list(environment.map(Value.string)).withStrings { env in
        directory.withABI { directory in
          user.withABI { user in
            group.withABI { group in
              body(
                mgmt_spawn(
                  size: UInt32(MemoryLayout<mgmt_spawn>.size), flags: UInt32(MGMT_SPAWN_STDOUT | MGMT_SPAWN_STDERR),
                  argv: argv.baseAddress, argc: argv.count, env: env.baseAddress, env_count: env.count, cwd: directory,
                  user: user, group: group, stop_signal: stopSignal, stop_grace_ms: stopGraceMilliseconds,
                  timeout_ms: timeoutMilliseconds))
            }
          }
        }
      }
    }
  }
}

/// How a child ended.
public struct Exit: Sendable {
  public enum How: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
    /// errno, and at which step.
    case notStarted(Int32, String)
  }
  public var how: How
  /// Stopped because of its time-out.
  public var timedOut: Bool

  init(_ exit: mgmt_exit) {
    timedOut = exit.timed_out != 0
    switch Int(exit.how) {
    case MGMT_EXIT_EXITED: how = .exited(exit.code)
    case MGMT_EXIT_SIGNALLED: how = .signalled(exit.code)
    default: how = .notStarted(exit.code, String(exit.text))
    }
  }

  public var isSuccess: Bool { how == .exited(0) && !timedOut }
}
