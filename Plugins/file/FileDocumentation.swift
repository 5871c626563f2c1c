// SPDX-License-Identifier: Apache-2.0

/// What a person reads about `file`, in Markdown.
let fileDocumentation = """
  A file, directory or symbolic link. A path that ends in "/" is a directory. What is not given is not managed. Files are \
  replaced whole, by renaming: no reader sees half of one.

  ## Example

  ```yaml
  graph: file
  resources:
    file:
    - name: /tmp/mgmt-file/
      state: exists
      mode: "0755"
    - name: config
      path: /tmp/mgmt-file/config
      content: |
        port = 8080
      mode: u=rw,g=r,o=
    - name: current
      path: /tmp/mgmt-file/current
      state: exists
      symlink: true
      source: config
    - name: old
      path: /tmp/mgmt-file/old
      state: absent
  ```

  ## Paths

  Paths are absolute and have no `..`. The last part of a path is never followed if it is a symbolic link: where a file or directory \
  is asked for, a link is in the way. The directories above may be links. What is in the way is an error without `force`, which removes a \
  file, a link, or a directory with all its contents; devices, sockets and pipes are never replaced.

  A missing directory above is made only for directories with `recurse`. Nothing is removed across a mount, and `/` is never removed, \
  purged or copied over.

  ## Watching

  The path is watched, and as long as directories above it are missing, these are. So are a `source` and `fragments`, and everything below \
  a directory with `recurse`. A change by others is put right at once, also when it is another file resource that wrote what this one reads, or when \
  a file system is mounted over the path or taken away. A directory below that cannot be watched (too many of them, no permission, a path of \
  more than 4095 bytes) is named in a warning, and looked at every 10 to 60 seconds until it can be.

  Contents are written to a file `.mgmt-` and 16 random digits `.new` in the same directory, which is then renamed. Such files of the agent's user are \
  neither joined nor copied nor, while they are written, purged; what a killed agent left is removed at the next start.

  ## Copies and purges

  Of a directory `source` all directories, files and links are copied, links as links, with the permissions (0777) of each. What is in the \
  copy and not in the source is removed, unless another file resource manages it or something in it; `purge` without a source removes \
  everything else. Devices, sockets and pipes in a source are passed over with a warning.

  ## What stays

  A file that is written anew keeps the owner, permissions, SELinux label and access list it has, unless the resource asks for others. It \
  is a new file: other hard links keep the old contents. New contents are never readable by more than those who may read them in the end. A \
  new file with an `owner` or `group` and no `mode` has 0666 without the agent's umask, a directory 0777.

  Set-user-id and set-group-id of a file are dropped before its owner or group changes and with new contents, and come only when `mode` \
  asks for them: an octal mode with the bit, or a symbolic one with `s`. A directory keeps its bits. An access list stays as long as the owner; \
  what is made with an owner, group or mode has none, whatever its directory gives to others.

  ## Other users

  Where others than root and the agent's user may write the directory, a file that is a hard link, or that belongs to neither the owner asked \
  for nor the directory's, may have been put there by one of them. Its owner, mode and label stay as they are: a new file takes its place if \
  `content`, `source` or `fragments` are given, which keeps nothing of it but tighter permissions; else the check fails. So does a directory \
  that belongs to neither, unless it is empty.

  Contents that others may not read, before or after, and those of such inputs are masked in all that is shown.

  ## Automatic edges

  A file bears its path (`path`). It comes after the nearest directory above it that is a resource, and after its `source` and `fragments`: \
  each, and else the nearest directory above it, where these are resources; of a directory of fragments also every entry that is a resource, \
  of a directory that is copied all that lies below it. Two files of one path are refused when they ask for different things.

  ## Reversal

  With `reverse`, a file that leaves the graph has its old contents and attributes again, or is removed if it was not there. Directories, \
  files with a `source`, contents that are not UTF-8 and files above 8 MiB cannot be put back: the check fails before anything is changed. \
  Set-user-id and set-group-id do not come back.

  ## Failures

  Each names the path, the parameter and the system's reason, such as no permission, a read-only file system or no space, and what to do. \
  A missing source or an unknown user is one as well. What fails is tried again at the next event.
  """
