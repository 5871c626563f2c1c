// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Asks systemd how a unit is: all questions at once, one way there and back.
final class UnitReader {
  private let settings: SvcSettings
  private let manager: Manager
  private let wantsReload: Bool
  private var missing = 0
  private var reading: UnitReading?
  private var failure: BusError?
  private var fileState: Result<String?, BusError> = .success(nil)
  private var needsReload = false
  private var done: ((Result<UnitReading, BusError>) -> Void)?

  init(_ settings: SvcSettings, manager: Manager, wantsReload: Bool) {
    self.settings = settings
    self.manager = manager
    self.wantsReload = wantsReload
  }

  /// `done` is called once, later.
  func read(_ done: @escaping (Result<UnitReading, BusError>) -> Void) {
    self.done = done
    let unit = settings.unit
    missing = 1 + (settings.startup == nil ? 0 : 1) + (wantsReload ? 1 : 0)
    manager.call(.manager("ListUnitsByNames", .strings([unit.text]))) { [self] result in
      switch result {
      case .success(let message):
        reading = Self.list(message)?.first
        if reading == nil { failure = .system(-EBADMSG, "systemd's answer is not understood") }
      case .failure(let error): failure = error
      }
      arrived()
    }
    if settings.startup != nil {
      askForFileState(unit.text) { [self] state in
        fileState = state
        arrived()
      }
    }
    if wantsReload {
      let question = MethodCall.property("NeedDaemonReload", of: "org.freedesktop.systemd1.Unit", at: unit.objectPath)
      manager.call(question) { [self] result in
        if let message = result.message { needsReload = message.variant("b", message.bool) ?? false }
        arrived()
      }
    }
  }

  /// nil: there is no unit file.
  private func askForFileState(_ name: String, _ answer: @escaping (Result<String?, BusError>) -> Void) {
    manager.call(.manager("GetUnitFileState", .string(name))) { result in
      switch result {
      case .success(let message): answer(.success(message.string()))
      case .failure(let error) where error.isNoFile: answer(.success(nil))
      case .failure(let error): answer(.failure(error))
      }
    }
  }

  private func arrived() {
    missing -= 1
    guard missing == 0, let done else { return }
    self.done = nil
    guard var reading else { return done(.failure(failure ?? .disconnected)) }
    reading.fileName = settings.unit.text
    reading.needsReload = needsReload
    // Another name is not enabled: the unit is.
    if case .success("alias") = fileState, reading.id != settings.unit.text {
      reading.fileName = reading.id
      return askForFileState(reading.id) { done(reading.with($0)) }
    }
    done(reading.with(fileState))
  }

  /// The answer to the methods that list units.
  static func list(_ message: MessageReader) -> [UnitReading]? {
    message.structures("ssssssouso") { () -> UnitReading? in
      guard let id = message.string(), message.string() != nil, let load = message.string(), let active = message.string(),
        let sub = message.string(), message.string() != nil, let path = message.objectPath(), let job = message.uint32(),
        let type = message.string(), let jobPath = message.objectPath()
      else { return nil }
      return UnitReading(
        id: id, path: path, loadState: load, activeState: active, subState: sub,
        job: job == 0 ? nil : UnitReading.Job(path: jobPath, type: type), fileState: nil, fileName: id)
    }
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

extension UnitReading {
  /// An answer that systemd did not live to give is not "no unit file".
  fileprivate func with(_ state: Result<String?, BusError>) -> Result<UnitReading, BusError> {
    var reading = self
    switch state {
    case .success(let text): reading.fileState = text
    case .failure(let error) where error.isLost || error.isNobodyThere || error.isOfConnection: return .failure(error)
    case .failure(let error): reading.fileStateError = error
    }
    return .success(reading)
  }
}

extension Result where Success == MessageReader, Failure == BusError {
  var message: MessageReader? {
    guard case .success(let message) = self else { return nil }
    return message
  }
}
