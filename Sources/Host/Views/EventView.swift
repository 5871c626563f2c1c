// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Glibc
import Graph
import Observability

struct StartInfo {
  var hostname: String
  var prefix: String
}

/// When something happened: the system's clock.
struct EventTime {
  private var time = timespec()

  static func now() -> EventTime {
    var now = EventTime()
    clock_gettime(CLOCK_REALTIME, &now.time)
    return now
  }

  var second: time_t { time.tv_sec }
  /// Since 1970, with microseconds.
  var seconds: Double { Double(time.tv_sec) + Double(time.tv_nsec / 1000) / 1e6 }
  var nanoseconds: UInt64 { UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec) }
}

/// What became of all resources, for the last lines.
struct Summary {
  var total = 0
  var changed = 0
  var differing = 0
  var failed: [ResourceStatus] = []
  /// Somebody undoes what they do, so they are not as asked for long.
  var fights: [ResourceStatus] = []
  /// Their last check was cancelled, or was left behind at the end.
  var cancelled: [ResourceStatus] = []
  /// Never checked, because something before them failed or because the agent was stopped.
  var unchecked: [ResourceStatus] = []
  /// Neither failed nor unchecked: `Engine.openResources`.
  var open: [ResourceID] = []
  /// The newest graph, when it is not the one that ran.
  var refused: RefusedGraph?

  /// Something is not as asked, or nobody knows whether it is.
  var hasFailure: Bool { [failed, fights, cancelled, unchecked].contains { !$0.isEmpty } }

  init(_ engine: Engine) {
    let open = engine.openResources()
    self.open = open.keys.sorted { ($0.kind, $0.name) < ($1.kind, $1.name) }
    engine.visitStatus { status in
      total += 1
      if open[status.id] != nil { return }
      if status.changes > 0 { changed += 1 }
      if status.phase == .differs { differing += 1 }
      if status.phase == .failed {
        failed.append(status)
      } else if status.fight != nil {
        fights.append(status)
      } else if status.wasCancelled || status.isRunning {
        cancelled.append(status)
      } else if !status.wasChecked, !status.isHidden {
        unchecked.append(status)
      }
    }
    failed.sort { ($0.id.kind, $0.id.name) < ($1.id.kind, $1.id.name) }
    fights.sort { ($0.id.kind, $0.id.name) < ($1.id.kind, $1.id.name) }
    cancelled.sort { ($0.id.kind, $0.id.name) < ($1.id.kind, $1.id.name) }
    unchecked.sort { ($0.id.kind, $0.id.name) < ($1.id.kind, $1.id.name) }
  }
}

/// Shows the stream of events to somebody: text for people, JSON for programs.
protocol EventView: AnyObject {
  func start(_ info: StartInfo)
  func event(_ event: EngineEvent, at time: EventTime)
  func diagnostics(_ diagnostics: [Diagnostic])
  /// A graph was refused and the one before goes on.
  func rejected(_ diagnostics: [Diagnostic])
  func log(_ level: LogLevel, _ text: String)
  /// Where every resource stands: asked for by SIGQUIT.
  func status(_ all: [ResourceStatus])
  /// The loop has nothing else to do.
  func flush(_ counts: EngineCounts)
  func end(_ summary: Summary, exit: Int32)
}

/// Diagnostics to standard error, in colour on a terminal.
enum DiagnosticOutput {
  static func write(_ diagnostics: [Diagnostic]) {
    Output.write(text(diagnostics), to: STDERR_FILENO)
  }

  static func text(_ diagnostics: [Diagnostic]) -> String {
    TextRenderer(colour: Terminal.hasColor, width: Terminal.width).render(diagnostics)
  }
}
