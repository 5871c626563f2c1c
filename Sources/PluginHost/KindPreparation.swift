// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Reactor

/// Kinds on their way to know what their resources' identities and wishes are, and which may be grouped: each answers once, or its time
/// is up.
final class KindPreparation {
  private var waiting: [UInt: CallState] = [:]
  private var isComplete = false
  private var warnings: [Diagnostic] = []
  private var timer: ReactorTimer?
  private let forEdges: Bool
  private let done: ([Diagnostic]) -> Void

  init(forEdges: Bool, _ done: @escaping ([Diagnostic]) -> Void) {
    self.forEdges = forEdges
    self.done = done
  }

  var isDone: Bool { isComplete && waiting.isEmpty }

  func add(_ call: CallState) { waiting[call.id] = call }

  func limit(_ timer: ReactorTimer) { self.timer = timer }

  /// All calls have been made.
  func complete() {
    isComplete = true
    finishIfDone()
  }

  /// False: it is the call of another.
  func ended(_ id: UInt, kind: String, _ status: CheckOutcome.Status) -> Bool {
    guard waiting.removeValue(forKey: id) != nil else { return false }
    if case .failed(let reason) = status { warn(kind, reason) }
    finishIfDone()
    return true
  }

  /// Those that have not answered are not waited for any more.
  func giveUp(after seconds: Int) {
    for call in waiting.values {
      warn(
        call.resource,
        Diagnostic("plugin.prepare", "it did not find out in \(seconds) s what its resources come before and after"))
      call.cancel()
    }
    waiting = [:]
    finishIfDone()
  }

  private func warn(_ kind: String, _ reason: Diagnostic) {
    // Without edges nothing is missing, and the checks say what is wrong.
    guard forEdges else { return }
    var warning = reason
    warning.severity = .warning
    warning.resource = kind
    warning.notes.append("Automatic edges of \(kind) may be missing.")
    warnings.append(warning)
  }

  private func finishIfDone() {
    guard isDone else { return }
    timer?.cancel()
    done(warnings)
  }
}
