// SPDX-License-Identifier: Apache-2.0

import Diagnostics
public import Graph

/// A graph half compiled: kinds find out what its automatic edges are.
struct Preparation {
  var graph: ResourceGraph
  var compiler: Compiler
  /// It waited, and it is its turn: those that came since are in the queue.
  var isQueued: Bool
  /// Graphs that came since, which must not pass it over.
  var newer: [ResourceGraph] = []
}

/// Graphs on their way to be compiled: which comes next, and which are passed over.
extension Engine {
  /// Takes a graph over: resources that are the same run on with their watches, state and pending work, the others end and begin.
  /// A graph that is not valid is refused (`graphRejected`) and the one before goes on. The latest graph wins, but not over one
  /// on its way in with resources that must be realized.
  public func apply(_ graph: ResourceGraph) {
    switch preparing {
    case let first? where first.graph.mustRealize(before: graph):
      guard isValid(graph) else { break }
      if first.isQueued {
        waitingGraphs.enqueue(graph)
      } else {
        preparing?.newer.enqueue(graph)
      }
    default: compile(graph)
    }
    flush()
  }

  /// Compiled first: a graph that is refused must not displace a good one on its way in. `isQueued`: it waited, and it is its turn.
  private func compile(_ graph: ResourceGraph, isQueued: Bool = false) {
    let compiler = Compiler(engine: self, graph: graph)
    do throws(MgmtError) {
      let kinds = try compiler.begin()
      suspendPreparation()
      if kinds.isEmpty { return try take(compiler.finish(), graph, isQueued: isQueued) }
      preparing = Preparation(graph: graph, compiler: compiler, isQueued: isQueued)
      factory.prepare(kinds, forEdges: compiler.hasEdgesOfKinds) { [weak self] warnings in self?.prepared(compiler, warnings) }
    } catch {
      onEvent(.graphRejected(error.diagnostics))
    }
  }

  private func prepared(_ compiler: Compiler, _ warnings: [Diagnostic]) {
    guard let preparing, preparing.compiler === compiler else { return }
    self.preparing = nil
    compiler.compiled.warnings += warnings
    do throws(MgmtError) {
      try take(compiler.finish(), preparing.graph, isQueued: preparing.isQueued)
    } catch {
      onEvent(.graphRejected(error.diagnostics))
    }
    waitingGraphs += preparing.newer
    flush()
  }

  private func take(_ compiled: CompiledGraph, _ graph: ResourceGraph, isQueued: Bool) {
    if !isQueued {
      waitingGraphs.dropPassed(by: graph)
      if waitingGraphs.isEmpty, let swap, !swap.compiled.graph.mustRealize(before: graph) {
        return replace(swap, with: Swap(compiled: compiled, leaving: leaving(compiled)))
      }
      guard swap == nil, waitingGraphs.isEmpty else {
        compiled.discard()
        return waitingGraphs.append(graph)
      }
    }
    swap = Swap(compiled: compiled, leaving: leaving(compiled))
  }

  private func isValid(_ graph: ResourceGraph) -> Bool {
    let compiler = Compiler(engine: self, graph: graph)
    do throws(MgmtError) {
      _ = try compiler.begin()
      compiler.compiled.discard()
      return true
    } catch {
      onEvent(.graphRejected(error.diagnostics))
      return false
    }
  }

  /// What is being prepared waits again: what is compiled instead may turn out to be one that is refused.
  private func suspendPreparation() {
    guard let suspended = abandonPreparation() else { return }
    if suspended.isQueued { waitingGraphs.insert(suspended.graph, at: 0) } else { waitingGraphs.enqueue(suspended.graph) }
    waitingGraphs += suspended.newer
  }

  /// What was being prepared, and is not any more.
  @discardableResult
  func abandonPreparation() -> Preparation? {
    guard let preparing else { return nil }
    self.preparing = nil
    preparing.compiler.compiled.discard()
    return preparing
  }

  /// Compiles the next graph that waits when there is none on its way in.
  func beginSwap() {
    // What is being prepared was compared with what ran before.
    suspendPreparation()
    while swap == nil, preparing == nil, !waitingGraphs.isEmpty { compile(waitingGraphs.removeFirst(), isQueued: true) }
  }
}

extension [ResourceGraph] {
  /// Takes away those at the end that need not come in before `graph`.
  fileprivate mutating func dropPassed(by graph: ResourceGraph) {
    while let last, !last.mustRealize(before: graph) { removeLast() }
  }

  fileprivate mutating func enqueue(_ graph: ResourceGraph) {
    dropPassed(by: graph)
    append(graph)
  }
}

extension ResourceGraph {
  /// Whether a resource of this graph must be as asked at least once and `next` has it differently or not at all.
  fileprivate func mustRealize(before next: ResourceGraph) -> Bool {
    let urgent = resources.filter { $0.meta.realize && !$0.meta.hidden }
    guard !urgent.isEmpty else { return false }
    var ids: [ResourceID: Int] = [:]
    for (position, resource) in next.resources.enumerated() where !resource.meta.hidden { ids[resource.id] = position }
    return urgent.contains { resource in
      guard let position = ids[resource.id] else { return true }
      return !next.resources[position].isEquivalent(to: resource)
    }
  }
}
