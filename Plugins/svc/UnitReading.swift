// SPDX-License-Identifier: Apache-2.0

/// What systemd says about a unit.
struct UnitReading: Equatable, Sendable {
  struct Job: Equatable, Sendable {
    var path: String
    /// `start`, `stop`, `restart`, ...
    var type: String
  }

  /// The unit's main name: another one when it was asked for by an alias.
  var id: String
  var path: String
  /// `loaded`, `not-found`, `masked`, `bad-setting`, `error`, ...
  var loadState: String
  /// `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`, ...
  var activeState: String
  var subState: String
  /// What is queued or under way for it.
  var job: Job?
  /// `enabled`, `static`, ...; nil: there is no unit file, or it was not asked for.
  var fileState: String?
  /// Why `fileState` cannot be told.
  var fileStateError: BusError?
  /// The name `fileState` belongs to: the main one when the unit was asked for by an alias.
  var fileName: String
  /// The unit's files were changed after systemd read them.
  var needsReload = false

  var isUp: Bool { Self.isUp(activeState) }

  static func isUp(_ activeState: String) -> Bool {
    activeState == "active" || activeState == "reloading" || activeState == "refreshing"
  }

  var isDown: Bool { activeState == "inactive" || activeState == "failed" }

  /// `failed (exited)`
  var stateText: String { subState.isEmpty || subState == activeState ? activeState : "\(activeState) (\(subState))" }
}
