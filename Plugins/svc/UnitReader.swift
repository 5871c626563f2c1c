// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// Asks systemd how a unit is: all questions at once, one way there and back.
final class UnitReader {
  private let settings: SvcSettings
  private let manager: Manager
  private let wantsReload: Bool
  private var missing = 0
  private var reading: UnitReading?
  private var failure: BusError?
  private var fileState: String?
  private var needsReload = false
  private var done: ((Result<UnitReading, BusError>) -> Void)?

  init(_ settings: SvcSettings, manager: Manager, wantsReload: Bool) {
    self.settings = settings
    self.manager = manager
    self.wantsReload = wantsReload
  }

  /// Throws when nobody can be asked; otherwise `done` is called once, later.
  func read(_ done: @escaping (Result<UnitReading, BusError>) -> Void) throws(Failure) {
    self.done = done
    let unit = settings.unit
    missing = 1 + (settings.startup == nil ? 0 : 1) + (wantsReload ? 1 : 0)
    try manager.call(.manager("ListUnitsByNames", .strings([unit.text]))) { [self] result in
      switch result {
      case .success(let message):
        reading = Self.reading(message, asked: unit.text)
        if reading == nil { failure = .system(-EBADMSG, "systemd's answer is not understood") }
      case .failure(let error): failure = error
      }
      arrived()
    }
    // The connection is there: these are refused by their replies only.
    if settings.startup != nil {
      try manager.call(.manager("GetUnitFileState", .string(unit.text))) { [self] result in
        fileState = result.message?.string()
        arrived()
      }
    }
    if wantsReload {
      let question = MethodCall.property("NeedDaemonReload", of: "org.freedesktop.systemd1.Unit", at: unit.objectPath)
      try manager.call(question) { [self] result in
        if let message = result.message { needsReload = message.variant("b", message.bool) ?? false }
        arrived()
      }
    }
  }

  private func arrived() {
    missing -= 1
    guard missing == 0, let done else { return }
    self.done = nil
    guard var reading else { return done(.failure(failure ?? .disconnected)) }
    reading.fileState = fileState
    reading.needsReload = needsReload
    // Another name is not enabled: the unit is.
    guard fileState == "alias", reading.id != settings.unit.text else { return done(.success(reading)) }
    reading.fileName = reading.id
    do throws(Failure) {
      try manager.call(.manager("GetUnitFileState", .string(reading.id))) { result in
        reading.fileState = result.message?.string()
        done(.success(reading))
      }
    } catch {
      done(.failure(.disconnected))
    }
  }

  /// Of the answer to ListUnitsByNames.
  private static func reading(_ message: MessageReader, asked: String) -> UnitReading? {
    let units = message.structures("ssssssouso") { () -> UnitReading? in
      guard let id = message.string(), message.string() != nil, let load = message.string(), let active = message.string(),
        let sub = message.string(), message.string() != nil, let path = message.objectPath(), let job = message.uint32(),
        let type = message.string(), let jobPath = message.objectPath()
      else { return nil }
      return UnitReading(
        id: id, path: path, loadState: load, activeState: active, subState: sub,
        job: job == 0 ? nil : UnitReading.Job(path: jobPath, type: type), fileState: nil, fileName: asked)
    }
    return units?.first
  }

  /// The links that were made or removed. `afterEnabling`: the answer begins with whether there was an [Install] section.
  static func changedLinks(_ message: MessageReader, afterEnabling: Bool) -> [String] {
    if afterEnabling, message.bool() == nil { return [] }
    return message.structures("sss") { () -> String? in
      guard let kind = message.string(), let link = message.string(), message.string() != nil else { return nil }
      return kind.isEmpty ? nil : link
    } ?? []
  }
}

extension Result where Success == MessageReader, Failure == BusError {
  var message: MessageReader? {
    guard case .success(let message) = self else { return nil }
    return message
  }
}
