// SPDX-License-Identifier: Apache-2.0

/// A path for system calls: bytes with a NUL at the end, made once.
typealias CPath = [CChar]

/// Absolute paths as text. A directory's ends in "/".
enum FilePath {
  /// Without empty and "." components. nil: it has a ".." or a NUL, so what it means depends on symbolic links or is nothing.
  static func cleaned(_ path: String) -> String? {
    if isClean(path) { return path }
    if path.utf8.contains(0) { return nil }
    var result = ""
    result.reserveCapacity(path.utf8.count)
    for component in path.utf8.split(separator: UInt8(ascii: "/")) {
      if component.elementsEqual(".".utf8) { continue }
      if component.elementsEqual("..".utf8) { return nil }
      result += "/"
      result += String(Substring(component))
    }
    if path.utf8.last == UInt8(ascii: "/") || result.isEmpty { result += "/" }
    return result
  }

  /// Nearly all are: one look at each byte. True only when nothing needs to be left out or refused.
  private static func isClean(_ path: String) -> Bool {
    var path = path
    return path.withUTF8 { bytes in
      var isAfterSlash = false
      for byte in bytes {
        if byte == 0 || isAfterSlash && (byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".")) { return false }
        isAfterSlash = byte == UInt8(ascii: "/")
      }
      return true
    }
  }

  static func isDirectory(_ path: String) -> Bool { path.utf8.last == UInt8(ascii: "/") }

  /// "/a/b/" and "/a/b" are both "/a/b"; "/" stays.
  static func withoutSlash(_ path: String) -> String {
    path.utf8.count > 1 && isDirectory(path) ? String(path.utf8.dropLast()) ?? path : path
  }

  /// Directory part, ending in "/", and last part; the last part of a directory keeps its "/".
  static func split(_ path: String) -> (directory: String, name: String) {
    let body = path.utf8.count > 1 && isDirectory(path) ? path.utf8.dropLast() : path.utf8[...]
    guard let slash = body.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    let start = path.utf8.index(after: slash)
    return (String(path[..<start]), String(path[start...]))
  }

  /// The directory a path is in, "/" at its end: "/a/" for "/a/b" and "/a/b/". nil for "/".
  static func parent(_ path: String) -> String? {
    path == "/" ? nil : split(path).directory
  }

  /// For system calls: no slash at the end, which would follow a symbolic link.
  static func c(_ path: String) -> CPath { Array(withoutSlash(path).utf8CString) }
}

/// A name of a directory entry as text, without the NUL; what is not UTF-8 becomes U+FFFD.
func text(_ name: CPath) -> String {
  String(decoding: name.dropLast().lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
