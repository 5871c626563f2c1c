// SPDX-License-Identifier: Apache-2.0

public import Graph

/// How an engine treats every graph.
public struct EngineOptions: Sendable {
  /// Check only, whatever the resources say.
  public var noop = false
  /// > 0: at most so many resources are checked at once.
  public var semaphoreSize = 0
  /// Seconds without activity until converged; < 0: never.
  public var convergedTimeout = -1
  /// Changes are reported with their contents.
  public var wantsDiff = false
  /// Events show what is secret. What the status says never does.
  public var showsSecrets = false
  public var automaticEdges = true
  public var automaticGroups = true
  /// Decides which resources form groups.
  public var grouper: any Grouper = NonReachabilityGrouper()

  public init() {}
}
