// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Glibc
import Graph
import Reactor
import Values

/// Events for people, on standard error: a line for what changed or failed, none for what is as asked; on a terminal also one live
/// line with how things stand.
final class TextView: EventView {
  private let reactor: Reactor
  private let options: RunOptions
  private var buffer = LineBuffer(fd: STDERR_FILENO)
  private var statusLine = StatusLine()
  private var running: [ResourceID: UInt64] = [:]
  private var longRunning: Set<ResourceID> = []
  private var longRunningTimer: ReactorTimer?
  private var toldFailures: Set<Diagnostic> = []
  private var clock = ClockText()
  /// When what is written now happened.
  private var time = EventTime.now()

  /// A check that takes longer is named.
  private static let longMilliseconds: UInt64 = 2000

  init(reactor: Reactor, options: RunOptions) {
    self.reactor = reactor
    self.options = options
  }

  func start(_ info: StartInfo) {
    line("This is: \(Program.name), version: \(Program.version)")
    line("main: start: \(EventTime.now().nanoseconds)")
  }

  /// Whatever the text holds, it is one line.
  private func line(_ text: String, style: Terminal.Style? = nil) {
    statusLine.clear(&buffer)
    let shown = Visible.line(text)
    buffer.append("\(clock.text(time)) \(style.map { Terminal.styled(shown, $0) } ?? shown)\n")
  }

  // MARK: Events

  func event(_ event: EngineEvent, at time: EventTime) {
    self.time = time
    switch event {
    case .graphStarted(let graph):
      toldFailures = []
      line("graph: Vertices(\(graph.vertices)), Edges(\(graph.edges))")
      if graph.kept > 0 || graph.removed > 0 {
        line("graph: \(graph.kept) kept, \(graph.added) added, \(graph.removed) removed")
      }
    case .graphRejected(let diagnostics): rejected(diagnostics)
    case .checkStarted(let id, _): started(id)
    case .checkEnded(let id, let outcome, let context): ended(id, outcome, context)
    case .progress(let id, let permille, let text): line("\(id): \(permille / 10) % \(text)")
    case .watchFailed(let id, let reason, let willRetry):
      // What is tried again by the clock is told once.
      guard toldFailures.insert(reason).inserted else { return }
      let text = "\(id): cannot be watched\(willRetry ? ", trying again" : "")"
      let style: Terminal.Style = willRetry ? .yellow : .red
      guard isNews(reason) else { return line("\(text): \(reason.title)", style: style) }
      line(text, style: style)
      diagnostics([reason])
    case .fightBegan(_, let news): diagnostics([news])
    case .fightEnded(let id, let repairs): line("\(id): the fight over it is over, after \(repairs) repairs")
    case .warnings(let diagnostics): self.diagnostics(diagnostics)
    case .compiled(let summary): compiled(summary)
    case .received(let from, let field, let to, let parameter):
      line("Send/Recv: \(from).\(field) -> \(to).\(parameter)")
    case .log(let level, let id, let text): write(level, id.map { "\($0): \(text)" } ?? text)
    case .converged(true):
      toldFailures = []
      line("converged", style: .green)
    case .converged(false): line("not converged any more")
    case .settled: break
    case .stalled: line("not converged: something failed, or is fought over", style: .red)
    }
  }

  /// The first of many: the rest is in `mgmt graph --compiled`.
  private static let maximumNews = 1000

  private func compiled(_ summary: CompileSummary) {
    for edge in summary.edges.prefix(Self.maximumNews) { line("Compile: Adding AutoEdge: \(edge.from) -> \(edge.to)") }
    if !summary.groups.isEmpty { line("Compile: Grouping: Algorithm: \(summary.grouper)...") }
    for group in summary.groups.prefix(Self.maximumNews) {
      line("Compile: Grouping: Success for: \(group.member) into \(group.leader)")
    }
    let more = max(0, summary.edges.count - Self.maximumNews) + max(0, summary.groups.count - Self.maximumNews)
    if more > 0 { line("Compile: \(more) more automatic edges and groups") }
  }

  private func started(_ id: ResourceID) {
    running[id] = monotonicNow()
    watchLongRunning()
  }

  private func watchLongRunning() {
    guard longRunningTimer == nil, running.count > longRunning.count else { return }
    longRunningTimer = reactor.addTimer(afterMilliseconds: Self.longMilliseconds) { [unowned self] in
      longRunningTimer = nil
      let now = monotonicNow()
      let late = running.filter { now - $0.value >= Self.longMilliseconds * 1_000_000 && !longRunning.contains($0.key) }
      for id in late.keys.sorted(by: { $0.description < $1.description }) {
        line("\(id): its check takes longer")
        longRunning.insert(id)
      }
      watchLongRunning()
    }
  }

  private func ended(_ id: ResourceID, _ outcome: CheckOutcome, _ context: CheckContext) {
    running[id] = nil
    longRunning.remove(id)
    switch outcome.status {
    case .ok: break
    case .cancelled: line("\(id): cancelled", style: .yellow)
    case .failed(let diagnostic) where context.isOpen:
      line("\(id): open until what comes before it is changed (now: \(diagnostic.title))", style: .yellow)
    case .failed where context.isKnown: break
    case .failed(let diagnostic): failed(id, diagnostic, willRetry: context.willRetry)
    case .changed: changed(id, "changed (\(context.reason.rawValue))", outcome, .green)
    case .differs: changed(id, "would be changed", outcome, .yellow)
    }
  }

