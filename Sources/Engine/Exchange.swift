// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
public import Values

/// Send and receive: values that a check of one resource makes known and that are parameters of others.
extension Engine {
  enum Receiving {
    /// The check may begin.
    case ready
    /// Another instance takes its place; it is checked once its watch is armed.
    case recreated
    case failed(Diagnostic)
  }

  /// Remembers who receives from whom, after a graph came in. A resource that receives something else than before is a new one, and so is
  /// due anyhow.
  func connect(_ compiled: CompiledGraph, _ places: [Place]) {
    receivers = [:]
    for (position, receptions) in compiled.receptions {
      for reception in receptions { receivers[reception.sender, default: []].append(places[position]) }
    }
  }

  /// A check of a resource made values known. Those that receive something new are due.
  func sent(_ values: [SentValues], from slot: Int) {
    for sent in values {
      guard let id = entries[slot]?[sent.part]?.resource.id else { continue }
      if entries[slot]?[sent.part]?.exchange == nil { entries[slot]?[sent.part]?.exchange = Exchange() }
      entries[slot]?[sent.part]?.exchange?.sent = sent.fields
      if let part = entries[slot]?[sent.part] { part.exchange?.secretFields = secretFields(sent, from: part) }
      for place in receivers[id] ?? [] where isNews(sent.fields, from: id, to: place) {
        noteDirty(place.slot)
        scheduler.received(place.slot, now: milliseconds())
      }
    }
  }

  private func isNews(_ fields: [Value], from sender: ResourceID, to place: Place) -> Bool {
    guard let part = entries[place.slot]?[place.part], let exchange = part.exchange else { return false }
    // The good value it has may come back.
    if exchange.isRefused { return exchange.receptions.contains { $0.sender == sender } }
    let parameters = exchange.parameters.isEmpty ? part.resource.parameters : exchange.parameters
    return exchange.receptions.contains { reception in
      reception.sender == sender && fields.indices.contains(reception.field)
        && parameters.indices.contains(reception.parameter) && parameters[reception.parameter] != fields[reception.field]
    }
  }

  /// Before each check: pulls what was sent into the parameters, members of the group first.
  func receive(_ slot: Int) -> Receiving {
    guard let entry = entries[slot], entry.leader.exchange != nil || entry.members.contains(where: { $0.exchange != nil })
    else {
      return .ready
    }
    var mustRecreate = entry.leader.instance == nil
    for number in (0..<entry.partCount).reversed() {
      guard let part = entry[number], let exchange = part.exchange, !exchange.receptions.isEmpty else { continue }
      if exchange.parameters.isEmpty {
        exchange.parameters = part.resource.parameters
        exchange.changed = [Bool](repeating: false, count: exchange.parameters.count)
      }
      let previous = exchange.parameters
      do throws(MgmtError) {
        let secretsBefore = exchange.secretParameters
        let hasNews = try pull(part, exchange)
        if !exchange.secretParameters.isEmpty || !secretsBefore.isEmpty { updateSecrets(slot: slot, part: number) }
        exchange.isRefused = false
        guard hasNews || exchange.hasChanges else { continue }
        if try hand(part, exchange, isNew: hasNews) == .recreate, hasNews { mustRecreate = true }
      } catch {
        // What is refused is not what it has: the same value is tried again at the next check.
        exchange.parameters = previous
        exchange.isRefused = true
        return .failed(error.diagnostics.first ?? Diagnostic("receive", "a received value was refused"))
      }
    }
    return mustRecreate ? recreate(slot) : .ready
  }

  /// Whether there was anything new.
  private func pull(_ part: Part, _ exchange: Exchange) throws(MgmtError) -> Bool {
    let id = part.resource.id
    var hasNews = false
    for reception in exchange.receptions {
      guard let place = place(of: reception.sender, isHidden: false),
        let exchangeOfSender = entries[place.slot]?[place.part]?.exchange, let sent = exchangeOfSender.sent
      else {
        throw MgmtError(
          Diagnostic(
            "receive.nothing", "received nil value from: \(reception.sender)", resource: id.description,
            labels: part.resource.origin.map { [.init($0)] } ?? [],
            notes: ["\(reception.parameterName) takes its value from \(reception.fieldName), which was not sent."],
            hint: "a kind must send in every check that succeeds: this is a fault of the plugin of \(reception.sender.kind)"))
      }
      guard sent.indices.contains(reception.field), exchange.parameters.indices.contains(reception.parameter) else { continue }
      let value = sent[reception.field]
      if exchangeOfSender.secretFields.contains(reception.field) {
        exchange.secretParameters.insert(reception.parameter)
      } else {
        exchange.secretParameters.remove(reception.parameter)
      }
      let isFirst = exchange.received.insert(reception.parameter).inserted
      guard exchange.parameters[reception.parameter] != value else {
        if isFirst { exchange.changed[reception.parameter] = true }
        continue
      }
      try check(value, reception, part)
      exchange.parameters[reception.parameter] = value
      exchange.changed[reception.parameter] = true
      hasNews = true
      onEvent(
        .received(from: reception.sender, field: reception.fieldName, to: id, parameter: reception.parameterName))
    }
    return hasNews
  }

