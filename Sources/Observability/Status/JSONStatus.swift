// SPDX-License-Identifier: Apache-2.0

import Diagnostics
public import Engine
import Graph
import Values

/// For programs: an object a line, the agent's last.
public struct JSONStatus: StatusRenderer {
  static let agentPrefix = #"{"type":"agent","as_asked":"#
  /// Of long lists of resources so many are named.
  static let maximumNames = 100

  public init() {}

  public func resource(_ status: ResourceStatus, _ clock: WallClock) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("type", "resource")
      json.member("resource", status.id.description)
      json.member("state", ShownState(status).rawValue)
      json.member("changes", status.changes)
      Self.time("last_check", status.lastCheck, clock, &json)
      Self.time("last_change", status.lastChange, clock, &json)
      Self.time("next_retry", status.nextAttempt, clock, &json)
      if let fight = status.fight {
        json.object("fight") { json in
          json.member("repairs", fight.repairs)
          Self.time("since", fight.since, clock, &json)
          Self.names("with", fight.companions, &json)
        }
      }
      if status.isRunning { json.member("running", true) }
      if status.wasCancelled { json.member("cancelled", true) }
      if let reason = status.waiting { json.member("reason", reason.name) }
      if let words = status.waitWords { json.member("why", words) }
      Self.names("waits_for", status.waitsFor, &json)
      Self.names("members", status.members, &json)
      if let leader = status.leader { json.member("leader", leader.description) }
      if status.isReversal { json.member("reversal", true) }
      if let failure = status.failure { json.object("failure", failure.writeMembers) }
    }
    json.newline()
    return json.bytes
  }

  public func removed(_ id: String) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("type", "resource")
      json.member("resource", id)
      json.member("state", ShownState.removed.rawValue)
    }
    json.newline()
    return json.bytes
  }

  public func agent(_ status: AgentStatus, _ clock: WallClock) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("type", "agent")
      json.member("as_asked", status.isAsAsked)
      json.member("time", (clock.wall * 1e6).rounded() / 1e6)
      json.member("pid", status.pid)
      json.member("hostname", status.hostname)
      json.member("version", status.version)
      if let graph = status.graph { json.member("graph", graph) }
      json.member("resources", status.counts.total)
      json.object("states") { json in
        for state in ShownState.allCases where state != .removed { json.member(state.rawValue, status.counts[state]) }
      }
      json.member("converged", status.isConverged)
      json.member("paused", status.isPaused)
      if let refused = status.refused { json.object("refused", refused.writeMembers) }
    }
    json.newline()
    return json.bytes
  }

  private static func time(_ name: String, _ time: EngineTime?, _ clock: WallClock, _ json: inout JSONWriter) {
    if let time {
      json.member(name, clock.unixTime(time))
    } else {
      json.key(name)
      json.null()
    }
  }

  private static func names(_ name: String, _ ids: [ResourceID], _ json: inout JSONWriter) {
    guard !ids.isEmpty else { return }
    json.array(name) { json in for id in ids.prefix(maximumNames) { json.value(id.description) } }
    if ids.count > maximumNames { json.member("more_\(name)", ids.count - maximumNames) }
  }
}
