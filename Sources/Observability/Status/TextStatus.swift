// SPDX-License-Identifier: Apache-2.0

public import Engine
import Values

/// For people: the state first, so that it stands below the other states.
///
///     ok        file[/etc/motd]: checked 3 s ago, changed once, 2 min ago
///     waiting   noop[after]: waits for file[/etc/motd], never checked
///     refused   the newest graph, 3 s ago: graph.yaml:3:5: unknown kind "fle"; the one before goes on
///     agent     mgmt 0.1.0, pid 123 on host1, graph "g": 2 resources, 1 ok, 1 waiting; not converged; 1 not as asked
public struct TextStatus: StatusRenderer {
  static let agentWord = "agent"
  public static let refusedWord = "refused"
  static let allAsAsked = "; all as asked"
  private static let width = 10

  public init() {}

  public func resource(_ status: ResourceStatus, _ clock: WallClock) -> [UInt8] {
    let details = Self.details(status, clock)
    var line = Self.padded(ShownState(status).rawValue) + Visible.line(status.id.description)
    if !details.isEmpty { line += ": " + details.joined(separator: ", ") }
    if status.phase == .failed || status.phase == .starting, let failure = status.failure {
      line += ": " + Visible.line(failure.title)
    }
    return Array((line + "\n").utf8)
  }

  public func removed(_ id: String) -> [UInt8] {
    Array("\(Self.padded(ShownState.removed.rawValue))\(Visible.line(id))\n".utf8)
  }

  public func agent(_ status: AgentStatus, _ clock: WallClock) -> [UInt8] {
    var line = Self.padded(Self.agentWord) + "mgmt \(status.version), pid \(status.pid) on \(Visible.line(status.hostname)), "
    line += status.graph.map { "graph \"\(Visible.line($0))\": " } ?? "no graph yet: "
    line += status.counts.words + (status.isConverged ? "; converged" : "; not converged") + (status.isPaused ? "; paused" : "")
    if status.isAsAsked {
      line += Self.allAsAsked
    } else if status.graph == nil {
      line += "; not as asked yet"
    } else {
      if status.counts.notAsAsked > 0 { line += "; \(status.counts.notAsAsked) not as asked" }
      if status.refused != nil { line += "; the newest graph was refused" }
    }
    return Array(((status.refused.map { Self.refused($0, clock) } ?? "") + line + "\n").utf8)
  }

  private static func refused(_ refused: RefusedGraph, _ clock: WallClock) -> String {
    let age = "\(duration(max(0, clock.wall - refused.time))) ago"
    let often = refused.count > 1 ? "; \(refused.count) were refused in a row" : ""
    return padded(refusedWord) + "the newest graph, \(age): \(refused.words); the one before goes on\(often)\n"
  }

  private static func padded(_ word: String) -> String {
    word + String(repeating: " ", count: max(1, width - word.utf8.count))
  }

  private static func details(_ status: ResourceStatus, _ clock: WallClock) -> [String] {
    var parts: [String] = []
    if let words = status.waitWords { parts.append(words) }
    if let fight = status.fight {
      let others = OneLine.list(fight.companions.lazy.map { Visible.line($0.description) })
      parts.append("fought over with \(fight.companions.isEmpty ? "another program" : others)")
    }
    if let time = status.lastCheck { parts.append("checked \(ago(time, clock))") }
    if status.phase == .failed, status.isRunning { parts.append("being tried again") }
    if status.wasCancelled {
      parts.append("its check was cancelled")
    } else if !status.wasChecked, !status.isHidden, !status.isRunning, status.phase != .starting {
      parts.append("never checked")
    }
    if status.changes > 0 {
      let often = status.changes == 1 ? "changed once" : "changed \(status.changes) times"
      parts.append(often + (status.lastChange.map { ", \(status.changes == 1 ? "" : "last ")\(ago($0, clock))" } ?? ""))
    }
    if let time = status.nextAttempt {
      let wait = clock.seconds(until: time)
      parts.append(wait <= 0 ? "tried again now" : "tried again in \(duration(wait))")
    }
    if let leader = status.leader { parts.append("in the group of \(Visible.line(leader.description))") }
    if !status.members.isEmpty {
      parts.append("leads \(OneLine.list(status.members.lazy.map { Visible.line($0.description) }))")
    }
    if status.isReversal { parts.append("puts back what another changed") }
    return parts
  }

  private static func ago(_ time: EngineTime, _ clock: WallClock) -> String {
    let age = -clock.seconds(until: time)
    return age < 0.001 ? "now" : duration(age) + " ago"
  }

  /// In the largest unit that tells enough.
  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<1: "\(max(1, Int(seconds * 1000))) ms"
    case ..<120: "\(Int(seconds)) s"
    case ..<7200: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    case ..<1e12: "\(Int(seconds / 86400)) days"
    default: "ever"
    }
  }
}
