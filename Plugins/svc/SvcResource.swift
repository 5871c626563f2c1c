// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// One `svc`. [reactor], but for its identities.
final class Svc: Resource, UnitObserver, CheckOwner {
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
  private(set) var wasThere = false

  init(_ handle: ResourceHandle, settings: SvcSettings, manager: Manager, paths: PathWatcher) {
    self.settings = settings
    self.manager = manager
    self.paths = paths
    super.init(handle)
  }

  // MARK: Watching

  /// Signals are asked for before the first question on the same connection, so none is missed. A connection that cannot
  /// be made is made when the bus's socket comes, or tried again and again where that is not what is missing; its return is an event,
  /// and until then checks say why.
  override func watch() throws(Failure) {
    isWatching = true
    do throws(Failure) {
      // A new unit file is loaded without a signal of systemd's. A bus that comes is connected to by the check.
      for path in BusAddress.paths(isSession: settings.isSession) + identities.files {
        tokens.append(try paths.add(path, handle))
      }
    } catch {
      unwatch()
      throw error
    }
    observe(settings.unit.objectPath)
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

  /// As one that does not run: nothing is news to one that did not.
  func unloaded() {
    if let latest, latest != "failed" { activeStateBecame("inactive") }
  }

  func unitChanged(_ news: UnitNews) {
    switch news {
    case .files where settings.startup == nil: return
    case .reloaded where check?.isReloading == true: return
    case .returned where check?.isReading == true: return
    // A check that runs finds out.
    case .lost where check != nil: return
    case .files, .reloaded, .lost, .returned: event()
    }
  }

  // MARK: Checks

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    let check = Check(settings, manager: manager, handle: handle, call: call, flags: flags, owner: self)
    self.check = check
    check.start()
    return .pending
  }

  override func cancel(_ call: Call) { check?.cancel() }

  func didRead(_ reading: UnitReading) {
    if reading.loadState != "not-found" { wasThere = true }
    didSee(activeState: reading.activeState)
    observe(reading.path)
    if reading.needsReload, !hasWarned {
      handle.log(
        .warning,
        "the file of \(settings.unit.text) changed on disk; systemd uses it after a daemon-reload, which comes before the next "
          + "start, reload or restart: a notification applies it (`notify: true` on the edge from the file)")
    }
    hasWarned = reading.needsReload
  }

  func didSee(activeState: String) {
    latest = activeState
    known = activeState
  }

  func checkEnds() {
    check = nil
    if latest != known, settings.state != nil { event() }
    known = latest
  }

  // MARK: Edges

  private var identities: UnitIdentities {
    func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
    return UnitIdentities(
      unit: settings.unit,
      session: settings.isSession ? .init(home: variable("HOME"), runtime: variable("XDG_RUNTIME_DIR")) : nil)
  }

  override func identities(_ sink: IdentitySink) {
    let identities = identities
    for (position, key) in identities.keys.enumerated() {
      sink.put(space: UnitIdentities.space, key: key, position == 0 ? .primary : [])
    }
    for directory in identities.additions { sink.put(space: UnitIdentities.additionsSpace, key: directory) }
  }

  /// The unit's file, or else the directory it may be in.
  override func automaticEdges(_ sink: IdentitySink) {
    let identities = identities
    for file in identities.files { sink.put(space: "path", key: file, group: 1) }
    for directory in identities.directories { sink.put(space: "path", key: directory + "/", group: 1) }
  }
}
