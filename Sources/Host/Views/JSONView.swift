// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Glibc
import Graph
import Values

/// Events for programs: docs/events.md.
final class JSONView: EventView {
  private var buffer = LineBuffer.results
  private var writer = JSONWriter()

  /// When what is written now happened.
  private var time = EventTime.now()

  private func emit(_ name: String, _ members: (inout JSONWriter) -> Void = { _ in }) {
    writer.removeAll()
    writer.object { writer in
      writer.member("time", time.seconds)
      writer.member("event", name)
      members(&writer)
    }
    writer.newline()
    buffer.append(writer.bytes)
  }

  func start(_ info: StartInfo) {
    emit("start") { writer in
      writer.member("version", Program.version)
      writer.member("hostname", info.hostname)
      writer.member("prefix", info.prefix)
      writer.member("pid", getpid())
    }
  }

  func event(_ event: EngineEvent, at time: EventTime) {
    self.time = time
    switch event {
    case .graphStarted(let graph):
      emit("graph") { writer in
        writer.member("name", graph.name)
        writer.member("vertices", graph.vertices)
        writer.member("edges", graph.edges)
        writer.member("kept", graph.kept)
        writer.member("added", graph.added)
        writer.member("removed", graph.removed)
      }
    case .graphRejected(let diagnostics): rejected(diagnostics)
    case .checkStarted(let id, let apply):
      emit("check-started") { writer in
        writer.member("resource", id.description)
        writer.member("apply", apply)
      }
    case .checkEnded(let id, let outcome, let context): checkEnded(id, outcome, context)
    case .progress(let id, let permille, let text):
      emit("progress") { writer in
        writer.member("resource", id.description)
        writer.member("permille", permille)
        writer.member("text", text)
      }
    case .watchFailed(let id, let reason, let willRetry):
      emit("watch-failed") { writer in
        writer.member("resource", id.description)
        writer.member("retry", willRetry)
        writer.object("diagnostic", reason.writeMembers)
      }
    case .fightBegan(let id, let news):
      emit("fight") { writer in
        writer.member("resource", id.description)
        writer.member("fight", true)
        writer.object("diagnostic", news.writeMembers)
      }
    case .fightEnded(let id, let repairs):
      emit("fight") { writer in
        writer.member("resource", id.description)
        writer.member("fight", false)
        writer.member("repairs", repairs)
      }
    case .warnings(let diagnostics): self.diagnostics(diagnostics)
    case .compiled(let summary): compiled(summary)
    case .received(let from, let field, let to, let parameter):
      emit("received") { writer in
        writer.member("resource", to.description)
        writer.member("parameter", parameter)
        writer.member("from", from.description)
        writer.member("field", field)
      }
    case .log(let level, let id, let text): log(level, text, about: id)
    case .converged(let isConverged): emit("converged") { $0.member("converged", isConverged) }
    case .stalled: emit("stalled")
    case .settled(let duration): emit("settled") { $0.member("duration", Double(duration / 1000) / 1e6) }
    }
  }

  private func compiled(_ summary: CompileSummary) {
    for edge in summary.edges {
      emit("automatic-edge") { writer in
        writer.member("from", edge.from.description)
        writer.member("to", edge.to.description)
      }
    }
    for group in summary.groups {
      emit("grouped") { writer in
        writer.member("resource", group.member.description)
        writer.member("leader", group.leader.description)
      }
    }
    emit("compiled") { writer in
      writer.member("automatic_edges", summary.edgeCount)
      writer.member("grouped", summary.memberCount)
      writer.member("duration", Double(summary.duration / 1000) / 1e6)
    }
  }

  private func checkEnded(_ id: ResourceID, _ outcome: CheckOutcome, _ context: CheckContext) {
    emit("check-ended") { writer in
      writer.member("resource", id.description)
      writer.member("status", outcome.status.name)
      writer.member("reason", context.reason.rawValue)
      if context.willRetry { writer.member("retry", true) }
      if context.isKnown { writer.member("known", true) }
      if context.isOpen { writer.member("open", true) }
      writer.member("duration", Double(outcome.duration / 1000) / 1e6)
      writer.array("changes") { writer in
        for change in outcome.changes {
          writer.object(change.writeMembers)
        }
      }
      if case .failed(let reason) = outcome.status {
        writer.object("diagnostic", reason.writeMembers)
      }
    }
  }

  /// One event by itself, for who cannot wait for its turn.
  static func line(_ diagnostic: Diagnostic) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("time", EventTime.now().seconds)
      writer.member("event", "diagnostic")
      writer.object("diagnostic", diagnostic.writeMembers)
    }
    writer.newline()
    return writer.bytes
  }

  func diagnostics(_ diagnostics: [Diagnostic]) {
    time = .now()
    for diagnostic in diagnostics {
      emit("diagnostic") { writer in
        writer.object("diagnostic", diagnostic.writeMembers)
      }
    }
  }

  func rejected(_ diagnostics: [Diagnostic]) {
    emit("graph-rejected") { writer in
      writer.array("diagnostics") { writer in
        for diagnostic in diagnostics { writer.object(diagnostic.writeMembers) }
      }
    }
  }

  func log(_ level: LogLevel, _ text: String) {
    time = .now()
    log(level, text, about: nil)
  }

  private func log(_ level: LogLevel, _ text: String, about id: ResourceID?) {
    emit("log") { writer in
      writer.member("level", level.name)
      writer.member("text", text)
      if let id { writer.member("resource", id.description) }
    }
  }

  /// For people, even here: on standard error.
  func status(_ all: [ResourceStatus]) { Output.write(StatusText.render(all), to: STDERR_FILENO) }

  func flush(_ counts: EngineCounts) { buffer.flush() }

  func end(_ summary: Summary, exit: Int32) {
    time = .now()
    emit("end") { writer in
      writer.member("exit", exit)
      writer.member("resources", summary.total)
      writer.member("changed", summary.changed)
      writer.array("failed") { writer in for status in summary.failed { writer.value(status.id.description) } }
      writer.array("unchecked") { writer in for status in summary.unchecked { writer.value(status.id.description) } }
      if !summary.fights.isEmpty {
        writer.array("fights") { writer in for status in summary.fights { writer.value(status.id.description) } }
      }
      if !summary.cancelled.isEmpty {
        writer.array("cancelled") { writer in for status in summary.cancelled { writer.value(status.id.description) } }
      }
      if !summary.open.isEmpty {
        writer.array("open") { writer in for id in summary.open { writer.value(id.description) } }
      }
      if let refused = summary.refused { writer.object("refused", refused.writeMembers) }
    }
    buffer.flush()
  }
}

extension CheckOutcome.Status {
  fileprivate var name: String {
    switch self {
    case .ok: "ok"
    case .changed: "changed"
    case .differs: "differs"
    case .failed: "failed"
    case .cancelled: "cancelled"
    }
  }
}

extension LogLevel {
  var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }
}
