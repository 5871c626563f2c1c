// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Reactor
import Values

/// Makes a graph ready to run. The order of the steps is that of the original (spec: graph switch): validate, options, automatic
/// edges, automatic groups, reversals, order.
final class Compiler {
  let engine: Engine
  var compiled: CompiledGraph
  /// For each resource where the same runs already.
  private(set) var running: [Place?] = []
  /// Several kinds take part in automatic edges. One alone has no others to have edges with.
  private(set) var hasEdgesOfKinds = false
  private var traits: [String: KindTraits] = [:]
  static let maximumErrors = 20

  init(engine: Engine, graph: ResourceGraph) {
    self.engine = engine
    compiled = CompiledGraph(graph: graph)
  }

  /// The first half: everything is alive. Returns the kinds that have to find things out before the second. What was made is destroyed
  /// when it throws.
  func begin() throws(MgmtError) -> [String] {
    let start = monotonicNow()
    do throws(MgmtError) {
      try refuse(compiled.graph.check())
      try refuse(compiled.graph.checkTransfers(catalog: engine.factory))
      try refuse(compiled.graph.checkSecrets(catalog: engine.factory))
      applyOptions(from: 0)
      resolveTransfers()
      try bringToLife(from: 0)
    } catch {
      compiled.discard()
      throw error
    }
    compiled.duration = monotonicNow() - start
    return kindsToPrepare()
  }

  /// Of a graph with something new, the kinds that prepare.
  private func kindsToPrepare() -> [String] {
    guard compiled.instances.contains(where: { $0 != nil }) else { return [] }
    let (mayHaveEdges, mayGroup) = (engine.options.automaticEdges, engine.options.automaticGroups)
    var (kinds, kindsWithEdges) = (Set<String>(), Set<String>())
    for resource in compiled.graph.resources where !resource.meta.hidden {
      if mayHaveEdges, resource.meta.autoEdge { kindsWithEdges.insert(resource.id.kind) }
      if mayGroup, resource.meta.autoGroup { kinds.insert(resource.id.kind) }
    }
    hasEdgesOfKinds = kindsWithEdges.count > 1
    if hasEdgesOfKinds { kinds.formUnion(kindsWithEdges) }
    return kinds.filter { traits(of: $0).contains(.prepares) }.sorted()
  }

  /// The second half: what is the same thing twice, edges, groups, reversals, order.
  func finish() throws(MgmtError) -> CompiledGraph {
    let start = monotonicNow()
    do throws(MgmtError) {
      compiled.firstReversal = compiled.graph.resources.count
      compiled.firstAutomaticEdge = compiled.graph.edges.count
      try relate()
      if compiled.graph.edges.count > compiled.firstAutomaticEdge,
        let cycle = compiled.graph.cycle(automaticFrom: compiled.firstAutomaticEdge)
      {
        throw MgmtError(cycle)
      }
      compiled.leaders = [Int32](repeating: -1, count: compiled.graph.resources.count)
      if engine.options.automaticGroups { findGroups() }
      try addReversals()
      formVertices()
    } catch {
      compiled.discard()
      throw error
    }
    compiled.duration += monotonicNow() - start
    return compiled
  }

  private func refuse(_ diagnostics: [Diagnostic]) throws(MgmtError) {
    if !diagnostics.isEmpty { throw MgmtError(Array(diagnostics.prefix(Self.maximumErrors))) }
  }

  func traits(of kind: String) -> KindTraits {
    if let known = traits[kind] { return known }
    let found = engine.factory.traits(of: kind)
    traits[kind] = found
    return found
  }

  // MARK: Options and transfers

  private func applyOptions(from first: Int) {
    let options = engine.options
    guard options.noop || options.semaphoreSize > 0 else { return }
    for position in first..<compiled.graph.resources.count {
      if options.noop { compiled.graph.resources[position].meta.noop = true }
      let id = ":\(options.semaphoreSize)"
      if options.semaphoreSize > 0, !compiled.graph.resources[position].meta.semaphores.contains(id) {
        compiled.graph.resources[position].meta.semaphores.append(id)
      }
    }
  }

  /// The names of the graph as positions in the kinds' schemas.
  private func resolveTransfers() {
    for edge in compiled.graph.edges where !edge.transfers.isEmpty {
      let (sender, receiver) = (compiled.graph.resources[edge.from].id, compiled.graph.resources[edge.to].id)
      guard let sends = engine.factory.schema(of: sender.kind), let receives = engine.factory.schema(of: receiver.kind) else {
        continue
      }
      for transfer in edge.transfers {
        guard let field = sends.sends.firstIndex(where: { $0.name == transfer.field }),
          let parameter = receives.position(of: transfer.parameter)
        else { continue }
        compiled.receptions[edge.to, default: []].append(
          Reception(
            sender: sender, field: field, fieldName: transfer.field, parameter: parameter, parameterName: transfer.parameter))
      }
    }
  }

