// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Graph

/// What a frontend makes of its input.
public struct FrontendGraph: Sendable {
  /// The resources of this host, checked: ids are unique and there is no cycle.
  public var graph: ResourceGraph
  /// Resources for other hosts, which do not act here.
  public var exports: [Export]
  /// What other hosts export and this one wants.
  public var collects: [Collect]
  /// Warnings and notes; the graph can be run nevertheless.
  public var warnings: [Diagnostic]

  public init(graph: ResourceGraph, exports: [Export] = [], collects: [Collect] = [], warnings: [Diagnostic] = []) {
    self.graph = graph
    self.exports = exports
    self.collects = collects
    self.warnings = warnings
  }
}

/// A resource offered to other hosts: in YAML one whose name begins with `@@`. Kept for the store; nothing acts on it yet.
public struct Export: Sendable {
  /// Its name is without the `@@`.
  public var resource: Resource

  public init(resource: Resource) {
    self.resource = resource
  }
}

/// A wish for exported resources. Kept for the store; nothing acts on it yet.
public struct Collect: Sendable, Hashable {
  public var kind: String
  /// What the kind makes of it, as for `file` the directory to put collected files into; nil: as they were exported.
  public var pattern: String?
  public var origin: SourceSpan?

  public init(kind: String, pattern: String? = nil, origin: SourceSpan? = nil) {
    self.kind = kind
    self.pattern = pattern
    self.origin = origin
  }
}
