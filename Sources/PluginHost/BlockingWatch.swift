// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI
import Reactor
import Synchronization

/// A watch with a thread of its own, for kinds whose library can only block (`watch_blocking`).
final class BlockingWatch: @unchecked Sendable {
  // The pointers are the plugin's own and go back to the plugin only; the rest is set before the thread starts or locks itself.
  private let instance: UInt
  private let kind: UnsafePointer<mgmt_kind>
  private let object: UnsafeMutableRawPointer?
  private let context: PluginContext
  private let call: CallState
  private let hasEnded = Atomic<Bool>(false)
  private static let stackSize = 512 << 10

  /// `call` carries its cancellation.
  init(
    instance: UInt, kind: UnsafePointer<mgmt_kind>, object: UnsafeMutableRawPointer?, context: PluginContext, call: CallState
  ) {
    self.instance = instance
    self.kind = kind
    self.object = object
    self.context = context
    self.call = call
  }

  /// The plugin's code is not run any more.
  var isOver: Bool { hasEnded.load(ordering: .acquiring) }

  /// 0, or errno.
  func start() -> Int32 {
    // The descriptor it waits at must be there before anybody cancels.
    guard call.cancelDescriptor() >= 0 else { return errno }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, Self.stackSize)
    var thread = pthread_t()
    let held = Unmanaged.passRetained(self)
    let error = pthread_create(
      &thread, &attributes,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<BlockingWatch>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, held.toOpaque())
    if error != 0 { held.release() }
    return error
  }

  private func run() {
    let error = ErrorBox()
    _ = context.calling("watch_blocking", name: call.resource) {
      kind.pointee.watch_blocking?(object, OpaquePointer(bitPattern: call.id), error.pointer)
    }
    context.runtime.calls.end(call, context)
    hasEnded.store(true, ordering: .releasing)
    context.runtime.tell(.watchThreadEnded(instance, error, wasCancelled: call.isCancelled))
  }

  /// Asks it to end: `watchThreadEnded` follows.
  func stop() { call.cancel() }
}
