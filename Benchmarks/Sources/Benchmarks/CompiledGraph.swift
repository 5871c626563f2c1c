// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What `mgmt graph --compiled --json` prints.
struct CompiledGraph: Decodable {
  struct Vertex: Decodable {
    let name: String
    /// `kind[name]` of the leader of its group; nil: it leads, or is in no group.
    let leader: String?
  }

  struct Edge: Decodable {
    let from: String
    let to: String
    let automatic: Bool?
  }

  let vertices: [Vertex]
  let edges: [Edge]
  /// Automatic edges, groups, order and the making of the resources; not the reading of the file.
  let seconds: Double

  enum CodingKeys: String, CodingKey {
    case vertices, edges
    case seconds = "compile_seconds"
  }

  var automaticEdges: [Edge] { edges.filter { $0.automatic == true } }
}

extension Bench {
  /// Compiles a graph once.
  func compile(_ graph: String) throws -> (graph: CompiledGraph, usage: Programs.Usage) {
    let log = "compiled.json"
    let usage = try programs.measure(agent.compile(graph), log: log)
    guard let data = FileManager.default.contents(atPath: programs.path(log)) else {
      throw Failure("\(programs.path(log)): cannot be read")
    }
    do {
      return (try JSONDecoder().decode(CompiledGraph.self, from: data), usage)
    } catch {
      throw Failure("\(graph): what 'mgmt graph --compiled --json' printed is not a compiled graph: \(error)")
    }
  }
}
