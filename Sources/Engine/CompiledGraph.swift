// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Graph

/// A graph made ready to run: validated, with automatic edges, groups and reversals. Its new resources are alive already, but not
/// watched.
struct CompiledGraph {
  /// With automatic edges and reversals; edges are between resources, not between groups.
  var graph: ResourceGraph
  /// Edges from here on are automatic.
  var firstAutomaticEdge = 0
  /// Resources from here on are reversals.
  var firstReversal = Int.max
  /// For each resource whose group it is in, -1: none.
  var leaders: [Int32] = []
  var vertices: [Vertex] = []
  /// For each resource the instance made for it; nil: one that runs is kept, or there is none.
  var instances: [(any ResourceInstance)?] = []
  /// Why there is none.
  var failures: [Int: Diagnostic] = [:]
  /// What resources receive, by their positions.
  var receptions: [Int: [Reception]] = [:]
  var warnings: [Diagnostic] = []
  /// Nanoseconds.
  var duration: UInt64 = 0

  struct Vertex {
    /// A position in `graph.resources`, as all numbers here.
    var leader: Int
    /// Leaders of members come before them.
    var members: [Int] = []
    /// The slot where the very same runs.
    var keptSlot: Int?
  }

  /// Edges between those that lead and those that are in no group.
  var groupedEdges: [ResourceEdge] {
    guard leaders.contains(where: { $0 >= 0 }) else { return graph.edges }
    return Grouping.mergedEdges(graph.edges, topLeaders: Grouping.topLeaders(of: leaders))
  }

  func isReversal(_ position: Int) -> Bool { position >= firstReversal }

  /// Ends what was made for it: it does not come in.
  func discard() {
    for instance in instances { instance?.destroy() }
  }
}

/// What compiling makes of a graph, for people: nothing of it runs.
public struct CompiledPreview: Sendable {
  /// With automatic edges; members of groups are resources of their own.
  public var graph: ResourceGraph
  /// Edges from here on are automatic.
  public var firstAutomaticEdge: Int
  /// Edges between leaders and resources that are in no group.
  public var groupedEdges: [ResourceEdge]
  /// For each resource whose group it is in, -1: none.
  public var leaders: [Int32]
  public var warnings: [Diagnostic]
  /// Nanoseconds.
  public var duration: UInt64
}

extension Engine {
  /// Compiles a graph as `apply` does, hands the result over, now or later, and forgets it.
  public func preview(_ graph: ResourceGraph, _ done: @escaping (Result<CompiledPreview, MgmtError>) -> Void) {
    let compiler = Compiler(engine: self, graph: graph)
    do throws(MgmtError) {
      let kinds = try compiler.begin()
      guard !kinds.isEmpty else { return done(Self.preview(compiler)) }
      factory.prepare(kinds, forEdges: compiler.hasEdgesOfKinds) { warnings in
        compiler.compiled.warnings += warnings
        done(Self.preview(compiler))
      }
    } catch {
      done(.failure(error))
    }
  }

  private static func preview(_ compiler: Compiler) -> Result<CompiledPreview, MgmtError> {
    do throws(MgmtError) {
      let compiled = try compiler.finish()
      defer { compiled.discard() }
      return .success(
        CompiledPreview(
          graph: compiled.graph, firstAutomaticEdge: compiled.firstAutomaticEdge, groupedEdges: compiled.groupedEdges,
          leaders: compiled.leaders, warnings: compiled.warnings, duration: compiled.duration))
    } catch {
      return .failure(error)
    }
  }
}
