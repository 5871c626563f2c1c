// SPDX-License-Identifier: Apache-2.0

/// Finds the resources that look after one and the same thing, by their primary identities. Linear.
public struct SameThings {
  /// Two vertices that are the same thing.
  public struct Pair: Sendable, Equatable {
    public var first: Int
    public var second: Int
    /// What they are: the space of the identity and its key.
    public var space: String
    public var key: String
  }

  /// Of three that are the same, the second with the first and the third with the second.
  public private(set) var pairs: [Pair] = []
  private var index = IdentityIndex()

  public init() {}

  /// The primary identity of a vertex.
  public mutating func add(_ vertex: Int, space: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) {
    guard let other = index.add(vertex, space: space, key: key) else { return }
    pairs.append(
      Pair(
        first: other, second: vertex, space: String(decoding: space, as: UTF8.self), key: String(decoding: key, as: UTF8.self)))
  }
}
