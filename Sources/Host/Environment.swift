// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import Reactor

enum Environment {
  /// nil: not set, or empty.
  static subscript(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}

/// The name this host goes by among its peers.
enum Hostname {
  static func resolve(_ given: String?) throws(MgmtError) -> String {
    let name = given.flatMap { $0.isEmpty ? nil : $0 } ?? system()
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    let isValid =
      name.utf8.count <= 253
      && labels.allSatisfy { label in
        !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
          && label.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains($0))
          }
      }
    guard isValid else {
      throw MgmtError(
        Diagnostic(
          "host.name", "\"\(name)\" is not a host name", notes: ["letters, digits, \"-\" and \".\" are allowed"],
          hint: "give another with --hostname"))
    }
    return name
  }

  private static func system() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let start = buffer.baseAddress, gethostname(start, buffer.count) == 0 else { return "localhost" }
      return String(cString: start)
    }
  }
}

/// The directory the agent keeps its state in.
enum Prefix {
  enum Place {
    /// No "/" at the end.
    case lasting(String)
    case temporary(TemporaryPrefix)

    var path: String {
      switch self {
      case .lasting(let path): path
      case .temporary(let directory): directory.path
      }
    }

    /// At the end of the agent.
    func leave() {
      if case .temporary(let directory) = self { directory.remove() }
    }
  }

  /// Found and made as the options say.
  static func make(_ options: RunOptions, hostname: String) throws(MgmtError) -> Place {
    if options.tmpPrefix { return .temporary(try TemporaryPrefix(hostname: hostname)) }
    let path = configured(options.prefix)
    do throws(MgmtError) {
      try make(path)
      return .lasting(path)
    } catch {
      guard options.allowTmpPrefix else { throw error }
      return .temporary(try TemporaryPrefix(hostname: hostname))
    }
  }

  /// What the options and the environment ask for; nothing is made.
  static func configured(_ given: String?) -> String {
    var path = given ?? Environment["MGMT_PREFIX"] ?? Environment["STATE_DIRECTORY"] ?? standard
    if !path.hasPrefix("/") { path = absolute(path) }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  private static var standard: String {
    if geteuid() == 0 { return "/var/lib/\(Program.name)" }
    if let cache = Environment["XDG_CACHE_HOME"] { return "\(cache)/\(Program.name)" }
    return "\(Environment["HOME"] ?? "/tmp")/.cache/\(Program.name)"
  }

  static func absolute(_ path: String) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress, getcwd(start, buffer.count) != nil else { return "/" + path }
      return String(cString: start) + "/" + path
    }
  }

  private static func make(_ path: String) throws(MgmtError) {
    var made = ""
    for component in path.split(separator: "/") {
      made += "/" + component
      guard mkdir(made, 0o755) == 0 || errno == EEXIST else { throw failure(path, errno) }
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { throw failure(path, ENOTDIR) }
    guard access(path, W_OK | X_OK) == 0 else { throw failure(path, errno) }
  }

  static func failure(_ path: String, _ number: Int32) -> MgmtError {
    MgmtError(
      Diagnostic(
        "host.prefix", "the directory for state, \(path), cannot be used", notes: [systemMessage(number)],
        hint: "give another with --prefix, or use --tmp-prefix"))
  }
}
