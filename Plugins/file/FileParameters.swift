// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// Positions of the parameters in `FileKind.description`.
enum FileKey: Int {
  case path, dirname, basename, state, content, source, fragments, owner, group, mode, recurse, force, purge, symlink, selinux
}

extension FileKind {
  static let description = KindDescription(
    name: "file",
    documentation: fileDocumentation,
    parameters: [
      Parameter(
        "path", "str", default: .string(""), flags: [.name, .identity],
        "Absolute path; a directory ends in \"/\". Left out, the resource's name is the path."),
      Parameter(
        "dirname", "str", default: .string(""), flags: .identity, "Replaces the directory part of the path; ends in \"/\"."),
      Parameter(
        "basename", "str", default: .string(""), flags: .identity,
        "Replaces the last part of the path; does not begin with \"/\"."),
      Parameter(
        "state", "str", default: .string(""), choices: ["exists", "absent", ""],
        """
        `exists`: made if it is missing. `absent`: removed. Left out, a file is made only if `content`, `source` or `fragments` \
        say what is in it.
        """),
      Parameter("content", "str", "All that the file contains. Only one of `content`, `source` and `fragments` can be given."),
      Parameter(
        "source", "str", default: .string(""),
        """
        Copied from this absolute path: a file, or with `recurse` a directory ending in "/", of which `path` becomes an exact \
        copy but for what other file resources manage. With `symlink`: the text of the link, which may be relative.
        """),
      Parameter(
        "fragments", "[]str", default: .list([]),
        """
        Absolute paths of files, joined in this order. A directory, ending in "/", stands for the files in it, sorted by \
        name, without those in its subdirectories.
        """),
      Parameter("owner", "str", default: .string(""), "The owner: a user's name or number."),
      Parameter("group", "str", default: .string(""), "The group: its name or number."),
      Parameter(
        "mode", "str", default: .string(""),
        """
        Permissions: octal (`"0644"`), or assignments like `"u=rw,g=r,o="` that leave the rest as it is. Subjects are u, g, o \
        or a, permissions r, w, x, s and t. Not for symbolic links.
        """),
      Parameter(
        "recurse", "bool", default: .bool(false),
        "For directories: make missing parents, copy, purge and watch everything below, remove with all contents."),
      Parameter(
        "force", "bool", default: .bool(false),
        "Replace a file, directory (with its contents) or symbolic link that is in the way."),
      Parameter(
        "purge", "bool", default: .bool(false),
        "Remove everything in the directory that no other file resource manages. Needs `recurse`."),
      Parameter("symlink", "bool", default: .bool(false), "A symbolic link to `source`."),
      Parameter("selinux", "str", "SELinux label (the attribute `security.selinux`); `\"\"` removes it."),
    ],
    flags: [.brief], traits: [.identities, .automaticEdges, .update, .reversal, .settling])
}
