// SPDX-License-Identifier: Apache-2.0

/// What resources may be called that a package brings along.
enum PackageIdentities {
  private static let unitTypes: Set<Substring> = [
    "service", "socket", "timer", "path", "mount", "automount", "swap", "target", "slice",
  ]
  private static let unitFolders = ["/usr/lib/systemd/system/", "/lib/systemd/system/"]
  /// Symbolic links into /usr on a merged system: packages may name either path.
  private static let merged = ["/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/"]

  /// The units among the files: `demo.service`.
  static func units(_ files: [String]) -> [String] {
    var units: [String] = []
    var seen: Set<Substring> = []
    for file in files {
      for folder in unitFolders where file.hasPrefix(folder) {
        let name = file.dropFirst(folder.count)
        if !name.contains("/"), let dot = name.lastIndex(of: "."), dot != name.startIndex,
          unitTypes.contains(name[name.index(after: dot)...]), seen.insert(name).inserted
        {
          units.append(String(name))
        }
      }
    }
    return units
  }

  /// The paths as file resources name them: a directory ends in "/". Where it cannot be told, both are named. Directories at the top,
  /// as /etc/, are no package's own.
  static func paths(_ files: [String]) -> [String] {
    let all = files.flatMap(spellings)
    var parents: Set<Substring> = []
    for path in all {
      if let slash = path.lastIndex(of: "/") { parents.insert(path[..<slash]) }
    }
    return all.flatMap { path in
      if parents.contains(path[...]) { return path.utf8.dropFirst().contains(UInt8(ascii: "/")) ? [path + "/"] : [] }
      return [path, path + "/"]
    }
  }

  /// The path itself, and under /usr where that is the same file.
  static func spellings(_ file: String) -> [String] {
    guard file.hasPrefix("/"), file.utf8.count > 1, !file.hasSuffix("/.") else { return [] }
    let path = file.hasSuffix("/") ? String(file.dropLast()) : file
    return merged.contains { path.hasPrefix($0) } ? [path, "/usr" + path] : [path]
  }
}
