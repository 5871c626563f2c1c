// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where plugins are looked for, the first directory first.
public struct PluginSearchPath: Sendable, Hashable {
  public struct Directory: Sendable, Hashable {
    /// Absolute; symbolic links are resolved when it is opened.
    public var path: String
    /// Somebody asked for it: that it is missing is worth a word.
    public var isExplicit: Bool
    /// The program's own: nothing else takes the place of what is in it.
    public var isBuiltIn = false
  }

  public var directories: [Directory]

  /// The directories of `--plugin-path`, then those of the system, then those beside the running program.
  public init(options: [String]) {
    directories = options.map { Directory(path: Self.absolute($0), isExplicit: true) }
    let own = Self.program().flatMap(Self.pluginDirectory(of:))
    for path in ["/usr/lib/mgmt/resources", own ?? ""] where !path.isEmpty {
      guard !directories.contains(where: { $0.path == path }) else { continue }
      directories.append(Directory(path: path, isExplicit: false))
    }
    for index in directories.indices { directories[index].isBuiltIn = directories[index].path == own }
  }

  /// These and no others.
  public init(only paths: [String], builtIn: [String] = []) {
    directories = paths.map { path in
      Directory(path: Self.absolute(path), isExplicit: true, isBuiltIn: builtIn.contains(path))
    }
  }

  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return String(cString: current) + "/" + path
  }

  /// The program that ends the commands with the agent: `…/bin/mgmt` → `…/lib/mgmt/guard`
  public static func guardProgram() -> String? {
    program().flatMap(root(of:)).map { $0 + "/lib/mgmt/guard" }
  }

  private static func program() -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer -> String? in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink("/proc/self/exe", start, buffer.count)
      guard count > 0, count < buffer.count else { return nil }
      return String(validating: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
    }
  }

  /// `…/bin/mgmt` → `…/lib/mgmt/resources`
  static func pluginDirectory(of program: String) -> String? {
    root(of: program).map { $0 + "/lib/mgmt/resources" }
  }

  private static func root(of program: String) -> String? {
    var parts = program.split(separator: "/", omittingEmptySubsequences: true)
    guard program.hasPrefix("/"), parts.count >= 2 else { return nil }
    parts.removeLast(2)
    return parts.map { "/\($0)" }.joined()
  }
}
