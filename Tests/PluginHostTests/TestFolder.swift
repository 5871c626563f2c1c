// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// A directory of its own for a test, removed at its end.
final class TestFolder {
  let path: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/mgmt-test-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil, let resolved = realpath(&template, nil) else { throw POSIXError(.EIO) }
    defer { free(resolved) }
    path = String(cString: resolved)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A file below it, with its directories.
  @discardableResult
  func write(_ name: String, _ contents: String = "x", mode: mode_t = 0o644) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o755])
    try Data(contents.utf8).write(to: URL(fileURLWithPath: file))
    chmod(file, mode)
    return file
  }

  func directory(_ name: String) throws -> String {
    let directory = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    return directory
  }
}

/// Built with a sanitizer, which ends processes in its own ways.
let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
