// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit
import Synchronization

/// One check of an `exec`: carries out what `RunMachine` says and ends the call exactly once.
///
/// It starts on a worker (`start`) and goes on in the reactor, where the ends of children arrive and where it can be cancelled.
/// The lock is held while a child is started, so that `cancel` finds either none or its source.
final class Run: @unchecked Sendable {
  // `call` and `handle` are addresses whose functions may be called from any thread; the rest is immutable or locked.
  private struct State {
    var machine: RunMachine
    var child: Source?
    var streams = CommandStreams()
    /// What `cmd` wrote, while `donecmd` runs.
    var captured = CapturedText()
    /// Modification times from before `cmd` started, to be recorded when it has succeeded.
    var times: ModificationTimes?
    /// What the last successful run wrote; nil: another command's record is in the way.
    var cached: CapturedText?
  }

  private let settings: ExecSettings
  private let kind: ExecKind
  private let handle: ResourceHandle
  private let call: Call
  private let store: StateStore?
  /// Runs before the call ends.
  private let willEnd: () -> Void
  private let state: Mutex<State>

  init(
    _ settings: ExecSettings, kind: ExecKind, handle: ResourceHandle, call: Call, steps: RunMachine.Steps,
    willEnd: @escaping () -> Void
  ) {
    self.settings = settings
    self.kind = kind
    self.handle = handle
    self.call = call
    self.willEnd = willEnd
    store = handle.stateDirectory().map { StateStore(directory: $0, command: settings.fingerprint) }
    state = Mutex(State(machine: RunMachine(steps)))
  }

  /// [worker] `.pending`: the call will be completed.
  func start() throws(Failure) -> CheckResult {
    let cached = store.map { $0.readCaptured() } ?? CapturedText()
    let action = state.withLock { state in
      state.cached = cached
      return state.machine.start()
    }
    do {
      guard let outcome = try perform(action) else { return .pending }
      willEnd()
      return try result(of: outcome)
    } catch {
      willEnd()
      throw error
    }
  }

  /// [reactor]
  func cancel() {
    state.withLock { state in
      state.machine.cancel()
      state.child?.stop()
    }
  }

  /// Goes on until a child runs (nil) or the walk is over.
  private func perform(_ first: RunMachine.Action) throws(Failure) -> RunMachine.Outcome? {
    var action = first
    while true {
      switch action {
      case .compareTimes:
        let times = try ModificationTimes(of: settings.mtimes)
        let isModified = times.isNewer(than: store?.readTimes() ?? ModificationTimes())
        action = state.withLock { state in
          state.times = times
          return state.machine.timesCompared(modified: isModified)
        }
      case .checkCreates:
        let exists = try fileExists(settings.creates)
        action = state.withLock { $0.machine.createsChecked(exists: exists) }
      case .run(let role):
        return try spawn(role) ? nil : .cancelled
      case .finish(let outcome):
        return outcome
      }
    }
  }

  /// false: cancelled before it could start.
  private func spawn(_ role: RunMachine.Role) throws(Failure) -> Bool {
    let command = settings.command(settings.spec(of: role))
    if role == .cmd { reportChange() }
    return try state.withLock { state throws(Failure) in
      guard !state.machine.isCancelled else { return false }
      state.streams = CommandStreams()
      state.child = try kind.host.spawn(command) { fd, bytes in
        self.received(role, fd, bytes)
      } exit: { exit in
        self.ended(role, CommandEnd(exit))
      }
      return true
    }
  }

  private func received(_ role: RunMachine.Role, _ fd: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
    state.withLock { state in
      state.streams.append(fd, bytes) { line in
        if role == .cmd || role == .donecmd { handle.log(.info, line) }
      }
    }
  }

  private func ended(_ role: RunMachine.Role, _ end: CommandEnd) {
    let action = state.withLock { state in
      state.child = nil
      state.streams.finish { line in
        if role == .cmd || role == .donecmd { handle.log(.info, line) }
      }
      if role == .cmd { state.captured = state.streams.text }
      let holdsBack = role == .ifcmd && settings.holdsBack(state.streams)
      return state.machine.ended(end, holdsBack: holdsBack)
    }
    do {
      guard let outcome = try perform(action) else { return }
      if outcome == .ran { remember() } else { complete(.success(try result(of: outcome))) }
    } catch {
      complete(.failure(error))
    }
  }

  private func reportChange() {
    call.change("cmd", was: .unset, will: .string(settings.cmd.shownText))
  }

  /// What the host is told, for every end of the walk but `ran`.
  private func result(of outcome: RunMachine.Outcome) throws(Failure) -> CheckResult {
    switch outcome {
    case .heldBack:
      sendCached()
      return .ok
    case .wouldRun:
      reportChange()
      sendCached()
      return .differs
    case .ran: return .changed
    case .cancelled: throw Failure.cancelled
    case .failed(let role, let end):
      let tail = state.withLock { $0.streams.output.lastLines(20) }
      throw failure(of: settings.spec(of: role), end, timeout: settings.timeout, tail: tail)
    }
  }

  private func sendCached() {
    let cached = state.withLock { $0.cached } ?? CapturedText()
    call.send(cached.orElse(settings.fallback).fields)
  }

  /// The command succeeded: writes down what the next check wants to know, off the reactor, and ends the call.
  private func remember() {
    let (captured, cached, times) = state.withLock { ($0.captured, $0.cached, $0.times) }
    guard captured != cached || times != nil else { return finishRan(captured) }
    kind.disk.run { [self] in
      do throws(Failure) {
        if captured != cached { try store?.writeCaptured(captured) }
        if let times { try store?.writeTimes(times) }
      } catch {
        handle.log(.warning, error.message + (error.errno == 0 ? "" : ": " + String(cString: strerror(error.errno))))
      }
      finishRan(captured)
    }
  }

  private func finishRan(_ captured: CapturedText) {
    call.send(captured.fields)
    complete(.success(.changed))
  }

  private func complete(_ result: Result<CheckResult, Failure>) {
    // Another check may begin as soon as the call is complete.
    willEnd()
    call.complete(result)
  }
}

extension RunMachine.Steps {
  init(_ settings: ExecSettings, apply: Bool, isNotified: Bool) {
    self.init(
      lacksNotification: settings.isRefreshOnly && !isNotified, mtimes: !settings.mtimes.isEmpty,
      creates: !settings.creates.isEmpty, ifcmd: settings.ifcmd != nil,
      nifcmd: settings.nifcmd != nil, donecmd: settings.donecmd != nil, apply: apply)
  }
}

/// Follows symlinks. Throws when it cannot be told.
private func fileExists(_ path: String) throws(Failure) -> Bool {
  var info = stat()
  if stat(path, &info) == 0 { return true }
  guard errno == ENOENT || errno == ENOTDIR else {
    throw Failure("\"\(path)\" cannot be looked at", errno: errno, field: "creates")
  }
  return false
}