  private func check(_ value: Value, _ reception: Reception, _ part: Part) throws(MgmtError) {
    guard let parameter = factory.schema(of: part.resource.id.kind)?.parameters[reception.parameter] else { return }
    func refuse(_ title: String, hint: String) -> MgmtError {
      MgmtError(
        Diagnostic(
          "receive.type", title, resource: part.resource.id.description,
          labels: part.resource.origin.map { [.init($0)] } ?? [],
          notes: ["it was sent as \(reception.fieldName) by \(reception.sender)"], hint: hint))
    }
    guard parameter.type.admits(value) else {
      throw refuse(
        "\(parameter.name): the received value is not of type \(parameter.type)",
        hint: "receive it into a parameter of its type, or send a \(parameter.type)")
    }
    if let text = value.stringValue, !parameter.choices.isEmpty, !parameter.choices.contains(text) {
      throw refuse(
        "\(parameter.name): the received value is none of the choices",
        hint: "send one of " + parameter.choices.map(Value.quote).joined(separator: ", "))
    }
  }

  /// Validates the parameters and gives them to the instance.
  private func hand(_ part: Part, _ exchange: Exchange, isNew: Bool) throws(MgmtError) -> UpdateResult {
    var resource = part.resource
    resource.parameters = exchange.parameters
    if isNew, var refusal = factory.validate(resource) {
      refusal.notes.append("with the values it received")
      throw MgmtError(refusal)
    }
    guard let instance = part.instance else { return .updated }
    return try instance.update(exchange.parameters, changed: exchange.changed)
  }

  /// Makes the instances of a vertex anew, with what was received.
  func recreate(_ slot: Int) -> Receiving {
    guard var entry = entries[slot] else { return .ready }
    entry.leader.instance?.unwatch()
    entry.forEachInstance { $0.destroy() }
    for number in 0..<entry.partCount { entry[number]?.instance = nil }
    do throws(MgmtError) {
      for number in 0..<entry.partCount {
        guard let part = entry[number] else { continue }
        var resource = part.resource
        if let exchange = part.exchange, !exchange.parameters.isEmpty { resource.parameters = exchange.parameters }
        let instance = try factory.make(resource, owner: self)
        instance.place = Place(slot: slot, part: number)
        entry[number]?.instance = instance
      }
      for number in (1..<entry.partCount).reversed() {
        guard let part = entry[number], let member = part.instance else { continue }
        try entry[part.leader]?.instance?.lead(member)
      }
    } catch {
      // Half a group is none: the next check begins with making it whole.
      entry.forEachInstance { $0.destroy() }
      for number in 0..<entry.partCount { entry[number]?.instance = nil }
      entries[slot] = entry
      return .failed(error.diagnostics.first ?? Diagnostic("receive", "it cannot be made with the values it received"))
    }
    entries[slot] = entry
    return .recreated
  }

  /// A check succeeded: what was received is not new any more.
  func forgetChanges(_ slot: Int) {
    guard let entry = entries[slot], entry.leader.exchange != nil || !entry.members.isEmpty else { return }
    for number in 0..<entry.partCount {
      guard let exchange = entry[number]?.exchange, exchange.hasChanges else { continue }
      exchange.changed = [Bool](repeating: false, count: exchange.changed.count)
    }
  }
}

/// What one resource of a vertex sent.
public struct SentValues: Sendable {
  /// Its number in the vertex; 0: the leader.
  public var part: Int
  /// In the order of what its kind sends.
  public var fields: [Value]
  /// Those of them that the plugin says are secret.
  public var secret: Set<Int>

  public init(part: Int, fields: [Value], secret: Set<Int> = []) {
    self.part = part
    self.fields = fields
    self.secret = secret
  }
}
