// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Renames a plugin makes itself, from a temporary name to the name of a resource: their events say nothing new. Counted, so that
/// somebody else's rename made to look like one costs nothing: the real one is then the event.
public final class OwnRenames: Sendable {
  private let expected = Mutex<[UInt64: Int]>([:])

  /// [any] Before the rename. `name`: the last component of the target, no NUL.
  public func expect(_ name: UnsafeRawBufferPointer) {
    let key = WatchNode.hash(name)
    expected.withLock { $0[key, default: 0] += 1 }
  }

  /// [any] The rename failed; or, on the reactor, its event came. False: nobody expected it.
  @discardableResult
  public func take(_ name: UnsafeRawBufferPointer) -> Bool {
    let key = WatchNode.hash(name)
    return expected.withLock { expected in
      guard let count = expected[key] else { return false }
      expected[key] = count > 1 ? count - 1 : nil
      return true
    }
  }
}