  // MARK: Instances

  /// Finds for each resource the one that runs already, or makes one. Only what is new or changed is validated.
  private func bringToLife(from first: Int) throws(MgmtError) {
    let count = compiled.graph.resources.count
    running.append(contentsOf: repeatElement(nil, count: count - running.count))
    compiled.instances.append(contentsOf: repeatElement(nil, count: count - compiled.instances.count))
    var errors: [Diagnostic] = []
    for position in first..<count {
      let resource = compiled.graph.resources[position]
      if let place = placeOfSame(resource, position) {
        running[position] = place
        continue
      }
      if resource.meta.hidden { continue }
      if let error = engine.factory.validate(resource) {
        errors.append(engine.secretMask(of: resource)?.masking(error) ?? error)
        if errors.count >= Self.maximumErrors { break }
      }
      if errors.isEmpty { make(position) }
    }
    try refuse(errors)
  }

  func make(_ position: Int) {
    do throws(MgmtError) {
      compiled.instances[position] = try engine.factory.make(compiled.graph.resources[position], owner: engine)
    } catch {
      let resource = compiled.graph.resources[position]
      compiled.failures[position] = error.diagnostics.first.map { engine.secretMask(of: resource)?.masking($0) ?? $0 }
    }
  }

  /// Where the same resource runs and may go on.
  private func placeOfSame(_ resource: Resource, _ position: Int) -> Place? {
    guard let place = engine.place(of: resource.id, isHidden: resource.meta.hidden), let entry = engine.entries[place.slot],
      let part = entry[place.part], entry.isReversal == compiled.isReversal(position),
      part.resource.id == resource.id, part.resource.meta == resource.meta,
      (part.exchange?.receptions ?? []) == (compiled.receptions[position] ?? [])
    else { return nil }
    if resource.meta.hidden { return part.resource.parameters == resource.parameters ? place : nil }
    guard let instance = part.instance else { return nil }
    if entry.meta.rewatch, entry.failure != nil { return nil }
    if traits(of: resource.id.kind).contains(.compares) { return isSame(instance, resource, position) ? place : nil }
    return part.resource.parameters == resource.parameters ? place : nil
  }

  /// Asks the kind, which compares instances.
  private func isSame(_ instance: any ResourceInstance, _ resource: Resource, _ position: Int) -> Bool {
    guard engine.factory.validate(resource) == nil else { return false }
    make(position)
    guard let other = compiled.instances[position], instance.isSame(as: other) == true else {
      compiled.instances[position]?.destroy()
      compiled.instances[position] = nil
      return false
    }
    other.destroy()
    compiled.instances[position] = nil
    return true
  }

  /// The instance made for a resource, or the one that runs.
  func instance(_ position: Int) -> (any ResourceInstance)? {
    if let instance = compiled.instances[position] { return instance }
    return running[position].flatMap { engine.entries[$0.slot]?[$0.part]?.instance }
  }

  // MARK: Reversals

  /// What puts back the changes of resources that are not in the graph any more. They stand alone: without edges and groups.
  private func addReversals() throws(MgmtError) {
    let pending = engine.factory.pendingReversals()
    compiled.warnings += pending.warnings
    guard !pending.resources.isEmpty else { return }
    var present: Set<ResourceID> = []
    for resource in compiled.graph.resources where !resource.meta.hidden { present.insert(resource.id) }
    let first = compiled.graph.resources.count
    for var resource in pending.resources where !present.contains(resource.id) {
      resource.meta.reverse = false
      if let error = engine.factory.validate(resource) {
        let error = engine.secretMask(of: resource)?.masking(error) ?? error
        compiled.warnings.append(error.asWarning(note: "what \(resource.id) had changed cannot be put back"))
        continue
      }
      compiled.graph.resources.append(resource)
    }
    applyOptions(from: first)
    compiled.leaders.append(contentsOf: repeatElement(-1, count: compiled.graph.resources.count - first))
    try bringToLife(from: first)
  }
}

extension Diagnostic {
  fileprivate func asWarning(note: String) -> Diagnostic {
    var warning = self
    warning.severity = .warning
    warning.notes.append(note)
    return warning
  }
}