  private func changed(_ id: ResourceID, _ words: String, _ outcome: CheckOutcome, _ style: Terminal.Style) {
    let time =
      outcome.duration > 1_000_000_000
      ? " in \(outcome.duration / 100_000_000 / 10).\(outcome.duration / 100_000_000 % 10) s" : ""
    if case .differs = outcome.status {
      line("\(id): \(words)\(time)", style: style)
      return buffer.append(ChangeText.fields(outcome.changes))
    }
    let short = outcome.changes.prefix(3).map(ChangeText.short).joined(separator: "; ")
    line("\(id): \(words)\(time)\(short.isEmpty ? "" : ": ")\(short)", style: style)
  }

  /// What was told in full since the last graph or convergence is told in one line: it would be the same for all that have the same cause,
  /// and with each attempt.
  private func failed(_ id: ResourceID, _ diagnostic: Diagnostic, willRetry: Bool) {
    let text = "\(id): failed\(willRetry ? ", trying again" : "")"
    let style: Terminal.Style = willRetry ? .yellow : .red
    guard isNews(diagnostic) else { return line("\(text): \(diagnostic.title)", style: style) }
    line(text, style: style)
    diagnostics([diagnostic])
  }

  private func isNews(_ diagnostic: Diagnostic) -> Bool {
    var cause = diagnostic
    cause.resource = nil
    cause.labels = []
    if toldFailures.count >= Self.maximumNews { toldFailures = [] }
    return toldFailures.insert(cause).inserted
  }

  // MARK: Other

  func diagnostics(_ diagnostics: [Diagnostic]) {
    statusLine.clear(&buffer)
    buffer.append(DiagnosticOutput.text(diagnostics))
  }

  func rejected(_ diagnostics: [Diagnostic]) {
    time = .now()
    self.diagnostics(diagnostics)
    line("this graph is not used, the one before goes on", style: .yellow)
  }

  func log(_ level: LogLevel, _ text: String) {
    time = .now()
    write(level, text)
  }

  private func write(_ level: LogLevel, _ text: String) {
    switch level {
    case .debug: break
    case .info: line(text)
    case .warning: line("warning: \(text)", style: .yellow)
    case .error: line("error: \(text)", style: .red)
    }
  }

  func status(_ all: [ResourceStatus]) {
    statusLine.clear(&buffer)
    buffer.append(StatusText.render(all))
    buffer.flush()
  }

  func flush(_ counts: EngineCounts) {
    if Terminal.isTerminal { statusLine.draw(counts, &buffer) }
    buffer.flush()
  }

  func end(_ summary: Summary, exit: Int32) {
    time = .now()
    statusLine.clear(&buffer)
    if !summary.failed.isEmpty {
      line("failed: \(StatusText.list(summary.failed.map(\.id.description)))", style: .red)
    }
    if !summary.open.isEmpty {
      line("open until others are changed: \(StatusText.list(summary.open.map(\.description)))", style: .yellow)
    }
    if !summary.fights.isEmpty {
      line("fought over: \(StatusText.list(summary.fights.map(\.id.description)))", style: .red)
    }
    if !summary.cancelled.isEmpty {
      line("cancelled: \(StatusText.list(summary.cancelled.map(\.id.description)))", style: .red)
    }
    if !summary.unchecked.isEmpty {
      line("never checked: \(StatusText.list(summary.unchecked.map(unchecked)))", style: .red)
    }
    if let refused = summary.refused {
      line("the newest graph was refused, this is about the one before: \(refused.words)", style: .red)
    }
    var differing = summary.differing > 0 ? ", \(summary.differing) not as asked" : ""
    if !summary.open.isEmpty { differing += ", \(summary.open.count) open" }
    let total = summary.total == 1 ? "1 resource" : "\(summary.total) resources"
    line("\(total), \(summary.changed) changed\(differing), \(summary.failed.count) failed")
    line("goodbye!")
    buffer.flush()
  }

  private func unchecked(_ status: ResourceStatus) -> String {
    status.waitsFor.isEmpty
      ? status.id.description : "\(status.id) (after \(StatusText.list(status.waitsFor.map(\.description), most: 3)))"
  }
}

/// The time of day as text, made once a second.
private struct ClockText {
  private var second: time_t = 0
  private var text = ""

  mutating func text(_ time: EventTime) -> String {
    guard time.second != second || text.isEmpty else { return text }
    second = time.second
    var current = second
    var parts = tm()
    localtime_r(&current, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    text = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    return text
  }
}

/// One line at the end of the terminal's output, redrawn when something changed.
private struct StatusLine {
  private var shown: EngineCounts?
  private var isVisible = false

  mutating func clear(_ buffer: inout LineBuffer) {
    guard isVisible else { return }
    buffer.append("\r\u{1b}[K")
    isVisible = false
  }

  mutating func draw(_ counts: EngineCounts, _ buffer: inout LineBuffer) {
    guard counts.total > 0, shown != counts || !isVisible else { return }
    shown = counts
    clear(&buffer)
    let state =
      counts.pending == 0 && counts.failed == 0
      ? Terminal.styled("as asked", .green) : "\(counts.ok) ok"
    let failed = counts.failed > 0 ? Terminal.styled(", \(counts.failed) failed", .red) : ""
    let starting = counts.starting > 0 ? ", \(counts.starting) starting" : ""
    buffer.append(
      "\(counts.total) resources: \(state)\(starting), \(counts.running) running, \(counts.waiting) waiting\(failed)")
    isVisible = true
  }
}
