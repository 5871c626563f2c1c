// SPDX-License-Identifier: Apache-2.0

import Graph

/// Automatic edges: who bears what somebody wants comes before it.
extension Compiler {
  func addAutomaticEdges() {
    var index = IdentityIndex()
    var wanting: [(position: Int, instance: any ResourceInstance)] = []
    for (position, resource) in compiled.graph.resources.enumerated() where resource.meta.autoEdge && !resource.meta.hidden {
      let traits = traits(of: resource.id.kind)
      guard !traits.isDisjoint(with: [.identifies, .wishes]), let instance = instance(position) else { continue }
      if traits.contains(.identifies) { instance.identities { index.add(position, space: $0, key: $1) } }
      if traits.contains(.wishes) { wanting.append((position, instance)) }
    }
    guard !wanting.isEmpty else { return }
    let resources = compiled.graph.resources
    // The result must not depend on the order in which resources are written.
    var edges = AutomaticEdges(index: index, existing: compiled.graph.edges) { a, b in
      (resources[a].id.kind, resources[a].id.name) < (resources[b].id.kind, resources[b].id.name)
    }
    for (position, instance) in wanting {
      edges.begin(position)
      instance.wishes { wish in
        edges.want(
          space: wish.space, key: wish.key, isAfterMe: wish.isAfterMe, notify: wish.notify, group: wish.group)
      }
    }
    compiled.graph.edges.append(contentsOf: edges.edges)
  }
}
