// SPDX-License-Identifier: Apache-2.0

/// Asks systemd for what a person wants to know about a problem. What is not answered is left out.
final class DetailsReader {
  private let settings: SvcSettings
  private let manager: Manager
  private var details = UnitDetails()
  private var missing = 0
  private var done: ((UnitDetails) -> Void)?

  init(_ settings: SvcSettings, manager: Manager) {
    self.settings = settings
    self.manager = manager
  }

  /// `done` is called once, now or later.
  func read(_ problem: CheckMachine.Problem, _ done: @escaping (UnitDetails) -> Void) {
    self.done = done
    missing = 1
    switch problem {
    case .notFound: askForNames()
    case .unusable: askForLoadError()
    case .job, .stateStayed: askForState()
    case .masked, .startup, .startupStayed, .busy, .bus: break
    }
    arrived()
  }

  private func arrived() {
    missing -= 1
    guard missing == 0, let done else { return }
    self.done = nil
    done(details)
  }

  private func ask(_ call: MethodCall, _ answer: @escaping (MessageReader) -> Void) {
    missing += 1
    manager.call(call) { [self] result in
      if let message = result.message { answer(message) }
      arrived()
    }
  }

  private func ask(_ property: String, of interface: String, _ answer: @escaping (MessageReader) -> Void) {
    ask(.property(property, of: "org.freedesktop.systemd1.\(interface)", at: settings.unit.objectPath), answer)
  }

  private func askForNames() {
    missing += 1
    manager.unitFileNames { [self] names in
      details.near = settings.unit.near(names)
      arrived()
    }
  }

  private func askForLoadError() {
    ask("LoadError", of: "Unit") { [self] message in
      let error = message.variant("(ss)") {
        message.structure("ss") { () -> BusError? in
          guard let name = message.string(), let text = message.string() else { return nil }
          return BusError(name: name, message: text)
        }
      }
      if let error, !error.name.isEmpty || !error.message.isEmpty { details.loadError = error }
    }
  }

  private func askForState() {
    ask("ActiveState", of: "Unit") { [self] in details.activeState = $0.variant("s", $0.string) }
    ask("SubState", of: "Unit") { [self] in details.subState = $0.variant("s", $0.string) }
    ask("ConditionResult", of: "Unit") { [self] in details.conditionResult = $0.variant("b", $0.bool) }
    ask("ConditionTimestampMonotonic", of: "Unit") { [self] in details.conditionTime = $0.variant("t", $0.uint64) }
    let type = settings.unit.type
    guard ["service", "socket", "mount", "automount", "swap", "timer", "path", "scope"].contains(type) else { return }
    ask("Result", of: type.prefix(1).uppercased() + type.dropFirst()) { [self] in details.result = $0.variant("s", $0.string) }
    guard type == "service" else { return }
    ask("Type", of: "Service") { [self] in details.serviceType = $0.variant("s", $0.string) }
    ask("ExecMainCode", of: "Service") { [self] in details.exitCode = $0.variant("i", $0.int32) }
    ask("ExecMainStatus", of: "Service") { [self] in details.exitStatus = $0.variant("i", $0.int32) }
  }
}
