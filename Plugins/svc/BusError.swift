// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An error of the bus, or of one who answers on it, in its own words.
struct BusError: Error, Equatable, Sendable {
  /// `org.freedesktop.systemd1.NoSuchUnit`
  var name: String
  var message: String
  /// What libsystemd makes of it.
  var errno: Int32 = 0
  /// The bus cannot be used: it has nothing to do with what was asked for.
  var isOfConnection = false
  /// Whose answer it is, as `MessageReader.sender`.
  var sender: String?

  /// Of a function of libsystemd that answered a negative number.
  static func system(_ result: Int32, _ what: String) -> BusError {
    let number = result == .min ? Int32.max : abs(result)
    return BusError(name: "", message: "\(what): \(String(cString: strerror(number)))", errno: number)
  }

  static func connection(_ result: Int32, _ what: String) -> BusError {
    var error = system(result, what)
    error.isOfConnection = true
    return error
  }

  static let disconnected = BusError(
    name: "", message: "the connection to the bus ended", errno: ENOTCONN, isOfConnection: true)

  /// As libsystemd says it.
  static let timedOut = BusError(name: "org.freedesktop.DBus.Error.NoReply", message: "Method call timed out", errno: ETIMEDOUT)

  var text: String {
    if name.isEmpty { return message }
    return message.isEmpty ? name : "\(message) (\(name))"
  }

  var isAccessDenied: Bool {
    name == "org.freedesktop.DBus.Error.AccessDenied" || name == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
      || (name.isEmpty && (errno == EACCES || errno == EPERM))
  }

  /// There is no such unit file.
  var isNoFile: Bool {
    name == "org.freedesktop.DBus.Error.FileNotFound" || name == "org.freedesktop.systemd1.NoSuchUnit"
      || (errno == ENOENT && !isOfConnection)
  }

  /// Nobody is there who could answer.
  var isNobodyThere: Bool {
    name == "org.freedesktop.DBus.Error.ServiceUnknown" || name == "org.freedesktop.DBus.Error.NameHasNoOwner"
      || name.hasPrefix("org.freedesktop.DBus.Error.Spawn.")
  }

  /// It was asked and went away, or it takes too long.
  var isNoReply: Bool { name == "org.freedesktop.DBus.Error.NoReply" }

  /// It was there and went away, or the connection did.
  var isLost: Bool {
    isNoReply || name == "org.freedesktop.DBus.Error.Disconnected"
      || (name.isEmpty && (errno == ENOTCONN || errno == ECONNRESET || errno == EPIPE))
  }
}
