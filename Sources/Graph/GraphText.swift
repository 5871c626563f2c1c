// SPDX-License-Identifier: Apache-2.0

import Values

extension ResourceGraph {
  /// The arrows of `edges`, for algorithms.
  public var adjacency: Adjacency {
    Adjacency(vertexCount: resources.count, arrows: edges.map { (from: $0.from, to: $0.to) })
  }

  private func edgeEnds() -> [(from: String, to: String, edge: ResourceEdge)] {
    edges.compactMap { edge in
      guard resources.indices.contains(edge.from), resources.indices.contains(edge.to) else { return nil }
      return (resources[edge.from].id.description, resources[edge.to].id.description, edge)
    }.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
  }

  /// Sorted lines `Vertex: kind[name]` and `Edge: a[x] -> b[y]`, each with a newline. A name stays on its line.
  public var sortedText: String {
    var text = ""
    for name in resources.map(\.id.description).sorted() { text += "Vertex: \(Visible.line(name))\n" }
    for edge in edgeEnds() { text += "Edge: \(Visible.line(edge.from)) -> \(Visible.line(edge.to))\n" }
    return text
  }

  /// Graphviz's language, sorted, so that equal graphs give equal text.
  public var dotText: String {
    let title = Self.dotQuote(name)
    var text = "digraph \(title) {\n\tlabel=\(title);\n\tnewrank=true;\n"
    for name in resources.map(\.id.description).sorted() { text += "\t\(Self.dotQuote(name));\n" }
    for (from, to, edge) in edgeEnds() {
      var attributes: [String] = []
      if !edge.name.isEmpty { attributes.append("label=\(Self.dotQuote(edge.name))") }
      if edge.notify { attributes.append("style=bold") }
      text += "\t\(Self.dotQuote(from)) -> \(Self.dotQuote(to))"
      text += attributes.isEmpty ? ";\n" : " [\(attributes.joined(separator: ","))];\n"
    }
    return text + "}\n"
  }

  /// A name's line ends are Graphviz's; all else that cannot be seen is shown, in the file and in the picture.
  private static func dotQuote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(Visible.scalar(scalar))
      }
    }
    return result + "\""
  }
}
