// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// What one `file` resource asks for: its parameters, checked and in the form the stages need.
final class FileSpec {
  enum State { case undefined, exists, absent }

  /// The resource's; mostly the same text as `path`.
  let name: String
  let path: String
  let isDirectory: Bool
  /// The path for system calls, without a slash at the end.
  let cPath: CPath
  let state: State
  let content: String?
  let source: String
  let fragments: [String]
  let owner: String
  let group: String
  let mode: FileMode?
  let recurse: Bool
  let force: Bool
  let purge: Bool
  let symlink: Bool
  let selinux: String?

  /// Fails with the parameter at fault. Looks at nothing but its arguments.
  init(name: String, parameters: Parameters) throws(Failure) {
    self.name = name
    path = try Self.path(name, parameters)
    isDirectory = FilePath.isDirectory(path)
    cPath = FilePath.c(path)
    switch parameters.string(FileKey.state) ?? "" {
    case "": state = .undefined
    case "exists": state = .exists
    case "absent": state = .absent
    case let other:
      throw Failure("unknown state \"\(other)\"", field: "state", hint: "use \"exists\" or \"absent\", or leave it out")
    }
    content = parameters.string(FileKey.content)
    symlink = parameters.bool(FileKey.symlink)
    let source = parameters.string(FileKey.source) ?? ""
    self.source = symlink ? source : try Self.clean(source, "source")
    var fragments: [String] = []
    for fragment in parameters.strings(FileKey.fragments) {
      guard !fragment.isEmpty else {
        throw Failure("a fragment is empty", field: "fragments", hint: "give absolute paths of files or directories")
      }
      fragments.append(try Self.clean(fragment, "fragments"))
    }
    self.fragments = fragments
    owner = parameters.string(FileKey.owner) ?? ""
    group = parameters.string(FileKey.group) ?? ""
    let mode = parameters.string(FileKey.mode) ?? ""
    do throws(FileMode.Problem) {
      self.mode = mode.isEmpty ? nil : try FileMode.parse(mode)
    } catch {
      throw Failure(error.text, field: "mode", hint: error.hint)
    }
    recurse = parameters.bool(FileKey.recurse)
    force = parameters.bool(FileKey.force)
    purge = parameters.bool(FileKey.purge)
    selinux = parameters.string(FileKey.selinux)
    try validate()
  }

  /// A few system calls on one name: no other files to read, no tree to walk, no accounts to look up.
  var isSmallWork: Bool {
    source.isEmpty && fragments.isEmpty && !recurse && !purge && owner.isEmpty && group.isEmpty
      && (content?.utf8.count ?? 0) <= 1 << 16
  }

  /// Contents are managed.
  var hasPayload: Bool { content != nil || !fragments.isEmpty || (!source.isEmpty && !symlink) }
  var hasAttributes: Bool { !owner.isEmpty || !group.isEmpty || mode != nil || selinux != nil }

  /// The last part of the path for system calls relative to the parent, and the parent ("/" is its own).
  var parentAndName: (parent: CPath, name: CPath) {
    guard let parent = FilePath.parent(path) else { return (FilePath.c("/"), Array(".".utf8CString)) }
    return (FilePath.c(parent), FilePath.c(FilePath.split(path).name))
  }

  private static func path(_ name: String, _ parameters: Parameters) throws(Failure) -> String {
    let given = parameters.string(FileKey.path) ?? ""
    var path = given.isEmpty ? name : given
    let directory = parameters.string(FileKey.dirname) ?? ""
    let last = parameters.string(FileKey.basename) ?? ""
    if !directory.isEmpty && !FilePath.isDirectory(directory) {
      throw Failure("\"\(directory)\" does not end in \"/\"", field: "dirname", hint: "write \"\(directory)/\"")
    }
    if last.utf8.first == UInt8(ascii: "/") {
      throw Failure("\"\(last)\" begins with \"/\"", field: "basename", hint: "the directory part belongs in dirname")
    }
    if !directory.isEmpty || !last.isEmpty {
      let parts = FilePath.split(path)
      path = (directory.isEmpty ? parts.directory : directory) + (last.isEmpty ? parts.name : last)
    }
    if path.isEmpty { throw Failure("the path is empty", field: "path", hint: "give an absolute path") }
    let origin = given.isEmpty ? " (the resource's name: it has no path)" : ""
    guard path.utf8.first == UInt8(ascii: "/") else {
      throw Failure("\"\(path)\"\(origin) is not an absolute path", field: "path", hint: "begin it with \"/\"")
    }
    return try clean(path, "path")
  }

  private static func clean(_ path: String, _ field: String) throws(Failure) -> String {
    if path.isEmpty { return "" }
    guard path.utf8.first == UInt8(ascii: "/") else {
      throw Failure("\"\(path)\" is not an absolute path", field: field, hint: "begin it with \"/\"")
    }
    guard let clean = FilePath.cleaned(path) else {
      throw Failure(
        path.utf8.contains(0) ? "the path contains a NUL byte" : "\"\(path)\" contains \"..\"", field: field,
        hint: "write the path it leads to: with symbolic links on the way \"..\" may mean another directory")
    }
    return clean
  }
}
