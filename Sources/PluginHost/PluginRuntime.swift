// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Engine
public import Graph
import PluginABI
public import Reactor
public import Values

/// The runtime that plugins' calls without a host argument belong to: one process runs one.
enum CurrentRuntime {
  // Set by the runtime's initialiser, before any plugin is loaded, and never changed while one runs.
  nonisolated(unsafe) static var shared: RuntimeShared?
}

/// Brings resources to life in their plugins: loads a plugin when its first resource comes, opens its kinds, and passes on what
/// plugins and engine have to say to each other. Made and used on the reactor's thread.
public final class PluginRuntime: InstanceFactory {
  let reactor: Reactor
  let shared: RuntimeShared
  let registry: PluginRegistry
  weak var owner: (any InstanceOwner)?
  var briefChecks = BriefChecks()
  let arena = ValueArena()
  private var contexts: [String: PluginContext] = [:]
  private var kinds: [String: OpenKind] = [:]
  private var instances: [UInt: BridgedInstance] = [:]
  private var nextInstance: UInt = 1
  /// Milliseconds that threads have to end.
  private static let threadPatience: UInt64 = 1000
  private var preparations: [KindPreparation] = []
  private var settlement: KindSettlement?
  /// Reversals there was something to say about.
  private var reported: Set<ResourceID> = []

  public init(
    reactor: Reactor, registry: PluginRegistry, hostname: String, version: String, stateDirectory: StateDirectory,
    showsSecrets: Bool = false
  ) {
    self.reactor = reactor
    self.registry = registry
    shared = RuntimeShared(
      reactor: reactor, hostname: hostname, version: version, stateDirectory: stateDirectory, showsSecrets: showsSecrets)
    CurrentRuntime.shared = shared
    let mailbox = reactor.makeMailbox { [unowned self] in handle($0) }
    shared.connect(mailbox) { [unowned self] in handle($0) }
  }

  // MARK: Catalogue

  public func schema(of kind: String) -> KindSchema? { registry.schema(of: kind) }
  public var kindNames: [String] { registry.kindNames }
  public var absentKinds: [String: KindAbsence] { registry.absentKinds }

  public func traits(of kind: String) -> KindTraits {
    do throws(MgmtError) {
      return try open(kind).traits
    } catch {
      return []
    }
  }

  // MARK: Preparing

  private static let preparationSeconds = 30

  public func prepare(_ names: [String], forEdges: Bool, done: @escaping ([Diagnostic]) -> Void) {
    let preparation = KindPreparation(forEdges: forEdges, done)
    preparations.append(preparation)
    preparation.limit(
      reactor.addTimer(afterMilliseconds: UInt64(Self.preparationSeconds) * 1000) { [unowned self] in
        preparation.giveUp(after: Self.preparationSeconds)
        preparations.removeAll { $0.isDone }
      })
    for name in names {
      guard let kind = kinds[name] else { continue }
      let call = shared.calls.add { number in
        CallState(
          id: number, instance: 0, resource: name, context: kind.context, kind: kind.table, object: kind.shared,
          request: CheckRequest(apply: false, refresh: false, wantsDiff: false), schema: kind.schema,
          method: .prepare(kind: name, forEdges: forEdges)
        ) { error, without in
          .failed(error.diagnostic("plugin.prepare", resource: name, origin: nil, without: without))
        }
      }
      preparation.add(call)
      kind.context.onReactor("prepare", call.run)
    }
    preparation.complete()
    preparations.removeAll { $0.isDone }
  }

  private func prepared(kind: String, _ id: UInt, _ status: CheckOutcome.Status) {
    for preparation in preparations where preparation.ended(id, kind: kind, status) { break }
    preparations.removeAll { $0.isDone }
  }

  // MARK: Settling

