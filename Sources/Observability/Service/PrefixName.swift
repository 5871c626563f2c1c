// SPDX-License-Identifier: Apache-2.0

import Glibc
import ObservabilityShims

/// A name in the kernel for the path of a prefix: an abstract socket, which has no file that could be removed and is gone with the process.
///
/// Anybody on the machine may take such a name. So it counts only when its owner is the agent's user or root; another one keeps nobody from
/// starting, and the lock file holds as ever. The root directory is part of it: in a container the same path is another prefix.
final class PrefixName {
  private let fd: Int32

  enum Outcome {
    case taken(PrefixName)
    /// An agent has it.
    case held(by: pid_t?)
    /// It cannot be told, or somebody else has it.
    case unknown
  }

  private init(fd: Int32) { self.fd = fd }

  deinit { close(fd) }

  static func take(_ directory: EngineDirectory) -> Outcome {
    guard let address = address(directory) else { return .unknown }
    let fd = shim_unix_socket(Int32(SHIM_STREAM))
    guard fd >= 0 else { return .unknown }
    if shim_unix_bind(fd, address) == 0, listen(fd, 1) == 0 { return .taken(PrefixName(fd: fd)) }
    let isHeld = errno == EADDRINUSE
    close(fd)
    return isHeld ? holder(address) : .unknown
  }

  /// Who made the socket is known to the kernel.
  private static func holder(_ address: String) -> Outcome {
    let fd = shim_unix_socket(Int32(SHIM_STREAM))
    guard fd >= 0 else { return .unknown }
    defer { close(fd) }
    var (user, process) = (uid_t.max, pid_t(0))
    guard shim_unix_connect(fd, address) == 0, shim_peer(fd, &user, &process) == 0 else { return .unknown }
    guard user == geteuid() || user == 0 else { return .unknown }
    return .held(by: process > 0 ? process : nil)
  }

  /// "@mgmt-" and a digest of where the prefix is. Two paths of the same digest would keep each other from running: 128 bits are enough.
  private static func address(_ directory: EngineDirectory) -> String? {
    guard let path = directory.realPath else { return nil }
    var root = stat()
    guard stat("/", &root) == 0 else { return nil }
    let text = "\(root.st_dev) \(root.st_ino) \(path)"
    return "@mgmt-" + [0xcbf2_9ce4_8422_2325, 0x6c62_272e_07bb_0142].map { String(digest(text, $0), radix: 16) }.joined()
  }

  /// FNV-1a.
  private static func digest(_ text: String, _ start: UInt64) -> UInt64 {
    text.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
