// SPDX-License-Identifier: Apache-2.0

import CSystemd
import Glibc
import PluginKit

/// One connection to a bus, driven by the agent's reactor: nothing here waits. Everything is [reactor].
final class BusConnection {
  private let host: Host
  private var bus: OpaquePointer?
  private var source: Source?
  private var events: UInt32 = 0
  private var timer: Source?
  /// When the timer fires, in microseconds of the monotonic clock.
  private var deadline = UInt64.max
  private var pending: [ObjectIdentifier: PendingReply] = [:]
  private var unsent = CallQueue<(MethodCall, PendingReply)>()
  private var signals: [SignalHandler] = []
  private var isProcessing = false
  /// Called once when the connection is of no more use; not by `close`.
  private var onEnd: ((BusError) -> Void)?

  /// The bus allows one connection this many calls without an answer and some more: 128 by default.
  private static let mostPending = 64
  /// Messages handled before others in the reactor have their turn.
  private static let batch = 64

  init(host: Host, isSession: Bool) throws(BusError) {
    self.host = host
    let opened = isSession ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus)
    guard opened >= 0, bus != nil else { throw .connection(opened, "the bus cannot be reached") }
  }

  /// Begins to handle messages.
  func start(onEnd: @escaping (BusError) -> Void) throws(BusError) {
    self.onEnd = onEnd
    let fd = sd_bus_get_fd(bus)
    guard fd >= 0 else { throw .connection(fd, "the bus cannot be watched") }
    do throws(Failure) {
      source = try host.addFD(fd, events: 0) { [weak self] _ in self?.process() }
    } catch {
      throw BusError(name: "", message: error.message, isOfConnection: true)
    }
    rearm()
  }

  /// Without a word to those who wait for replies.
  func close() {
    onEnd = nil
    for reply in abandon() { reply.handler = nil }
    shut()
  }

  /// All who wait for an answer that will not come.
  private func abandon() -> [PendingReply] {
    Array(pending.values) + unsent.takeAll().map(\.1)
  }

  private func shut() {
    source?.delete()
    source = nil
    timer?.delete()
    timer = nil
    deadline = .max
    // Not while its messages are being handled: `process` comes back here.
    guard let bus, !isProcessing else { return }
    self.bus = nil
    sd_bus_close_unref(bus)
    pending = [:]
    signals = []
  }

  private func end(_ error: BusError) {
    let tell = onEnd
    onEnd = nil
    let waiting = abandon().compactMap { $0.take() }
    shut()
    for handler in waiting { handler(.failure(error)) }
    tell?(error)
  }

  // MARK: Calls and signals

  /// `reply` is called once, later, unless the connection is closed first. `overtakes`: all calls that are not sent yet.
  func call(
    _ call: MethodCall, seconds: UInt64 = 25, overtakes: Bool = false,
    reply: @escaping (Result<MessageReader, BusError>) -> Void
  ) {
    let reply = PendingReply(connection: self, handler: reply)
    let time = seconds * 1_000_000
    if overtakes || (pending.count < Self.mostPending && unsent.isEmpty) {
      send(call, within: time, reply)
      rearm()
    } else {
      unsent.append((call, reply), deadline: monotonicMicroseconds() + time)
    }
  }

  /// Not later than the first of those that were sent times out, so those that are not sent end with them.

  private func sendMore() {
    guard !unsent.isEmpty else { return }
    let now = monotonicMicroseconds()
    while pending.count < Self.mostPending, let ((call, reply), remaining) = unsent.takeFirst(now: now) {
      if remaining > 0 { send(call, within: remaining, reply) } else { fail(reply, .timedOut) }
    }
  }

  private func send(_ call: MethodCall, within time: UInt64, _ reply: PendingReply) {
    let result = queue(call, within: time, reply)
    if result >= 0 {
      pending[ObjectIdentifier(reply)] = reply
    } else {
      fail(reply, .system(result, "\(call.member) cannot be sent"))
    }
  }

  /// Not from within `call`: whoever calls is not ready for the answer yet.
  private func fail(_ reply: PendingReply, _ error: BusError) {
    host.soon { reply.take()?(.failure(error)) }
  }

  private func queue(_ call: MethodCall, within time: UInt64, _ reply: PendingReply) -> Int32 {
    guard let bus, onEnd != nil else { return -ENOTCONN }
    var created: OpaquePointer?
    var result = sd_bus_message_new_method_call(bus, &created, MethodCall.systemd, call.path, call.interface, call.member)
    guard result >= 0, let message = created else { return result < 0 ? result : -ENOMEM }
    defer { sd_bus_message_unref(message) }
    result = sd_bus_message_set_auto_start(message, 0)
    for argument in call.arguments where result >= 0 { result = argument.append(to: message) }
    guard result >= 0 else { return result }
    return sd_bus_call_async(
      bus, nil, message, { message, user, _ in PendingReply.arrived(message, user) },
      Unmanaged.passUnretained(reply).toOpaque(), time)
  }

  func match(_ rule: String, _ handler: @escaping (MessageReader) -> Void) throws(BusError) {
    let signal = SignalHandler(handler)
    let result = sd_bus_add_match_async(
      bus, nil, rule, { message, user, _ in SignalHandler.arrived(message, user) }, nil,
      Unmanaged.passUnretained(signal).toOpaque())
    guard result >= 0 else { throw .connection(result, "the bus cannot be asked for signals") }
    signals.append(signal)
  }

  func forget(_ reply: PendingReply) {
    pending[ObjectIdentifier(reply)] = nil
  }

  // MARK: The reactor

  private func process() {
    guard let bus, !isProcessing else { return }
    isProcessing = true
    var result: Int32 = 1
    var count = 0
    while result > 0, count < Self.batch, onEnd != nil {
      result = sd_bus_process(bus, nil)
      count += 1
    }
    isProcessing = false
    guard onEnd != nil else { return shut() }
    sendMore()
    guard result >= 0 else { return end(.connection(result, "the connection to the bus ended")) }
    rearm()
  }

  /// What is waited for changes with each message that is sent or handled.
  private func rearm() {
    guard let bus, !isProcessing, onEnd != nil else { return }
    let wanted = sd_bus_get_events(bus)
    var next: UInt64 = .max
    let result = sd_bus_get_timeout(bus, &next)
    guard wanted >= 0, result >= 0 else {
      // It ends by itself: the rest of its messages is handled first.
      return arm(at: 0)
    }
    if UInt32(wanted) != events {
      events = UInt32(wanted)
      source?.modify(events: events)
    }
    if result > 0, next < deadline { arm(at: next) }
  }

  /// A timer that fires too early looks when to fire next: calls come and go more often than they time out.
  private func arm(at time: UInt64) {
    timer?.delete()
    deadline = time
    let now = monotonicMicroseconds()
    let wait = time > now ? (time - now).addingReportingOverflow(999).partialValue / 1000 : 0
    timer = try? host.addTimer(first: wait) { [weak self] in
      guard let self else { return }
      timer?.delete()
      timer = nil
      deadline = .max
      process()
    }
  }
}

private func monotonicMicroseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(clamping: time.tv_sec) * 1_000_000 + UInt64(clamping: time.tv_nsec) / 1000
}
