// SPDX-License-Identifier: Apache-2.0

import Engine
import Graph
import Values

/// A graph for programs, one object: name, vertices, edges, all sorted; compiled: also what is automatic, groups, and how long it took.
enum GraphJSON {
  static func text(_ declared: ResourceGraph, _ compiled: CompiledPreview?) -> String {
    let graph = compiled?.graph ?? declared
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("name", graph.name)
      writer.array("vertices") { writer in
        for position in graph.resources.indices.sorted(by: { name(graph, $0) < name(graph, $1) }) {
          writer.object { writer in
            writer.member("kind", graph.resources[position].id.kind)
            writer.member("name", graph.resources[position].id.name)
            if let leader = compiled?.leaders[position], leader >= 0 { writer.member("leader", name(graph, Int(leader))) }
          }
        }
      }
      writer.array("edges") { writer in writeEdges(graph, compiled, &writer) }
      if let compiled { writer.member("compile_seconds", Double(compiled.duration / 1000) / 1e6) }
    }
    writer.newline()
    return writer.text
  }

  private static func name(_ graph: ResourceGraph, _ position: Int) -> String { graph.resources[position].id.description }

  private static func writeEdges(_ graph: ResourceGraph, _ compiled: CompiledPreview?, _ writer: inout JSONWriter) {
    let edges = graph.edges.enumerated().map { position, edge in
      (
        from: name(graph, edge.from), to: name(graph, edge.to), edge: edge,
        isAutomatic: position >= (compiled?.firstAutomaticEdge ?? .max)
      )
    }
    for (from, to, edge, isAutomatic) in edges.sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
      writer.object { writer in
        writer.member("from", from)
        writer.member("to", to)
        writer.member("name", edge.name)
        writer.member("notify", edge.notify)
        if !edge.transfers.isEmpty {
          writer.object("receive") { writer in
            for transfer in edge.transfers { writer.member(transfer.parameter, transfer.field) }
          }
        }
        if isAutomatic { writer.member("automatic", true) }
      }
    }
  }
}
