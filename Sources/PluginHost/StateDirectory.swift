// SPDX-License-Identifier: Apache-2.0

import Glibc
import Reactor

/// Where resources keep what outlives the process: `<root>/<kind>-<name in base64url>/`, readable by the agent alone.
public struct StateDirectory: Sendable {
  struct Failure: Error {
    var message: String
    /// The system's number of the error; 0: none.
    var number: Int32 = 0

    init(message: String) { self.message = message }

    /// What the system call before this failed with.
    init(_ what: String) {
      number = errno
      message = "\(what): \(systemMessage(number))"
    }
  }

  /// Absolute, as `/var/lib/mgmt/engine/state`; "": there is none.
  public let root: String

  /// What it is there for.
  public enum Use: Sendable {
    /// Nothing is made: paths are only named.
    case looking
    case resources
    /// Resources and plugins.
    case plugins
  }
  let use: Use

  public init(root: String, use: Use = .plugins) {
    self.root = root
    self.use = use
  }

  /// Makes the directory on demand. The path ends in "/".
  func make(kind: String, name: String, sub: String) -> Result<String, Failure> {
    guard !sub.contains("/"), sub != "..", sub != "." else {
      return .failure(Failure(message: "\"\(sub)\" is not the name of a state directory"))
    }
    return make([Self.component(kind: kind, name: name)] + (sub.isEmpty ? [] : [sub]))
  }

  func make(_ components: [String]) -> Result<String, Failure> {
    guard root.hasPrefix("/") else { return .failure(Failure(message: "there is no directory for state: give --prefix")) }
    var path = root
    if use == .looking { return .success(([root] + components).joined(separator: "/") + "/") }
    if let failure = Self.makeAll(root) { return .failure(failure) }
    for component in components {
      path += "/" + component
      if mkdir(path, 0o700) != 0, errno != EEXIST {
        return .failure(Failure("cannot make the directory \(path)"))
      }
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
        return .failure(Failure(message: "\(path) is not a directory of mine: remove it"))
      }
    }
    return .success(path + "/")
  }

  private static func makeAll(_ path: String) -> Failure? {
    var made = ""
    for component in path.split(separator: "/") {
      made += "/" + component
      if mkdir(made, 0o755) != 0, errno != EEXIST {
        return Failure("cannot make the directory \(made)")
      }
    }
    return nil
  }

  /// Long names are cut and told apart by a digest.
  static func component(kind: String, name: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var text: [UInt8] = Array(kind.utf8.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: ":") : $0 }) + [UInt8(ascii: "-")]
    var bits: UInt32 = 0
    var count = 0
    for byte in name.utf8 {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    guard text.count > 200 else { return String(decoding: text, as: UTF8.self) }
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(decoding: text.prefix(180), as: UTF8.self) + "+" + String(digest, radix: 16)
  }
}
