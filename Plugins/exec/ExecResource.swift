// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit
import Synchronization

/// One `exec`.
final class Exec: Resource {
  private let kind: ExecKind
  private let settings: ExecSettings
  /// The check that runs: set by a worker, wanted by the reactor to cancel it.
  private let current = Mutex<Run?>(nil)
  private var paths: [PathWatcher.Token] = []
  private var timer: Source?
  private var watchCommand: Source?

  init(_ handle: ResourceHandle, kind: ExecKind, settings: ExecSettings) {
    self.kind = kind
    self.settings = settings
    super.init(handle)
  }

  override func watch() throws(Failure) {
    do throws(Failure) {
      for path in settings.watchfiles {
        paths.append(try kind.paths.add(path, scope: path.hasSuffix("/") ? .tree : .path, handle))
      }
      for path in settings.mtimes + (settings.creates.isEmpty ? [] : [settings.creates]) {
        paths.append(try kind.paths.add(path, handle))
      }
      if settings.pollInterval > 0 {
        let interval = UInt64(clamping: settings.pollInterval) * 1000
        timer = try kind.host.addTimer(first: interval, every: interval) { [handle] in handle.event() }
      }
      if let command = settings.watchcmd { watchCommand = try start(command) }
    } catch {
      unwatch()
      throw error
    }
    handle.ready()
  }

  private func start(_ command: CommandSpec) throws(Failure) -> Source {
    var lines = LineEvents()
    var tail = BoundedOutput(half: 4096)
    return try kind.host.spawn(settings.command(command, limited: false)) { [handle] fd, bytes in
      tail.append(bytes)
      if lines.append(fd, bytes) { handle.event() }
    } exit: { [handle, settings] exit in
      handle.watchFailed(watchFailure(of: command, CommandEnd(exit), tail: tail.lastLines(20), timeout: settings.timeout))
    }
  }

  override func unwatch() {
    for token in paths { kind.paths.remove(token) }
    paths = []
    timer?.delete()
    timer = nil
    watchCommand?.delete()
    watchCommand = nil
  }

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    let steps = RunMachine.Steps(settings, apply: flags.contains(.apply), isNotified: flags.contains(.refresh))
    let run = Run(settings, kind: kind, handle: handle, call: call, steps: steps) { [self] in
      current.withLock { $0 = nil }
    }
    current.withLock { $0 = run }
    return try run.start()
  }

  override func cancel(_ call: Call) {
    current.withLock { $0 }?.cancel()
  }

  override func automaticEdges(_ sink: IdentitySink) {
    for wish in settings.wishes(path: environmentPath()) {
      sink.put(space: wish.space, key: wish.key, group: wish.group)
    }
  }
}

/// A watch command is meant to run for ever: each end of it is a failure.
private func watchFailure(of command: CommandSpec, _ end: CommandEnd, tail: [String], timeout: Int64) -> Failure {
  guard end == .exited(0) else {
    var failed = failure(of: command, end, timeout: timeout, tail: tail)
    // The end of a watch has no field.
    failed.message = "watchcmd: \(failed.message)"
    return failed
  }
  return Failure(
    "watchcmd ended although it should keep running", field: command.field,
    hint: "use a command that prints a line for each change and does not end, or pollint to check by a timer")
}

private func environmentPath() -> String {
  getenv("PATH").map { String(cString: $0) } ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
