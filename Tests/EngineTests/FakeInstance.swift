// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Graph
import Reactor
import Values

/// A resource of a fake kind. It also looks that the engine keeps the rules of `ResourceInstance`.
final class FakeInstance: ResourceInstance {
  var place = Place(slot: -1)
  let id: ResourceID
  private(set) var parameters: [Value]
  private(set) weak var owner: (any InstanceOwner)?
  private let factory: FakeFactory
  private(set) var members: [FakeInstance] = []
  private var isWatching = false
  private var isRunning = false
  private var isDestroyed = false
  private(set) var checkCount = 0

  init(_ resource: Resource, factory: FakeFactory, owner: any InstanceOwner) {
    id = resource.id
    parameters = resource.parameters
    self.factory = factory
    self.owner = owner
  }

  private var name: String { id.name }
  private var script: FakeFactory.Script { factory.scripts[name] ?? .init() }

  private func must(_ holds: Bool, _ rule: String) {
    if !holds { factory.violations.append("\(name): \(rule)") }
  }

  private func later(_ body: @escaping () -> Void) { factory.reactor.addTimer(afterMilliseconds: 0, body) }

  // MARK: Watching

  func watch() throws(MgmtError) {
    must(!isDestroyed && !isWatching, "watched twice, or after its end")
    factory.note("watch \(name)")
    if script.watchFailures > 0 {
      factory.scripts[name]?.watchFailures -= 1
      throw MgmtError(Diagnostic("test.watch", "it cannot be watched"))
    }
    isWatching = true
    factory.watched[name] = self
    if !script.holdsReady { owner?.ready(place) }
  }

  func unwatch() {
    guard isWatching else { return }
    factory.note("unwatch \(name)")
    isWatching = false
    if factory.watched[name] === self { factory.watched[name] = nil }
  }

  // MARK: Checking

  func check(_ request: CheckRequest) {
    must(!isRunning, "checked twice at once")
    must(!isDestroyed, "checked after its end")
    isRunning = true
    factory.running[name] = self
    var words = ["check", name]
    if !request.apply { words.append("noop") }
    if request.refresh { words.append("refresh") }
    if request.recordsReversal { words.append("record") }
    factory.note(words.joined(separator: " "))
    if request.recordsReversal, factory.reversals[id] == nil {
      factory.reversals[id] = Resource(id: id, parameters: [.string("as before")] + parameters.dropFirst())
    }
    let end = script.ends.isEmpty ? script.always : script.ends[0]
    if !script.ends.isEmpty { factory.scripts[name]?.ends.removeFirst() }
    checkCount += 1
    if end != .held { endLater(end) }
  }

  private func endLater(_ end: FakeFactory.End) {
    let number = checkCount
    later { [self] in
      if isRunning, checkCount == number { self.end(end) }
    }
  }

  func end(_ end: FakeFactory.End) {
    guard end != .held else { return }
    isRunning = false
    factory.running[name] = nil
    factory.note("end \(name) \(end)")
    let said = script.says?(parameters)
    let status: CheckOutcome.Status =
      switch end {
      case .ok, .held: .ok
      case .changed: .changed
      case .differs: .differs
      case .cancelled: .cancelled
      case .failed: .failed(failure(said?.text))
      }
    var outcome = CheckOutcome(status, changes: said?.changes ?? [])
    if let said {
      owner?.log(place, .info, said.text)
      owner?.progress(place, permille: 1, text: said.text)
    }
    if end == .ok || end == .changed || end == .differs { outcome.sent = sent() }
    owner?.checkEnded(place, outcome)
  }

  private func failure(_ words: String?) -> Diagnostic {
    var reason = Diagnostic("test.failed", "\(name) failed\(words.map { ": " + $0 } ?? "")")
    reason.systemError = script.systemError
    return reason
  }

  private func sent() -> [SentValues] {
    let values = script.sends.map { $0(parameters) } ?? parameters
    return (values.map { [SentValues(part: place.part, fields: $0, secret: script.marks)] } ?? [])
      + members.flatMap { $0.sent() }
  }

  func cancelCheck() {
    factory.note("cancel \(name)")
    must(isRunning, "cancelled while it does not run")
    if script.cancelledEnd != .held { endLater(script.cancelledEnd) }
  }

  func destroy() {
    must(!isRunning, "ended while it was checked")
    must(!isWatching, "ended while it was watched")
    must(!isDestroyed, "ended twice")
    factory.note("destroy \(name)")
    factory.destroyed += 1
    isDestroyed = true
  }

  // MARK: Edges, groups, received values

  func identities(_ body: (Identity) -> Void) {
    factory.note("identities \(name)")
    for identity in script.identities(parameters) {
      withBytes(identity.space, identity.key) { body(Identity(space: $0, key: $1, isPrimary: false)) }
    }
    if let key = script.primary(parameters) {
      withBytes("thing", key) { body(Identity(space: $0, key: $1, isPrimary: true)) }
    }
  }

  func wishes(_ body: (Wish) -> Void) {
    factory.note("wishes \(name)")
    for wish in script.wishes(parameters) {
      withBytes(wish.space, wish.key) { body(Wish(space: $0, key: $1, isAfterMe: false, notify: false, group: 0)) }
    }
  }

  private func withBytes(_ a: String, _ b: String, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
    Array(a.utf8).withUnsafeBytes { a in Array(b.utf8).withUnsafeBytes { b in body(a, b) } }
  }

  /// To this kind upper and lower case are the same.
  func isSame(as other: any ResourceInstance) -> Bool? {
    guard let other = other as? FakeInstance else { return nil }
    return parameters.first?.stringValue?.lowercased() == other.parameters.first?.stringValue?.lowercased()
  }

  func mayLead(_ member: any ResourceInstance) -> Bool {
    guard let member = member as? FakeInstance else { return false }
    factory.note("mayLead \(name) \(member.name)")
    return script.mayLead(member.name)
  }

  func lead(_ member: any ResourceInstance) throws(MgmtError) {
    guard let member = member as? FakeInstance else { return }
    must(!isDestroyed && !member.isDestroyed, "leads, or is led, after its end")
    if script.leadFailures > 0 {
      factory.scripts[name]?.leadFailures -= 1
      throw MgmtError(Diagnostic("test.lead", "\(name) does not lead \(member.name)"))
    }
    factory.note("lead \(name) \(member.name)")
    members.append(member)
  }

  func update(_ parameters: [Value], changed: [Bool]) throws(MgmtError) -> UpdateResult {
    must(!isRunning && !isDestroyed, "updated while it was checked, or after its end")
    let names = zip(FakeFactory.parameters, changed).filter(\.1).map(\.0.name)
    factory.note("update \(name) \(names.joined(separator: ","))")
    let answer = script.updates.first ?? .updated
    if !script.updates.isEmpty { factory.scripts[name]?.updates.removeFirst() }
    switch answer {
    case .recreate: return .recreate
    case .refused: throw MgmtError(Diagnostic("test.update", "the values are refused"))
    case .updated:
      self.parameters = parameters
      return .updated
    }
  }
}
