// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Reactor

/// Shows events a moment later, many at once: a resource is put right first and written about afterwards.
final class DeferredView: EventView {
  private let view: any EventView
  private let reactor: Reactor
  private var events: [(event: EngineEvent, time: EventTime)] = []
  private var timer: ReactorTimer?
  private var counts: () -> EngineCounts = { EngineCounts() }

  private static let milliseconds: UInt64 = 2
  private static let most = 4096

  init(_ view: any EventView, reactor: Reactor) {
    self.view = view
    self.reactor = reactor
  }

  /// Where the numbers for the status line come from.
  func countBy(_ counts: @escaping () -> EngineCounts) { self.counts = counts }

  func event(_ event: EngineEvent, at time: EventTime) {
    events.append((event, time))
    if events.count >= Self.most { return showAll() }
    if timer == nil { timer = reactor.addTimer(afterMilliseconds: Self.milliseconds) { [unowned self] in showAll() } }
  }

  private func showAll() {
    timer?.cancel()
    timer = nil
    let shown = events
    events.removeAll(keepingCapacity: shown.count < Self.most)
    for (event, time) in shown { view.event(event, at: time) }
    view.flush(counts())
  }

  // What is not an event is shown at once, after the events before it.

  private func after(_ body: () -> Void) {
    showAll()
    body()
    view.flush(counts())
  }

  func start(_ info: StartInfo) { after { view.start(info) } }
  func diagnostics(_ diagnostics: [Diagnostic]) { after { view.diagnostics(diagnostics) } }
  func rejected(_ diagnostics: [Diagnostic]) { after { view.rejected(diagnostics) } }
  func log(_ level: LogLevel, _ text: String) { after { view.log(level, text) } }
  func status(_ all: [ResourceStatus]) { after { view.status(all) } }
  func flush(_ counts: EngineCounts) { showAll() }
  func end(_ summary: Summary, exit: Int32) { after { view.end(summary, exit: exit) } }
}
