// SPDX-License-Identifier: Apache-2.0

import Glibc
import Reactor

/// A file that takes the place of another: it is written under a name that cannot be guessed, for the agent's user only, and renamed. What was
/// there, a link too, is replaced and never written through.
enum NewFile {
  /// nil: it is there. Else why not.
  static func write(_ bytes: [UInt8], as path: String) -> String? {
    let end = path.lastIndex(of: "/")
    let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = end.map { String(path[path.index(after: $0)...]) } ?? path
    guard !name.isEmpty, name != ".", name != ".." else { return "it is not the name of a file" }
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return systemMessage(errno) }
    defer { close(directory) }
    let temporary = ".mgmt-" + String(UInt64.random(in: .min ... .max), radix: 36)
    let fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard fd >= 0 else { return systemMessage(errno) }
    let isWritten = Output.write(bytes, to: fd)
    var failure = isWritten ? 0 : errno
    if close(fd) != 0, failure == 0 { failure = errno }
    if failure == 0, renameat(directory, temporary, directory, name) != 0 { failure = errno }
    guard failure != 0 else { return nil }
    unlinkat(directory, temporary, 0)
    return systemMessage(failure)
  }
}
