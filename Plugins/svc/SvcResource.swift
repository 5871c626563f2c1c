// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// One `svc`. [reactor], but for its identities.
final class Svc: Resource, UnitObserver {
  private let settings: SvcSettings
  private let manager: Manager
  private let paths: PathWatcher
  private var tokens: [PathWatcher.Token] = []
  private var check: Check?
  /// The objects on the bus that are watched: the unit's, by its name and by its main name.
  private var objects: [String] = []
  private var isWatching = false
  /// ActiveState as last heard; nil: never.
  private var latest: String?
  /// ActiveState the last check knew.
  private var known: String?
  private var hasWarned = false

  init(_ handle: ResourceHandle, settings: SvcSettings, manager: Manager, paths: PathWatcher) {
    self.settings = settings
    self.manager = manager
    self.paths = paths
    super.init(handle)
  }

  // MARK: Watching

  /// Signals are asked for before the first question on the same connection, so none is missed. A connection that cannot
  /// be made is tried again and again, and its return is an event; until then checks say why.
  override func watch() throws(Failure) {
    isWatching = true
    observe(settings.unit.objectPath)
    do throws(Failure) {
      // A new unit file is loaded without a signal of systemd's.
      for file in identities.files { tokens.append(try paths.add(file, handle)) }
    } catch {
      unwatch()
      throw error
    }
    handle.ready()
  }

  override func unwatch() {
    isWatching = false
    for token in tokens { paths.remove(token) }
    tokens = []
    for object in objects { manager.remove(self, path: object) }
    objects = []
  }

  private func observe(_ path: String) {
    guard isWatching, !objects.contains(path) else { return }
    objects.append(path)
    manager.add(self, path: path)
  }

  private func event() {
    if isWatching { handle.event() }
  }

  func activeStateBecame(_ state: String) {
    guard state != latest else { return }
    latest = state
    // A check that runs looks at it in the end.
    if check == nil, settings.state != nil { event() }
  }

  /// A unit that nobody uses is loaded and unloaded with each look at it, which is not news. Asking the list of what is loaded
  /// does not load it.
  func loadedOrUnloaded(isLoaded: Bool) {
    guard check == nil, isWatching, settings.state != nil else { return }
    guard isLoaded else {
      if let latest, latest != "inactive" { event() }
      return
    }
    let pattern = settings.unit.text.replacing("\\", with: "\\\\")
    let states = ["active", "reloading", "activating", "deactivating", "failed"]
    try? manager.call(.manager("ListUnitsByPatterns", .strings(states), .strings([pattern]))) { [weak self] result in
      guard let self, check == nil, let message = result.message else { return }
      let active = message.structures("ssssssouso") { () -> String? in
        guard message.skip("sss"), let state = message.string(), message.skip("ssouso") else { return nil }
        return state
      }
      if let state = active?.first { activeStateBecame(state) }
    }
  }

  func unitChanged(_ news: UnitNews) {
    switch news {
    case .files where settings.startup == nil: return
    case .reloaded where check?.isReloading == true: return
    case .returned where check?.isReading == true: return
    case .files, .reloaded, .returned: event()
    }
  }

  // MARK: Checks

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    let check = Check(settings, manager: manager, handle: handle, call: call, flags: flags) { [weak self] in
      self?.read($0)
    } willEnd: { [weak self] in
      self?.checkEnds()
    }
    self.check = check
    try check.start()
    return .pending
  }

  override func cancel(_ call: Call) { check?.cancel() }

  private func read(_ reading: UnitReading) {
    latest = reading.activeState
    known = reading.activeState
    observe(reading.path)
    if reading.needsReload, !hasWarned {
      handle.log(
        .warning,
        "the file of \(settings.unit.text) changed on disk; systemd uses it after a daemon-reload, which comes before the next "
          + "start, reload or restart")
    }
    hasWarned = reading.needsReload
  }

  private func checkEnds() {
    check = nil
    if latest != known, settings.state != nil { event() }
    known = latest
  }

  // MARK: Edges

  private var identities: UnitIdentities {
    UnitIdentities(
      unit: settings.unit, isSession: settings.isSession,
      home: settings.isSession ? getenv("HOME").map { String(cString: $0) } ?? "" : "")
  }

  override func identities(_ sink: IdentitySink) {
    for key in identities.keys { sink.put(space: UnitIdentities.space, key: key) }
  }

  override func automaticEdges(_ sink: IdentitySink) {
    for file in identities.files { sink.put(space: "path", key: file, group: 1) }
    for addition in identities.additions { sink.put(space: "path", key: addition) }
  }
}
