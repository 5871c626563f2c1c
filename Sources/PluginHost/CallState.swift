// SPDX-License-Identifier: Apache-2.0

import Engine
import Glibc
import PluginABI
import Reactor
import Synchronization
import Values

/// One check of one resource, from the engine's request to its outcome. The plugin knows it by a number, so that a number that
/// is used after its end is noticed.
final class CallState: Job, @unchecked Sendable {
  // Everything mutable is in `state`; the pointers are the plugin's own and go back to the plugin only.
  let id: UInt
  let instance: UInt
  let resource: String
  private let context: PluginContext
  private let kind: UnsafePointer<mgmt_kind>
  private let object: UnsafeMutableRawPointer?
  private let request: CheckRequest
  private let schema: KindSchema
  private let recordReversal: (@Sendable () -> CheckOutcome.Status?)?
  private let method: Method

  /// What of the plugin it runs.
  enum Method: Sendable {
    case checkApply
    /// Of a kind, not of a resource.
    case prepare(kind: String, forEdges: Bool)
    case settle
  }
  private let describe: @Sendable (ErrorBox, String) -> CheckOutcome.Status
  let error = ErrorBox()
  private let started = monotonicNow()
  private let state = Mutex<State>(State())

  private struct State {
    enum Phase { case running, pending, ended }
    var phase = Phase.running
    /// `complete` came before check_apply returned.
    var early: mgmt_status?
    var changes: [Change] = []
    /// Changes there was no room for.
    var unlisted = 0
    /// By the numbers of the resources.
    var sent: [UInt: SentFields] = [:]
    var isCancelled = false
    var cancelFD: Int32 = -1
  }

  private static let maximumChanges = 10_000

  init(
    id: UInt, instance: UInt, resource: String, context: PluginContext, kind: UnsafePointer<mgmt_kind>,
    object: UnsafeMutableRawPointer?, request: CheckRequest, schema: KindSchema,
    recordReversal: (@Sendable () -> CheckOutcome.Status?)? = nil, method: Method = .checkApply,
    describe: @escaping @Sendable (ErrorBox, String) -> CheckOutcome.Status
  ) {
    self.id = id
    self.instance = instance
    self.resource = resource
    self.context = context
    self.kind = kind
    self.object = object
    self.request = request
    self.schema = schema
    self.recordReversal = recordReversal
    self.method = method
    self.describe = describe
  }

  deinit {
    let fd = state.withLock { $0.cancelFD }
    if fd >= 0 { close(fd) }
  }

  /// It writes down how to put back what it is about to change: that is for a worker.
  var recordsReversal: Bool { recordReversal != nil }

  /// On a worker, or on the reactor for kinds that never block.
  func run() {
    if let recordReversal, let failure = recordReversal() { return end(with: failure) }
    let status = call(0)
    guard status != mgmt_status(MGMT_LATER) else {
      context.misbehaved("check_apply answered MGMT_LATER without MGMT_CHECK_BRIEF", resource: resource)
      return end(mgmt_status(MGMT_FAILED))
    }
    finish(status)
  }

  /// On the reactor. False: it may take long, `run` it on a worker.
  func runBriefly() -> Bool {
    let status = call(UInt32(MGMT_CHECK_BRIEF))
    guard status != mgmt_status(MGMT_LATER) else { return false }
    finish(status)
    return true
  }

  private func call(_ more: UInt32) -> mgmt_status {
    if case .prepare(_, let forEdges) = method {
      let flags = forEdges ? UInt32(MGMT_PREPARE_EDGES) : 0
      return context.calling("prepare", name: resource) {
        kind.pointee.prepare?(object, OpaquePointer(bitPattern: id), flags, error.pointer) ?? mgmt_status(MGMT_OK)
      }
    }
    if case .settle = method {
      return context.calling("settle", name: resource) {
        kind.pointee.settle?(object, OpaquePointer(bitPattern: id), error.pointer) ?? mgmt_status(MGMT_OK)
      }
    }
    var flags = more
    if request.apply { flags |= UInt32(MGMT_CHECK_APPLY) }
    if request.refresh { flags |= UInt32(MGMT_CHECK_REFRESH) }
    if request.wantsDiff { flags |= UInt32(MGMT_CHECK_WANT_DIFF) }
    return context.calling("check_apply", name: resource) {
      kind.pointee.check_apply(object, OpaquePointer(bitPattern: id), flags, error.pointer)
    }
  }

  private func finish(_ status: mgmt_status) {
    if status == mgmt_status(MGMT_PENDING) {
      let early = state.withLock { state -> mgmt_status? in
        if state.early == nil { state.phase = .pending }
        return state.early
      }
      if let early { end(early) }
      return
    }
    let wasCompleted = state.withLock { state in
      state.phase = .ended
      return state.early != nil
    }
    if wasCompleted {
      context.misbehaved("complete was called for a check that did not answer MGMT_PENDING", resource: resource)
    }
    end(status)
  }

