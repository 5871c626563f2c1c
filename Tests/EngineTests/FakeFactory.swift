// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Graph
import Reactor
import Values

/// Kinds without a machine behind them: what happens to each resource follows its script, and every call is written down, in order.
final class FakeFactory: InstanceFactory {
  /// How a check ends.
  enum End { case ok, changed, differs, failed, cancelled, held }
  enum Update { case updated, recreate, refused }

  /// What resources of one name do.
  struct Script {
    /// The ends of the next checks, then `always`. A held one ends when told, by `finish`.
    var ends: [End] = []
    var always = End.ok
    /// So many times the watch cannot be armed.
    var watchFailures = 0
    /// Armed only when told, by `ready`.
    var holdsReady = false
    var makeFailures = 0
    /// What the system said when checks fail, or it cannot be made.
    var systemError: Int32 = 0
    var leadFailures = 0
    /// What the next updates answer, then: updated.
    var updates: [Update] = []
    /// Cancelled checks end so.
    var cancelledEnd = End.cancelled
    /// nil: by default each kind sends its parameters of the same names.
    var sends: (([Value]) -> [Value]?)?
    /// Space and key, of its parameters.
    var identities: ([Value]) -> [(space: String, key: String)] = { _ in [] }
    var wishes: ([Value]) -> [(space: String, key: String)] = { _ in [] }
    /// The key of its primary identity.
    var primary: ([Value]) -> String? = { _ in nil }
    var mayLead: (String) -> Bool = { _ in true }
    var isInvalid: ([Value]) -> Bool = { _ in false }
    /// What each check says: to the log, as its progress, as changes, and, when it fails, as its reason.
    var says: (([Value]) -> (text: String, changes: [Change]))?
    /// Of what it sends, the fields it marks as secret.
    var marks: Set<Int> = []
  }

  let reactor: Reactor
  var scripts: [String: Script] = [:]
  /// A verb, a name, and more.
  var calls: [String] = []
  /// Rules of `ResourceInstance` that were broken.
  var violations: [String] = []
  var reversals: [ResourceID: Resource] = [:]
  var reversalWarnings: [Diagnostic] = []
  /// By name, of those that are watched.
  var watched: [String: FakeInstance] = [:]
  var running: [String: FakeInstance] = [:]
  /// Preparations end when told, by `endPreparations`.
  var holdsPreparations = false
  private var preparations: [([Diagnostic]) -> Void] = []
  var made = 0
  var destroyed = 0

  init(reactor: Reactor) { self.reactor = reactor }

  func script(_ name: String, _ change: (inout Script) -> Void) { change(&scripts[name, default: Script()]) }

  func note(_ call: String) { calls.append(call) }

  // MARK: Kinds

  static let parameters: [KindSchema.Parameter] = [
    .init(name: "text", type: .string), .init(name: "number", type: .int),
    .init(name: "choice", type: .string, isIdentity: true, choices: ["x", "y"]), .init(name: "any", type: .any),
  ]

  private static let kinds: [String: KindTraits] = [
    "thing": [], "plain": [], "group": .leads, "group:part": [], "edged": [.identifies, .wishes],
    "prepared": [.identifies, .wishes, .prepares], "reversible": .reverses,
    "reversible-group": [.reverses, .leads], "comparing": .compares, "secretive": [],
  ]

  private static let schemas = Dictionary(
    uniqueKeysWithValues: kinds.keys.map { kind in
      var parameters = parameters
      parameters[0].isSecret = kind == "secretive"
      return (kind, KindSchema(name: kind, parameters: parameters, sends: parameters, isRefreshable: kind != "plain"))
    })

  var kindNames: [String] { Self.kinds.keys.sorted() }
  func schema(of kind: String) -> KindSchema? { Self.schemas[kind] }
  func traits(of kind: String) -> KindTraits { Self.kinds[kind] ?? [] }

  func validate(_ resource: Resource) -> Diagnostic? {
    guard scripts[resource.id.name]?.isInvalid(resource.parameters) == true else { return nil }
    let text = scripts[resource.id.name]?.says?(resource.parameters).text
    return Diagnostic("test.invalid", "it is not valid\(text.map { ": " + $0 } ?? "")", resource: resource.id.description)
  }

  func make(_ resource: Resource, owner: any InstanceOwner) throws(MgmtError) -> any ResourceInstance {
    let name = resource.id.name
    if let failures = scripts[name]?.makeFailures, failures > 0 {
      scripts[name]?.makeFailures = failures - 1
      note("no make \(name)")
      var reason = Diagnostic("test.make", "it cannot be made")
      reason.systemError = scripts[name]?.systemError ?? 0
      throw MgmtError(reason)
    }
    note("make \(name)")
    made += 1
    return FakeInstance(resource, factory: self, owner: owner)
  }

  func prepare(_ kinds: [String], forEdges: Bool, done: @escaping ([Diagnostic]) -> Void) {
    note("prepare \(kinds.joined(separator: " "))\(forEdges ? " for edges" : "")")
    if holdsPreparations { preparations.append(done) } else { done([]) }
  }

  /// What there is to say when what was written is brought to the disk.
  var settlingProblems: [Diagnostic] = []

  func settle(_ kinds: [String], done: @escaping ([Diagnostic]) -> Void) {
    let problems = settlingProblems
    reactor.addTimer(afterMilliseconds: 0) { done(problems) }
  }

  /// Also of graphs that are not to come in any more.
  func endPreparations(_ warnings: [Diagnostic] = []) {
    let all = preparations
    preparations = []
    for done in all { done(warnings) }
  }

  func pendingReversals() -> PendingReversals {
    var pending = PendingReversals()
    pending.resources = reversals.values.sorted { $0.id.name < $1.id.name }
    pending.warnings = reversalWarnings
    return pending
  }

  func forgetReversal(of id: ResourceID) {
    note("forget \(id.name)")
    reversals[id] = nil
  }

  // MARK: What the world does

  func event(_ name: String) {
    guard let instance = watched[name] else { return violations.append("\(name) is not watched") }
    instance.owner?.event(instance.place)
  }

  /// A watch that was held is armed.
  func ready(_ name: String) {
    guard let instance = watched[name] else { return violations.append("\(name) is not watched") }
    instance.owner?.ready(instance.place)
  }

  func breakWatch(_ name: String) {
    guard let instance = watched[name] else { return violations.append("\(name) is not watched") }
    instance.owner?.watchFailed(instance.place, Diagnostic("test.watch", "its watch broke"))
  }

  /// Ends a check that was held.
  func finish(_ name: String, _ end: End = .ok) {
    guard let instance = running[name] else { return violations.append("\(name) is not being checked") }
    instance.end(end)
  }
}
