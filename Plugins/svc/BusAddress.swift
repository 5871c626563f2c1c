// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where the socket of a bus is.
enum BusAddress {
  /// As libsystemd finds it. Empty: the environment does not tell, or it is no socket with a path.
  static func paths(isSession: Bool) -> [String] {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    guard isSession else { return paths(variable("DBUS_SYSTEM_BUS_ADDRESS") ?? "unix:path=/run/dbus/system_bus_socket") }
    if let address = variable("DBUS_SESSION_BUS_ADDRESS") { return paths(address) }
    return variable("XDG_RUNTIME_DIR").flatMap { $0.hasPrefix("/") ? ["\($0)/bus"] : nil } ?? []
  }

  /// The absolute paths in `unix:path=/run/a%20b,guid=1;tcp:host=x`.
  static func paths(_ address: String) -> [String] {
    address.split(separator: ";").filter { $0.hasPrefix("unix:") }.flatMap { $0.dropFirst("unix:".count).split(separator: ",") }
      .compactMap { $0.hasPrefix("path=/") ? unescaped($0.dropFirst("path=".count)) : nil }
  }

  /// nil: `%` without two hexadecimal digits, or no path.
  private static func unescaped(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, digits.allSatisfy({ isxdigit(Int32($0)) != 0 }),
        let value = UInt8(Substring(digits), radix: 16), value != 0
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
