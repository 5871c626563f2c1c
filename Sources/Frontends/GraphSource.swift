// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Graph
public import Reactor

/// What a frontend says.
public enum GraphUpdate: Sendable {
  /// In place of the graph before.
  case graph(FrontendGraph)
  /// There is something new and it is no graph: the graph before stays.
  case rejection(MgmtError)
  /// Something for a person to know; it is not about a graph.
  case notice([Diagnostic])
  /// It looked, and what it said last still holds.
  case unchanged
}

/// What a frontend is to the agent: a stream of graphs, each in place of the one before.
public protocol GraphSource: AnyObject {
  /// [reactor] Begins. `yield` is called on the reactor's thread, never before `start` returned. Throws when nothing will ever come.
  func start(on reactor: Reactor, _ yield: @escaping (GraphUpdate) -> Void) throws(MgmtError)

  /// [reactor] Nothing is being looked at: what was yielded last is the newest there is.
  var isSettled: Bool { get }

  /// [reactor] Ends; `yield` is not called any more.
  func stop()

  /// [reactor] Makes the graph again from the same input, because the kinds there are have changed.
  func reload()
}

/// Yields one graph without resources.
public final class EmptySource: GraphSource {
  private var timer: ReactorTimer?

  public init() {}

  public func start(on reactor: Reactor, _ yield: @escaping (GraphUpdate) -> Void) throws(MgmtError) {
    timer = reactor.addTimer(afterMilliseconds: 0) { yield(.graph(FrontendGraph(graph: ResourceGraph(name: "empty")))) }
  }

  public var isSettled: Bool { true }

  public func stop() {
    timer?.cancel()
    timer = nil
  }

  public func reload() {}
}
