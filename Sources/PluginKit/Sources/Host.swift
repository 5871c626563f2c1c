// SPDX-License-Identifier: Apache-2.0

public import PluginABI

/// What the host offers to a plugin.
public final class Host: @unchecked Sendable {
  // The table is the host's static data and its functions say which thread they belong to.
  public let table: UnsafePointer<mgmt_host>
  /// For calls that do not depend on the plugin: all plugins of a process share this kit and one host. Set once by the first
  /// `init`, before anything else runs.
  nonisolated(unsafe) static var current: Host?

  init(_ table: UnsafePointer<mgmt_host>) {
    self.table = table
  }

  public enum LogLevel: UInt32, Sendable {
    case debug, info, warning, error
  }

  public var hostname: String { String(table.pointee.hostname) }

  /// [any] One line; never write secrets.
  public func log(_ level: LogLevel, _ text: String) {
    text.withABI { table.pointee.log(table, nil, level.rawValue, $0) }
  }

  /// [reactor] The host never closes the fd. `events` are `MGMT_FD_*` bits.
  public func addFD(_ fd: Int32, events: UInt32, _ body: @escaping (UInt32) -> Void) throws(Failure) -> Source {
    let source = Source(host: self)
    source.onEvents = body
    source.start { user in
      table.pointee.fd_add(table, fd, events, { user, events in Source.from(user)?.onEvents?(events) }, user)
    }
    guard source.isActive else { throw Failure("the host refused to watch file descriptor \(fd)") }
    return source
  }

  /// [reactor] `every` 0: once.
  public func addTimer(first: UInt64, every: UInt64 = 0, _ body: @escaping () -> Void) throws(Failure) -> Source {
    let source = Source(host: self)
    source.onTimer = body
    source.start { user in
      table.pointee.timer_add(table, first, every, { user in Source.from(user)?.onTimer?() }, user)
    }
    guard source.isActive else { throw Failure("the host refused a timer") }
    return source
  }

  /// [any] Starts a program in a session and process group of its own. `output` [reactor] gets what it writes, fd 1 or 2;
  /// `exit` [reactor] comes exactly once after all output, unless the source is deleted first.
  public func spawn(
    _ command: Command, output: @escaping (Int32, UnsafeBufferPointer<UInt8>) -> Void, exit: @escaping (Exit) -> Void
  ) throws(Failure) -> Source {
    let source = Source(host: self)
    source.onOutput = output
    source.onExit = exit
    command.withABI { spawn in
      source.start { user in
        withUnsafePointer(to: spawn) { spawn in
          table.pointee.spawn(
            table, spawn,
            { user, fd, bytes, count in Source.from(user)?.onOutput?(fd, UnsafeBufferPointer(start: bytes, count: count)) },
            { user, exit in
              guard let source = Source.from(user), let exit else { return }
              source.onExit?(Exit(exit.pointee))
              source.delete()
            }, user)
        }
      }
    }
    guard source.isActive else { throw Failure("the host refused to start a process") }
    return source
  }

  /// [any] The plugin's own directory for state that outlives the process; ends in "/". nil: it cannot be made (logged), or this
  /// process only looks. If something is in it when the agent starts, the plugin's kinds are opened even if no resource is of them.
  public func stateDirectory() -> String? {
    guard let directory = table.pointee.plugin_dir else { return nil }
    return Self.path { directory(table, $0.baseAddress, $0.count, $1) }
  }

  /// A path the host writes into a buffer.
  static func path(_ ask: (UnsafeMutableBufferPointer<CChar>, UnsafeMutablePointer<Int>) -> mgmt_status) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
      var length = 0
      guard ask(buffer, &length) == mgmt_status(MGMT_OK), length <= buffer.count else { return nil }
      return String(mgmt_str(ptr: buffer.baseAddress, len: length))
    }
  }

  /// [any] A named capability with a revision, or nil.
  public func `extension`(_ id: String) -> UnsafeRawPointer? {
    id.withCString { table.pointee.extension(table, $0) }
  }
}

/// The host's handle of one resource.
public struct ResourceHandle: Equatable, @unchecked Sendable {
  // The host's number in the shape of a pointer: its functions say which thread they belong to.
  let pointer: OpaquePointer?

  /// [any] The watch is armed: the first check may run. Exactly once after each `watch`.
  public func ready() {
    Host.current?.table.pointee.ready(pointer)
  }

  /// [any] The resource's state may have changed. Coalesced; cheap.
  public func event() {
    Host.current?.table.pointee.event(pointer)
  }

  /// [any] The watch is broken for good.
  public func watchFailed(_ failure: Failure) {
    guard let host = Host.current else { return }
    failure.message.withABI { message in
      failure.hint.withABI { hint in host.table.pointee.watch_failed(pointer, failure.errno, message, hint) }
    }
  }

  /// [any] One line; never write secrets.
  public func log(_ level: Host.LogLevel, _ text: String) {
    guard let host = Host.current else { return }
    text.withABI { host.table.pointee.log(host.table, pointer, level.rawValue, $0) }
  }

  /// [any] The resource's own directory for state that outlives the process; ends in "/". nil: it cannot be made (logged).
  public func stateDirectory(_ name: String = "") -> String? {
    guard let host = Host.current else { return nil }
    return Host.path { buffer, length in
      name.withABI { host.table.pointee.vardir(pointer, $0, buffer.baseAddress, buffer.count, length) }
    }
  }
}

/// One running check.
public struct Call {
  let pointer: OpaquePointer?

  /// [any] One difference between what is and what is asked: "content", "mode", or "/sub/file#mode" below the resource.
  /// `isSecret`: views mask both values.
  public func change(_ path: String, was: Value, will: Value, isSecret: Bool = false) {
    guard let host = Host.current else { return }
    let flags = isSecret ? UInt32(MGMT_VALUE_SECRET) : 0
    path.withABI { path in
      was.withABI { was in
        will.withABI { will in
          var was = was
          var will = will
          was.flags |= flags
          will.flags |= flags
          host.table.pointee.change(pointer, path, &was, &will)
        }
      }
    }
  }

  /// [worker] Readable as soon as the call is cancelled; nil when it cannot be made.
  public var cancelFD: Int32? {
    guard let fd = Host.current?.table.pointee.cancel_fd(pointer), fd >= 0 else { return nil }
    return fd
  }

  /// [any] For views only, 0...1000.
  public func progress(permille: UInt32, _ text: String) {
    text.withABI { Host.current?.table.pointee.progress(pointer, permille, $0) }
  }

  /// [any] Publishes the values this kind sends, in the order of its description.
  public func send(_ fields: [Value]) {
    Value.structure(fields).withABI { value in
      withUnsafePointer(to: value) { _ = Host.current?.table.pointee.send(pointer, $0) }
    }
  }

  /// [any] As `send`, for a member of the group that this call's resource leads.
  public func send(_ fields: [Value], as member: ResourceHandle) {
    Value.structure(fields).withABI { value in
      withUnsafePointer(to: value) { _ = Host.current?.table.pointee.send_as(pointer, member.pointer, $0) }
    }
  }

  /// [any] Ends a pending call: exactly once.
  public func complete(_ result: Result<CheckResult, Failure>) {
    guard let host = Host.current else { return }
    switch result {
    case .success(let result): host.table.pointee.complete(pointer, result.status)
    case .failure(let failure):
      let status = failure.report(to: host.table.pointee.call_error(pointer))
      host.table.pointee.complete(pointer, status)
    }
  }
}
