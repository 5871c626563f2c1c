// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Glibc
import Synchronization

/// A plugin that calls `exit` would end the program with a status of its own, as if all were well. While the guard is armed such an end is
/// told and becomes a failure. `_exit` and what kills the process outright pass by it.
public enum ExitGuard {
  /// The program was ended by a plugin.
  public static let status: Int32 = 70

  private enum State: UInt8 {
    case off, armed
    /// The program itself goes, with `ownStatus`.
    case leaving
    /// A plugin ended it: the thread that did so says so.
    case caught
  }
  private static let state = Atomic<UInt8>(State.off.rawValue)
  private static let ownStatus = Atomic<Int32>(0)
  private static let process = Atomic<Int32>(0)
  // Written once, before `state` says that it is there.
  nonisolated(unsafe) private static var tell: @Sendable (Diagnostic) -> Void = { _ in }

  /// Once, before a plugin is loaded: what plugins register to be called at the end then comes before the guard. `tell` is called on any
  /// thread, right before the end.
  public static func arm(_ tell: @escaping @Sendable (Diagnostic) -> Void) {
    guard state.load(ordering: .acquiring) == State.off.rawValue else { return }
    self.tell = tell
    process.store(getpid(), ordering: .relaxed)
    on_exit({ status, _ in ExitGuard.exiting(status) }, nil)
    at_quick_exit { ExitGuard.exiting(nil) }
    state.store(State.armed.rawValue, ordering: .releasing)
  }

  /// The program's own way out, from everywhere.
  public static func leave(_ status: Int32) -> Never {
    ownStatus.store(status, ordering: .releasing)
    if change(from: .armed, to: .leaving) == .caught { waitForEnd() }
    exit(status)
  }

  /// `status`: nil when it is not known.
  private static func exiting(_ status: Int32?) {
    // A process that a plugin forked may end as it likes.
    guard getpid() == process.load(ordering: .relaxed) else { return }
    switch change(from: .armed, to: .caught) {
    case .off: return
    case .armed:
      tell(diagnostic(status))
      _exit(Self.status)
    case .leaving:
      // What a plugin registered for the end ended it again: the program's word counts.
      let own = ownStatus.load(ordering: .acquiring)
      if status != own { _exit(own) }
    case .caught: waitForEnd()
    }
  }

  /// The state before.
  private static func change(from: State, to: State) -> State {
    let (_, before) = state.compareExchange(
      expected: from.rawValue, desired: to.rawValue, ordering: .acquiringAndReleasing)
    return State(rawValue: before) ?? .off
  }

  /// Another thread is about to end the process.
  private static func waitForEnd() -> Never {
    while true { pause() }
  }

  static func diagnostic(_ status: Int32?) -> Diagnostic {
    let function = status.map { "exit(\($0))" } ?? "quick_exit"
    let hint = PluginDiagnostics.author + ": a check fails with host->fail and MGMT_FAILED"
    let note = "The agent ended with it: what it was about to do is not done, and what was being done may be half done."
    guard let call = ForeignCall.current else {
      let names = LoadedPlugins.names.map { "\"\($0)\"" }.joined(separator: ", ")
      return Diagnostic(
        "plugin.exit", "a thread of a plugin called \(function)", notes: ["Plugins that are loaded: \(names).", note],
        hint: "the author of one of these has to mend this")
    }
    let place = call.resource.isEmpty ? call.method : "\(call.method) of \(call.resource)"
    return Diagnostic(
      "plugin.exit", "plugin \"\(call.plugin)\" called \(function) in \(place)",
      resource: call.resource.isEmpty ? nil : call.resource, notes: [note], hint: hint)
  }
}