  /// `host->complete`.
  func complete(_ status: mgmt_status) {
    enum Next { case end, wait, twice }
    let next = state.withLock { state -> Next in
      switch state.phase {
      case .pending:
        // Here and not when it is over: of completions at the same moment one is the first.
        state.phase = .ended
        return .end
      case .running where state.early == nil:
        state.early = status
        return .wait
      default: return .twice
      }
    }
    switch next {
    case .end: end(status)
    case .wait: break
    case .twice: context.misbehaved("a check was completed twice", resource: resource)
    }
  }

  private func end(_ status: mgmt_status) {
    let cancelled = state.withLock { $0.isCancelled }
    end(with: outcomeStatus(status, cancelled: cancelled))
  }

  private func end(with status: CheckOutcome.Status) {
    let (changes, unlisted, sent) = state.withLock { state in
      state.phase = .ended
      return (state.changes, state.unlisted, state.sent)
    }
    if unlisted > 0 { context.runtime.tell(.log(instance, .info, "\(unlisted) more changes are not listed")) }
    context.runtime.calls.end(self, context)
    switch method {
    case .prepare(let kind, _): context.runtime.tell(.prepared(kind: kind, id, status))
    case .settle: context.runtime.tell(.settled(id, status))
    case .checkApply:
      context.runtime.tell(
        .checkEnded(instance, CheckOutcome(status, changes: changes, duration: monotonicNow() - started), sent))
    }
  }

  private func outcomeStatus(_ status: mgmt_status, cancelled: Bool) -> CheckOutcome.Status {
    switch Int(status) {
    case MGMT_OK: return .ok
    case MGMT_CHANGED where request.apply: return .changed
    case MGMT_CHANGED:
      context.misbehaved("check_apply answered MGMT_CHANGED without MGMT_CHECK_APPLY", resource: resource)
      return .differs
    case MGMT_DIFFERS where !request.apply: return .differs
    case MGMT_CANCELLED where cancelled: return .cancelled
    case MGMT_FAILED: return describe(error, "the plugin failed without saying why")
    case MGMT_CANCELLED: return describe(error, "the plugin gave up without being asked to")
    case MGMT_UNSUPPORTED: return describe(error, "this cannot be done on this machine")
    case MGMT_DIFFERS: return describe(error, "the plugin found a difference and did not mend it")
    default:
      context.misbehaved("check_apply answered the unknown status \(status)", resource: resource)
      return describe(error, "the plugin answered the unknown status \(status)")
    }
  }

  /// `host->change`. Too many are counted, not kept.
  func add(_ change: Change) {
    state.withLock { state in
      if state.changes.count < Self.maximumChanges { state.changes.append(change) } else { state.unlisted += 1 }
    }
  }

  /// A value of `host->change`.
  func shown(_ value: UnsafePointer<mgmt_value>?, _ masksSecrets: Bool) -> Value {
    guard let value else { return .unset }
    do throws(StrangeValue) {
      return try Value(foreign: value.pointee, for: .shown(masksSecrets: masksSecrets))
    } catch {
      context.misbehaved("it reported \(error.words) as a change", resource: resource)
      return .string("(strange value)")
    }
  }

  /// `host->send` and `host->send_as`. False: refused.
  func send(as member: UInt?, _ value: mgmt_value) -> Bool {
    var values: [Value] = []
    do throws(StrangeValue) {
      if case .structure(let fields) = try Value(foreign: value, for: .sent) {
        values = zip(schema.sends, fields).map { $0.type.naming($1.value) }
      }
    } catch {
      context.misbehaved("it sent \(error.words)", resource: resource)
      return false
    }
    guard !values.isEmpty, values.count == schema.sends.count, zip(schema.sends, values).allSatisfy({ $0.type.admits($1) })
    else {
      context.misbehaved("what was sent is not what the kind says it sends", resource: resource)
      return false
    }
    state.withLock { $0.sent[member ?? instance] = SentFields(values: values, secret: value.secretFields) }
    return true
  }

  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// `host->cancel_fd`.
  func cancelDescriptor() -> Int32 {
    state.withLock { state in
      if state.cancelFD < 0 {
        state.cancelFD = makeEventDescriptor()
        if state.isCancelled { signalEventDescriptor(state.cancelFD) }
      }
      return state.cancelFD
    }
  }

  /// From the reactor.
  func cancel() {
    let isPending = state.withLock { state in
      state.isCancelled = true
      if state.cancelFD >= 0 { signalEventDescriptor(state.cancelFD) }
      return state.phase == .pending
    }
    // Preparing has no cancel: what comes later is not waited for.
    guard isPending, case .checkApply = method else { return }
    context.calling("cancel", name: resource) { kind.pointee.cancel?(object, OpaquePointer(bitPattern: id)) }
  }
}

/// What one resource sent.
struct SentFields: Sendable {
  var values: [Value]
  /// Positions of those the plugin marked as secret.
  var secret: Set<Int>
}