  public func settle(_ names: [String], done: @escaping ([Diagnostic]) -> Void) {
    let settling = names.compactMap { kinds[$0] }.filter { $0.table.pointee.settle != nil }
    guard !settling.isEmpty else { return done([]) }
    let settlement = KindSettlement(done)
    self.settlement = settlement
    for kind in settling {
      let name = kind.schema.name
      let call = shared.calls.add { number in
        CallState(
          id: number, instance: 0, resource: name, context: kind.context, kind: kind.table, object: kind.shared,
          request: CheckRequest(apply: false, refresh: false, wantsDiff: false), schema: kind.schema, method: .settle
        ) { error, without in
          .failed(error.diagnostic("plugin.settle", resource: name, origin: nil, without: without))
        }
      }
      settlement.add(call.id, kind.context)
      reactor.submit(call, to: .checks)
    }
  }

  private func settled(_ id: UInt, _ status: CheckOutcome.Status) {
    guard let settlement, settlement.ended(id, status) else { return }
    self.settlement = nil
    settlement.finish()
  }

  // MARK: Reversals

  public func pendingReversals() -> PendingReversals {
    var pending = PendingReversals()
    let (records, warnings) = shared.reversals.pending()
    pending.warnings = warnings
    for record in records {
      guard let schema = schema(of: record.resource.kind) else {
        if reported.insert(record.id).inserted {
          pending.warnings.append(
            Diagnostic(
              "reversal.kind", severity: .warning, "what \(record.id) had changed cannot be put back: its kind is not here",
              resource: record.id.description, hint: "install its plugin: `mgmt plugins list` shows those there are"))
        }
        continue
      }
      let (resource, unknown) = record.makeResource(schema)
      if !unknown.isEmpty, reported.insert(record.id).inserted {
        pending.warnings.append(
          Diagnostic(
            "reversal.parameters", severity: .warning,
            "\(record.id) is put back without \(unknown.joined(separator: ", ")): its kind does not have them any more",
            resource: record.id.description))
      }
      pending.resources.append(resource)
    }
    return pending
  }

  public func forgetReversal(of id: ResourceID) { shared.reversals.forget(id) }

  // MARK: Factory

  public func validate(_ resource: Resource) -> Diagnostic? {
    do throws(MgmtError) {
      let kind = try open(resource.id.kind)
      guard let validate = kind.table.pointee.validate else { return nil }
      let error = ErrorBox()
      let status = resource.id.name.withABI { name in
        arena.lend(resource.parameters) { parameters in
          kind.context.calling("validate", resource.id) { validate(kind.table, name, parameters, error.pointer) }
        }
      }
      guard status != mgmt_status(MGMT_OK) else { return nil }
      return error.diagnostic(
        "resource.invalid", resource: resource.id.description, origin: resource.origin,
        without: "the plugin refused it and did not say why")
    } catch {
      return error.diagnostics.first
    }
  }

  public func make(
    _ resource: Resource, owner: any InstanceOwner
  ) throws(MgmtError) -> any ResourceInstance {
    self.owner = owner
    let kind = try open(resource.id.kind)
    let id = nextInstance
    nextInstance += 1
    shared.setInfo(id, InstanceInfo(kind: resource.id.kind, name: resource.id.name))
    let error = ErrorBox()
    var object: UnsafeMutableRawPointer?
    let status = kind.context.onReactor("create", resource.id) {
      resource.id.name.withABI { name in
        arena.lend(resource.parameters) { kind.table.pointee.create(kind.shared, id.pointer, name, $0, &object, error.pointer) }
      }
    }
    guard status == mgmt_status(MGMT_OK) else {
      shared.setInfo(id, nil)
      throw MgmtError(
        error.diagnostic(
          "resource.create", resource: resource.id.description, origin: resource.origin,
          without: "the plugin could not make it and did not say why"))
    }
    let instance = BridgedInstance(id: id, resource: resource, kind: kind, object: object, runtime: self)
    instances[id] = instance
    return instance
  }

  func forget(_ instance: BridgedInstance) {
    instances[instance.id] = nil
    shared.setInfo(instance.id, nil)
  }

