// SPDX-License-Identifier: Apache-2.0

import CSystemd

/// Who waits for a reply. The connection keeps it until that is there.
final class PendingReply {
  weak var connection: BusConnection?
  var handler: ((Result<MessageReader, BusError>) -> Void)?

  init(connection: BusConnection, handler: @escaping (Result<MessageReader, BusError>) -> Void) {
    self.connection = connection
    self.handler = handler
  }

  func take() -> ((Result<MessageReader, BusError>) -> Void)? {
    defer { handler = nil }
    return handler
  }

  static func arrived(_ message: OpaquePointer?, _ user: UnsafeMutableRawPointer?) -> Int32 {
    guard let message, let user else { return 0 }
    let reply = Unmanaged<PendingReply>.fromOpaque(user).takeUnretainedValue()
    reply.connection?.forget(reply)
    guard let handler = reply.take() else { return 0 }
    guard let error = sd_bus_message_get_error(message) else {
      handler(.success(MessageReader(message: message)))
      return 0
    }
    handler(
      .failure(
        BusError(
          name: error.pointee.name.map { String(cString: $0) } ?? "",
          message: error.pointee.message.map { String(cString: $0) } ?? "", errno: sd_bus_message_get_errno(message),
          sender: MessageReader(message: message).sender)))
    return 0
  }
}

final class SignalHandler {
  let handler: (MessageReader) -> Void

  init(_ handler: @escaping (MessageReader) -> Void) {
    self.handler = handler
  }

  static func arrived(_ message: OpaquePointer?, _ user: UnsafeMutableRawPointer?) -> Int32 {
    guard let message, let user else { return 0 }
    Unmanaged<SignalHandler>.fromOpaque(user).takeUnretainedValue().handler(MessageReader(message: message))
    return 0
  }
}
