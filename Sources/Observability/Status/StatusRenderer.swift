// SPDX-License-Identifier: Apache-2.0

public import Engine

/// The agent and its graph, for the line after those of the resources.
public struct AgentStatus: Sendable, Equatable {
  public var pid: Int32
  public var hostname: String
  public var version: String
  /// The graph's name; nil: none runs yet.
  public var graph: String?
  public var counts: StatusCounts
  public var isConverged: Bool
  public var isPaused: Bool
  /// nil: the graph that runs, or is on its way, is the newest.
  public var refused: RefusedGraph?

  public init(
    pid: Int32, hostname: String, version: String, graph: String?, counts: StatusCounts = .init(), isConverged: Bool,
    isPaused: Bool, refused: RefusedGraph? = nil
  ) {
    self.pid = pid
    self.hostname = hostname
    self.version = version
    self.graph = graph
    self.counts = counts
    self.isConverged = isConverged
    self.isPaused = isPaused
    self.refused = refused
  }

  /// Every resource is as asked, and there is a graph that asks: the newest.
  var isAsAsked: Bool { graph != nil && refused == nil && counts.notAsAsked == 0 }
}

/// Writes status lines; docs/observability.md describes them.
public protocol StatusRenderer: Sendable {
  /// One line, with its end.
  func resource(_ status: ResourceStatus, _ clock: WallClock) -> [UInt8]
  func removed(_ id: String) -> [UInt8]
  /// The last line, and before it what there is to say of a graph that was refused.
  func agent(_ status: AgentStatus, _ clock: WallClock) -> [UInt8]
}
