// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginABI

/// Why a method of a plugin fails, in a person's words.
public struct Failure: Error {
  /// 0: no system error is behind it.
  public var errno: Int32
  /// The parameter at fault, or "".
  public var field: String
  /// What is wrong. The host adds the resource's name, the field and the system's words for `errno`.
  public var message: String
  /// What to do about it, or "".
  public var hint: String

  public init(_ message: String, errno: Int32 = 0, field: String = "", hint: String = "") {
    self.errno = errno
    self.field = field
    self.message = message
    self.hint = hint
  }

  /// It says that the call was cancelled. A system call's ECANCELED does not: that is a failure as any other.
  private var isCancellation = false

  /// The call was cancelled: no failure of the resource.
  public static let cancelled: Failure = {
    var failure = Failure("cancelled", errno: ECANCELED)
    failure.isCancellation = true
    return failure
  }()

  func report(to error: OpaquePointer?) -> mgmt_status {
    if isCancellation { return mgmt_status(MGMT_CANCELLED) }
    guard let host = Host.current, let error else { return mgmt_status(MGMT_FAILED) }
    field.withABI { field in
      message.withABI { message in
        hint.withABI { hint in host.table.pointee.fail(error, errno, field, message, hint) }
      }
    }
    return mgmt_status(MGMT_FAILED)
  }
}
