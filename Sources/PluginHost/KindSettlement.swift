// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine

/// Kinds that bring what they wrote to the disk, each on a worker.
final class KindSettlement {
  private var waiting: [UInt: PluginContext] = [:]
  private var problems: [Diagnostic] = []
  private let done: ([Diagnostic]) -> Void

  init(_ done: @escaping ([Diagnostic]) -> Void) { self.done = done }

  /// Whose code still runs.
  var contexts: [PluginContext] { Array(waiting.values) }

  func add(_ call: UInt, _ context: PluginContext) { waiting[call] = context }

  /// True: it was the last one.
  func ended(_ call: UInt, _ status: CheckOutcome.Status) -> Bool {
    guard waiting.removeValue(forKey: call) != nil else { return false }
    if case .failed(let reason) = status { problems.append(reason) }
    return waiting.isEmpty
  }

  func finish() { done(problems) }
}
