// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph

/// What resources are to each other. Each is asked once.
extension Compiler {
  /// Automatic edges: who bears what somebody wants comes before it. The same thing twice is refused.
  func relate() throws(MgmtError) {
    var index = IdentityIndex()
    var same = SameThings()
    var wanting: [(position: Int, instance: any ResourceInstance)] = []
    for (position, resource) in compiled.graph.resources.enumerated() where !resource.meta.hidden {
      let traits = traits(of: resource.id.kind)
      guard !traits.isDisjoint(with: [.identifies, .wishes]), let instance = instance(position) else { continue }
      let hasEdges = engine.options.automaticEdges && resource.meta.autoEdge
      if traits.contains(.identifies) {
        instance.identities { identity in
          if identity.isPrimary { same.add(position, space: identity.space, key: identity.key) }
          if hasEdges { index.add(position, space: identity.space, key: identity.key) }
        }
      }
      if hasEdges, traits.contains(.wishes) { wanting.append((position, instance)) }
    }
    try judge(same.pairs)
    if !wanting.isEmpty { addAutomaticEdges(index, wanting) }
  }

  private func addAutomaticEdges(_ index: IdentityIndex, _ wanting: [(position: Int, instance: any ResourceInstance)]) {
    let resources = compiled.graph.resources
    // The result must not depend on the order in which resources are written.
    var edges = AutomaticEdges(index: index, existing: compiled.graph.edges) { a, b in
      (resources[a].id.kind, resources[a].id.name) < (resources[b].id.kind, resources[b].id.name)
    }
    for (position, instance) in wanting {
      edges.begin(position)
      instance.wishes { wish in
        edges.want(
          space: wish.space, key: wish.key, isAfterMe: wish.isAfterMe, notify: wish.notify, reach: wish.reach,
          group: wish.group)
      }
    }
    edges.finish()
    compiled.graph.edges.append(contentsOf: edges.edges)
  }
}
