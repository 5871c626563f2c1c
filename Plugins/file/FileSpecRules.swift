// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// Which parameters go together.
extension FileSpec {
  func validate() throws(Failure) {
    try validateState()
    try validateSource()
    try validateFragments()
    try validateDirectory()
    try validateSymlink()
  }

  private func validateState() throws(Failure) {
    let payloads = (content == nil ? 0 : 1) + (source.isEmpty ? 0 : 1) + (fragments.isEmpty ? 0 : 1)
    guard payloads > 1 || state == .absent else { return }
    let given = [content == nil ? nil : "content", source.isEmpty ? nil : "source", fragments.isEmpty ? nil : "fragments"]
      .compactMap(\.self)
    if given.count > 1 {
      throw Failure(
        "\(given.joined(separator: " and ")) cannot be given together", field: given[1],
        hint: "each says what is in the file: keep one of them")
    }
    guard state == .absent else { return }
    if let first = given.first ?? (selinux == nil ? nil : "selinux") {
      throw Failure("a file that is absent has no \(first)", field: first, hint: "remove \(first), or set state to \"exists\"")
    }
    if path == "/" {
      throw Failure("the root directory is never removed", field: "state", hint: "name the directory to remove")
    }
  }

  private func validateSource() throws(Failure) {
    guard !source.isEmpty, !symlink else { return }
    let isTree = FilePath.isDirectory(source)
    if isTree != isDirectory {
      throw Failure(
        isTree ? "the source is a directory, the path a file" : "the source is a file, the path a directory", field: "source",
        hint: "end both with \"/\" (directories) or neither (files)")
    }
    if isTree && !recurse {
      throw Failure("copying a directory needs recurse", field: "recurse", hint: "set recurse: true")
    }
    if !isTree && recurse {
      throw Failure("recurse is for directories, but the source is a file", field: "recurse", hint: "remove recurse")
    }
    if source == path {
      throw Failure("the source is the path itself", field: "source", hint: "name another file to copy")
    }
    if isTree && (path.utf8.starts(with: source.utf8) || source.utf8.starts(with: path.utf8)) {
      throw Failure(
        "one of path and source lies in the other", field: "source", hint: "a directory cannot be copied into itself")
    }
  }

  private func validateFragments() throws(Failure) {
    for fragment in fragments where fragment == path || fragment == FilePath.parent(path) {
      throw Failure(
        fragment == path
          ? "the file cannot be a fragment of itself" : "the file itself lies in the fragment directory \(fragment)",
        field: "fragments", hint: "put the fragments into another directory: the file would become a part of itself")
    }
  }

  private func validateDirectory() throws(Failure) {
    if isDirectory {
      let wrong = content != nil ? "content" : !fragments.isEmpty ? "fragments" : symlink ? "symlink" : nil
      if let wrong {
        throw Failure(
          "\(wrong) is for files, but \(path) is a directory", field: wrong, hint: "remove the \"/\" at the end of the path")
      }
    }
    if path == "/" && (purge || !source.isEmpty) {
      throw Failure(
        "the root directory is never emptied", field: purge ? "purge" : "source", hint: "name a directory below \"/\"")
    }
    guard purge else { return }
    if content != nil || !fragments.isEmpty {
      throw Failure(
        "purge is for directories", field: "purge", hint: "remove purge, or \(content != nil ? "content" : "fragments")")
    }
    if symlink { throw Failure("a symbolic link cannot be purged", field: "purge", hint: "remove purge, or symlink") }
    if !isDirectory {
      throw Failure("purge is for directories, but \(path) is a file", field: "purge", hint: "end the path with \"/\"")
    }
    if !recurse { throw Failure("purge needs recurse", field: "purge", hint: "set recurse: true") }
  }

  private func validateSymlink() throws(Failure) {
    guard symlink else { return }
    if state == .exists && source.isEmpty {
      throw Failure("a symbolic link needs a source: what it points to", field: "source", hint: "set source")
    }
    let wrong = content != nil ? "content" : !fragments.isEmpty ? "fragments" : recurse ? "recurse" : mode != nil ? "mode" : nil
    if let wrong {
      throw Failure("a symbolic link has no \(wrong)", field: wrong, hint: "remove \(wrong), or symlink")
    }
    if source.utf8.contains(0) { throw Failure("the source contains a NUL byte", field: "source") }
  }
}
