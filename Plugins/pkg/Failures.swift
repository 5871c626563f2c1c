// SPDX-License-Identifier: Apache-2.0

import PluginKit

extension TransactionProblem {
  /// What a person can do something with. `task`: "install cowsay".
  func failure(_ task: String) -> Failure {
    switch self {
    case .packageKit(let code, let text):
      // The texts of package managers have several lines.
      let lines = text.split(whereSeparator: \.isNewline).joined(separator: " ")
      return Failure("cannot \(task): \(lines) (\(PackageKitError.word(code)))", hint: needsRepair ? "" : Self.hint(code))
    case .exit(let exit):
      if exit == TransactionExit.needUntrusted { return Failure("cannot \(task): it is not signed", hint: Self.unsigned) }
      return Failure("cannot \(task): PackageKit ended with code \(exit) and gave no reason", hint: Self.journal)
    case .refused(let name, let text): return Self.refused(task, name, text)
    case .silent(let seconds):
      return Failure("cannot \(task): PackageKit said nothing for \(seconds) s", hint: Self.journal)
    case .daemonGone:
      return Failure("cannot \(task): packagekitd ended in the middle of it", hint: Self.journal)
    case .busGone:
      return Failure(
        "cannot \(task): the system bus went away in the middle of it", hint: "it is tried again as soon as the bus is back")
    case .noBus(let text, let hint): return Failure(text, hint: hint)
    case .cancelled: return Failure("cannot \(task): it was cancelled")
    }
  }

  /// Whether one package may be at fault: then the others are tried without it.
  var mayConcernOnePackage: Bool {
    switch self {
    case .packageKit(let code, _): !PackageKitError.general.contains(code)
    case .exit(let exit): exit != TransactionExit.cancelled
    case .refused, .silent, .daemonGone, .busGone, .noBus, .cancelled: false
    }
  }

  /// Another package manager works.
  var isLock: Bool {
    if case .packageKit(let code, _) = self { return PackageKitError.locks.contains(code) && !needsRepair }
    return false
  }

  /// Nothing tells when it is over: it has to be tried again. Others have a signal, or need somebody to do something.
  var isPassing: Bool {
    switch self {
    case .daemonGone, .busGone, .silent: true
    case .refused(let name, _): Self.noAnswer.contains(name) || name.hasPrefix(Self.notStarted)
    case .packageKit(let code, _): PackageKitError.passing.contains(code)
    case .exit, .noBus, .cancelled: false
    }
  }

  /// An earlier transaction was interrupted, which has to be ended first. apt's backend calls that a lock and tells by its words.
  var needsRepair: Bool {
    switch self {
    case .packageKit(let code, let text):
      code == PackageKitError.unfinishedTransaction || text.contains("dpkg --configure -a")
    case .exit(let exit): exit == TransactionExit.repairRequired
    default: false
    }
  }

  private static let notStarted = "org.freedesktop.DBus.Error.Spawn."
  private static let noAnswer: Set<String> = [
    "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Timeout", "org.freedesktop.DBus.Error.TimedOut",
    "org.freedesktop.DBus.Error.Disconnected",
  ]
  private static let unprivileged = "run mgmt as root, or let polkit allow org.freedesktop.packagekit.*"
  private static let journal = "see `journalctl -u packagekit`"
  private static let unsigned = "import the key of the repository, or set allowuntrusted: true to install without a check"

  private static func hint(_ code: UInt32) -> String {
    if PackageKitError.signatures.contains(code) {
      return unsigned
    }
    if PackageKitError.locks.contains(code) { return "it is tried again when the other package manager is done" }
    return switch code {
    case PackageKitError.noNetwork: "PackageKit downloads nothing without a default route"
    case PackageKitError.notAuthorized: unprivileged
    case PackageKitError.alreadyInstalled, PackageKitError.allAlreadyInstalled:
      "another version is installed: set allowdowngrade: true to go back to an older one"
    case PackageKitError.transactionError, PackageKitError.failedToConfigure, PackageKitError.failedToInstall,
      PackageKitError.failedToRemove:
      "what the package manager and the package's scripts wrote is in its log, for apt /var/log/apt/term.log"
    default: ""
    }
  }

  private static func refused(_ task: String, _ name: String, _ text: String) -> Failure {
    switch name {
    case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner":
      Failure("PackageKit is not there: \(text)", hint: "install the package `packagekit`: apt-get install packagekit")
    case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.PackageKit.Transaction.RefusedByPolicy",
      "org.freedesktop.PackageKit.Denied":
      Failure("cannot \(task): not allowed: \(text)", hint: unprivileged)
    case _ where name.hasPrefix(notStarted):
      Failure("PackageKit cannot be started: \(text)", hint: journal)
    case _ where noAnswer.contains(name):
      Failure("cannot \(task): PackageKit does not answer: \(text)", hint: journal)
    default: Failure("cannot \(task): \(text.isEmpty ? name : text)")
    }
  }
}
