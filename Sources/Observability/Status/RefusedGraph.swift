// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Values

/// The newest graph, when it was refused: what runs is not what was asked for last.
public struct RefusedGraph: Sendable, Equatable {
  /// Seconds since 1970.
  public var time: Double
  /// The first of its errors.
  public var reason: Diagnostic
  /// So many graphs were refused since the last one that was taken.
  public var count: Int

  /// Now.
  public init(_ reason: Diagnostic, count: Int) {
    self.init(reason, count: count, time: WallClock.now)
  }

  init(_ reason: Diagnostic, count: Int, time: Double) {
    self.reason = reason
    self.count = count
    self.time = time
  }

  /// `graph.yaml:3:5: unknown kind "fle"`, on one line.
  public var words: String {
    let place = reason.labels.first.map { "\($0.span.file):\($0.span.start.line):\($0.span.start.column): " } ?? ""
    let resource = reason.resource.flatMap { reason.title.contains($0) ? nil : "\($0): " } ?? ""
    return Visible.line(place + resource + reason.title)
  }

  /// The members of a JSON object.
  public func writeMembers(_ json: inout JSONWriter) {
    json.member("time", (time * 1e6).rounded() / 1e6)
    json.member("count", count)
    json.object("diagnostic", reason.writeMembers)
  }
}
