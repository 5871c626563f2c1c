// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Synchronization

/// The checks that run, by number. The reactor adds while workers remove: sixteen locks keep them out of each other's way.
final class CallTable: Sendable {
  private struct Part {
    var calls: [UInt: CallState] = [:]
    /// A ring of those that ended last: whose they were, should one be completed again.
    var ended: [Ended] = []
  }
  private struct Ended {
    var id: UInt
    var context: PluginContext
    var resource: String
  }
  private final class Shard: Sendable {
    let part = Mutex<Part>(Part())
  }
  private static let remembered = 4
  private let shards = (0..<16).map { _ in Shard() }
  private let next = Atomic<UInt>(1)

  private func shard(_ id: UInt) -> Shard { shards[Int(id & 15)] }

  func add(_ make: (UInt) -> CallState) -> CallState {
    let id = next.wrappingAdd(1, ordering: .relaxed).oldValue
    let call = make(id)
    shard(id).part.withLock { $0.calls[id] = call }
    return call
  }

  func end(_ call: CallState, _ context: PluginContext) {
    let ended = Ended(id: call.id, context: context, resource: call.resource)
    shard(call.id).part.withLock { part in
      part.calls[call.id] = nil
      if part.ended.count < Self.remembered {
        part.ended.append(ended)
      } else {
        part.ended[Int(call.id / 16 % UInt(Self.remembered))] = ended
      }
    }
  }

  /// nil: unknown, or ended.
  func call(_ pointer: OpaquePointer?) -> CallState? {
    let id = UInt(bitPattern: pointer)
    return shard(id).part.withLock { $0.calls[id] }
  }

  /// `complete` came with a number that is no running check's. Says whose it was, when that is known.
  func reportEnded(_ pointer: OpaquePointer?, in runtime: RuntimeShared) {
    let id = UInt(bitPattern: pointer)
    guard let ended = shard(id).part.withLock({ part in part.ended.first { $0.id == id } }) else {
      return runtime.tell(.log(nil, .warning, "a plugin completed a check that is not running: ignored"))
    }
    ended.context.misbehaved("a check was completed twice", resource: ended.resource)
  }
}
