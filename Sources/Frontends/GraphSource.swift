// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Graph
public import Reactor

/// What a frontend is to the agent: a stream of graphs, each in place of the one before.
public protocol GraphSource: AnyObject {
  /// [reactor] Begins. `yield` is called on the reactor's thread, never before `start` returned, for each new graph, and for
  /// each error: then the graph before stays. Throws when nothing will ever come.
  func start(on reactor: Reactor, _ yield: @escaping (Result<FrontendGraph, MgmtError>) -> Void) throws(MgmtError)

  /// [reactor] Ends; `yield` is not called any more.
  func stop()

  /// [reactor] Makes the graph again from the same input, because the kinds there are have changed.
  func reload()
}

/// Yields one graph without resources.
public final class EmptySource: GraphSource {
  private var timer: ReactorTimer?

  public init() {}

  public func start(
    on reactor: Reactor, _ yield: @escaping (Result<FrontendGraph, MgmtError>) -> Void
  ) throws(MgmtError) {
    timer = reactor.addTimer(afterMilliseconds: 0) { yield(.success(FrontendGraph(graph: ResourceGraph(name: "empty")))) }
  }

  public func stop() {
    timer?.cancel()
    timer = nil
  }

  public func reload() {}
}
