// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An error of the bus, or of one who answers on it, in its own words.
struct BusError: Error, Equatable, Sendable {
  /// `org.freedesktop.systemd1.NoSuchUnit`
  var name: String
  var message: String
  /// What libsystemd makes of it.
  var errno: Int32 = 0

  /// Of a function of libsystemd that answered a negative number.
  static func system(_ result: Int32, _ what: String) -> BusError {
    let number = result == .min ? Int32.max : abs(result)
    return BusError(name: "", message: "\(what): \(String(cString: strerror(number)))", errno: number)
  }

  static let disconnected = BusError(name: "", message: "the connection to the bus ended", errno: ENOTCONN)

  var text: String {
    if name.isEmpty { return message }
    return message.isEmpty ? name : "\(message) (\(name))"
  }

  var isAccessDenied: Bool {
    name == "org.freedesktop.DBus.Error.AccessDenied" || name == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
      || (name.isEmpty && (errno == EACCES || errno == EPERM))
  }

  /// Nobody is there who could answer.
  var isNobodyThere: Bool {
    name == "org.freedesktop.DBus.Error.ServiceUnknown" || name == "org.freedesktop.DBus.Error.NameHasNoOwner"
      || name.hasPrefix("org.freedesktop.DBus.Error.Spawn.")
  }

  /// It was there and went away, or the connection did.
  var isLost: Bool {
    name == "org.freedesktop.DBus.Error.NoReply" || name == "org.freedesktop.DBus.Error.Disconnected"
      || (name.isEmpty && (errno == ENOTCONN || errno == ECONNRESET || errno == EPIPE))
  }
}
