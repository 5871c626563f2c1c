// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Values

/// What a resource is called in a graph: printed `kind[name]`.
public struct ResourceID: Sendable, Hashable, CustomStringConvertible {
  public var kind: String
  public var name: String

  public init(kind: String, name: String) {
    self.kind = kind
    self.name = name
  }

  public var description: String { "\(kind)[\(name)]" }
}

/// A vertex of a resource graph: one thing to be kept in a declared state.
public struct Resource: Sendable {
  public var id: ResourceID
  /// In the order of the kind's schema, defaults filled in; `.unset` where neither given nor defaulted.
  public var parameters: [Value]
  public var meta: MetaParameters
  /// Where it was declared.
  public var origin: SourceSpan?

  public init(id: ResourceID, parameters: [Value], meta: MetaParameters = .init(), origin: SourceSpan? = nil) {
    self.id = id
    self.parameters = parameters
    self.meta = meta
    self.origin = origin
  }

  /// Whether a running resource may stay as it is when `other` takes its place; where it was declared does not count.
  public func isEquivalent(to other: Resource) -> Bool {
    id == other.id && meta == other.meta && parameters == other.parameters
  }
}

/// An arrow: `to` comes after `from` succeeded. Vertices are positions in `ResourceGraph.resources`.
public struct ResourceEdge: Sendable, Hashable {
  public var from: Int
  public var to: Int
  public var name: String
  /// A change of `from` is a notification to `to`.
  public var notify: Bool
  /// What `to` receives of what `from` sends.
  public var transfers: [Transfer]
  public var origin: SourceSpan?

  public init(
    from: Int, to: Int, name: String = "", notify: Bool = false, transfers: [Transfer] = [], origin: SourceSpan? = nil
  ) {
    self.from = from
    self.to = to
    self.name = name
    self.notify = notify
    self.transfers = transfers
    self.origin = origin
  }
}

/// A field one resource sends becomes a parameter of another.
public struct Transfer: Sendable, Hashable {
  /// Of what the sender sends.
  public var field: String
  /// Of the receiver.
  public var parameter: String
  public var origin: SourceSpan?

  public init(field: String, parameter: String, origin: SourceSpan? = nil) {
    self.field = field
    self.parameter = parameter
    self.origin = origin
  }
}

/// What a frontend yields: the resources of this host and their order.
public struct ResourceGraph: Sendable {
  public var name: String
  public var resources: [Resource]
  public var edges: [ResourceEdge]
  /// Whoever gives it to an engine knows it by this number.
  public var number = 0

  public init(name: String = "", resources: [Resource] = [], edges: [ResourceEdge] = []) {
    self.name = name
    self.resources = resources
    self.edges = edges
  }
}