  func open(_ name: String) throws(MgmtError) -> OpenKind {
    if let kind = kinds[name] { return kind }
    let loaded = try registry.load(kind: name)
    let context = try initialise(loaded)
    var state: UnsafeMutableRawPointer?
    if let open = loaded.kind.pointee.open {
      let error = ErrorBox()
      let status = context.onReactor("open", kind: name) {
        open(loaded.kind, context.state, context.table, &state, error.pointer)
      }
      guard status == mgmt_status(MGMT_OK) else {
        throw MgmtError(
          error.diagnostic(
            "plugin.open", resource: name, origin: nil,
            without: "the plugin could not start the kind \"\(name)\" and did not say why"))
      }
    }
    let kind = OpenKind(context: context, table: loaded.kind, schema: loaded.schema, shared: state)
    kinds[name] = kind
    return kind
  }

  private func initialise(_ loaded: LoadedKind) throws(MgmtError) -> PluginContext {
    let key = loaded.plugin.path
    if let context = contexts[key] { return context }
    let context = PluginContext(name: loaded.plugin.descriptor.name, runtime: shared)
    if let initialise = loaded.plugin.table.pointee.`init` {
      let error = ErrorBox()
      let status = context.onReactor("init") { initialise(context.table, &context.state, error.pointer) }
      guard status == mgmt_status(MGMT_OK) else {
        throw MgmtError(
          error.diagnostic(
            "plugin.init", resource: context.name, origin: nil,
            without: "the plugin \"\(context.name)\" did not start and did not say why"))
      }
    }
    context.deinitialise = loaded.plugin.table.pointee.deinit
    contexts[key] = context
    return context
  }

  /// Ends every kind and plugin; the engine has ended its resources before.
  public func close() {
    // Threads that watch have been asked to end. What still runs then keeps what it uses until the process ends; the children of all are
    // killed.
    var isLate = false
    let timer = reactor.addTimer(afterMilliseconds: Self.threadPatience) { isLate = true }
    while !isLate, instances.values.contains(where: \.isWatchedByThread) {
      guard (try? reactor.runOnce()) != nil else { break }
    }
    timer.cancel()
    let inUse = instances.values.filter(\.isInUse).map(\.context) + (settlement?.contexts ?? [])
    let busy = Set(inUse.map { ObjectIdentifier($0) })
    for (name, kind) in kinds where !busy.contains(ObjectIdentifier(kind.context)) {
      kind.context.calling("close", kind: name) { kind.table.pointee.close?(kind.shared) }
    }
    for context in contexts.values {
      let left = shared.sources.removeAll(of: context)
      guard !busy.contains(ObjectIdentifier(context)) else { continue }
      if left > 0 { context.misbehaved("\(left) sources were left behind at the end") }
      context.calling("deinit") { context.deinitialise?(context.state) }
    }
    kinds = [:]
    contexts = [:]
  }

  // MARK: What plugins say

  private func handle(_ message: RuntimeMessage) {
    switch message {
    case .ready(let id): instances[id]?.becameReady()
    case .event(let id): instances[id]?.eventCame()
    case .watchFailed(let id, let error): instances[id]?.watchBroke(error)
    case .progress(let id, let permille, let text):
      if let instance = instances[id] { owner?.progress(instance.place, permille: permille, text: text) }
    case .checkEnded(let id, let outcome, let sent): checkEnded(id, outcome, sent)
    case .log(let id, let level, let text): owner?.log(id.flatMap { instances[$0]?.place }, level, text)
    case .watchThreadEnded(let id, let error, let wasCancelled):
      instances[id]?.threadEnded(error, wasCancelled: wasCancelled)
    case .prepared(let kind, let id, let status): prepared(kind: kind, id, status)
    case .settled(let id, let status): settled(id, status)
    case .spawn(let id): shared.sources.source(id)?.start(on: reactor)
    }
  }

  private func checkEnded(_ id: UInt, _ outcome: CheckOutcome, _ sent: [UInt: SentFields]) {
    guard let instance = instances[id] else { return }
    guard instance.checkEnded() else { return }
    var outcome = outcome
    for (number, fields) in sent {
      guard let sender = instances[number], sender.place.slot == instance.place.slot else {
        instance.context.misbehaved("it sent for a resource that is not in the group of the check", resource: instance.name)
        continue
      }
      outcome.sent.append(SentValues(part: sender.place.part, fields: fields.values, secret: fields.secret))
    }
    owner?.checkEnded(instance.place, outcome)
  }
}
