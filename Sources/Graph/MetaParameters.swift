// SPDX-License-Identifier: Apache-2.0

/// How the engine treats a resource, whatever its kind. Names, types and defaults: `MetaParameters.schema`.
public struct MetaParameters: Sendable, Hashable {
  /// Check only, never apply.
  public var noop = false
  /// How often a failed check is tried again; -1: without end, and a lost watch at the same pace.
  public var retry: Int16 = 0
  /// The counter of checks begins anew after each success.
  public var retryReset = false
  /// Forget how often it was tried again when the resource changes.
  public var reset = false
  /// Begin anew at the next graph if it has failed.
  public var rewatch = false
  /// It is as asked at least once before another graph removes or changes it.
  public var realize = false
  /// Its name may begin with `$`.
  public var dollar = false
  /// In the graph, but neither watched nor checked.
  public var hidden = false
  /// What it changed is put back when it leaves the graph.
  public var reverse = false
  /// It takes part in automatic edges.
  public var autoEdge = true
  /// It takes part in automatic groups.
  public var autoGroup = true
  /// Seconds: > 0: instead of watching, check so often; < 0: check once; 0: watch.
  public var poll: Int32 = 0
  /// Milliseconds between a failure and the next attempt.
  public var delay: UInt64 = 0
  /// Milliseconds one check may take; 0: as long as it likes.
  public var timeout: UInt64 = 0
  /// At most so many events a second lead to checks.
  public var limit = Double.infinity
  /// So many events may come at once before `limit` counts.
  public var burst: Int = 0
  /// Ids of semaphores held while it is checked and applied: `name`, `name:N`, `:N`.
  public var semaphores: [String] = []
  /// Names of hosts it is for, or `*`.
  public var export: [String] = []
  /// Names of its parameters, and of fields it sends, that nobody may see.
  public var secret: [String] = []

  public init(noop: Bool = false, semaphores: [String] = []) {
    self.noop = noop
    self.semaphores = semaphores
  }
}
